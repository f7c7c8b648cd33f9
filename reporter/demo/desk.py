"""Signing in to the desk of a demonstration, without a password to think of."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Flask

from reporter.database import get_database
from reporter.staff import accounts


def sign_in_link(app: Flask) -> str:
    """A link that signs in once, within the hour. Its account is the support mailbox's."""
    now, email = datetime.now(UTC), app.config["SUPPORT_EMAIL"]
    with app.app_context(), get_database().write() as session:
        row = accounts.by_email(session, email) or accounts.add(session, "Demo", email, now)
        return accounts.new_link(session, row, now, asks_password=False)
