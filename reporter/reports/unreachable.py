"""A customer whom our mails do not reach: support is told once, to call instead."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from reporter import models
from reporter.mail.message import ascii_address
from reporter.models import Author, MailKind, MailState, UpdateKind
from reporter.reports import followups, store

TO_CUSTOMER = {MailKind.ACKNOWLEDGEMENT, MailKind.NEWS}


def mark(session: Session, row: models.Report, message: models.Message, at: datetime) -> None:
    """*message* came back. Nothing changes when the report has another address by now.

    The caller has the report's lock, within `beforehand.write`. Who mends the address ends it:
    `unreachable_at` of the row.
    """
    address = ascii_address(store.to_value(session, row).text("email"))
    if row.unreachable_at or message.recipient != address or message.state != MailState.SENT:
        return
    row.unreachable_at = at
    update = models.Update(
        author=Author.SERVICE,
        kind=UpdateKind.UNREACHABLE,
        content={"text": ""},
        created_at=at,
    )
    row.updates.append(update)
    followups.queue(session, row, update, due_at=at)
