"""Sending less of a mail where no relay takes all of it: without its files, then as a stub.

What the lesser forms are is known to those who compose the mails; here are only bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog
from flask import Flask
from sqlalchemy.orm import Session, defer

from reporter.database import Database
from reporter.delivery.mail import Claimed, LesserForm, Mail
from reporter.delivery.smtp import AttemptResult
from reporter.delivery.verdict import About
from reporter.models import MailForm, Message, Outcome

# The mail of a message in the form after the one that it has, or None where it has no other.
Lesser = Callable[[Session, Message], Mail | None]

NEXT = {MailForm.FULL: MailForm.WITHOUT_FILES, MailForm.WITHOUT_FILES: MailForm.STUB}

log = structlog.get_logger(__name__)


def is_for_what_it_holds(results: Sequence[AttemptResult]) -> bool:
    """Whether every relay has refused the mail, and one of them for its size, a file or a word."""
    refused = all(result.outcome == Outcome.REFUSED for result in results)
    return refused and any(result.about in {About.MAIL, About.POLICY} for result in results)


def next_form(app: Flask, lesser: Lesser, claimed: Claimed) -> LesserForm | None:
    """What is to be sent instead. A fault in composing it is in the log, and leaves it as it is."""
    database: Database = app.extensions["sqlalchemy"]
    try:
        with app.app_context(), database.read() as session:
            message = session.get(Message, claimed.id, options=[defer(Message.content)])
            if message is None or message.form not in NEXT:
                return None
            mail = lesser(session, message)
            return LesserForm(NEXT[message.form], mail) if mail else None
    except Exception as error:
        log.error("no lesser form", reference=claimed.reference, error=type(error).__name__)
        return None
