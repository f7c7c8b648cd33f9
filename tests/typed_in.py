"""What was typed into a draft, and what was kept of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from customers import Customer, Page
from factories import body
from flask import Flask

from reporter import report
from reporter.database import Database
from reporter.models import Message, Report

TOKENS = {"csrf_token", "topic", "draft_key", "asked_again", "shown"}


def rows(app: Flask, table: type[Any]) -> Sequence[Any]:
    database: Database = app.extensions["sqlalchemy"]
    with database.read() as session:
        return session.scalars(sa.select(table)).all()


def the_report(app: Flask) -> report.Report:
    (row,) = rows(app, Report)
    return report.Report.from_json(row.content)


def ticket_of(app: Flask) -> str:
    (message,) = (message for message in rows(app, Message) if message.kind == "ticket")
    return body(message.content)


def typed(page: Page) -> dict[str, str]:
    """What stands in the fields, as somebody typed it."""
    return {key: value for key, value in page.fields.items() if key not in TOKENS}


# Restarts and failures --------------------------------------------------------------------


def moved_to(app: Flask, customer: Customer) -> Customer:
    """The same browser, with its cookie and its page, before another application."""
    moved = Customer(app, customer.headers["Accept-Language"])
    moved.client.cookiejar = customer.client.cookiejar
    moved.page = customer.page
    return moved
