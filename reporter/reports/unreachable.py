"""A customer whom our mails do not reach: support is told once, to call instead."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from reporter import models
from reporter.models import Author, MailKind, MailState, UpdateKind
from reporter.reports import followups

TO_CUSTOMER = {MailKind.ACKNOWLEDGEMENT, MailKind.NEWS}


def mark(session: Session, row: models.Report, message: models.Message, at: datetime) -> None:
    """*message* came back. Nothing changes when the report has another address by now.

    The caller has the report's lock. Who mends the address ends it: `unreachable_at` of the row.
    """
    latest = [each for each in row.messages if each.kind in TO_CUSTOMER][-1]
    if row.unreachable_at or message.recipient != latest.recipient:
        return
    if message.state != MailState.SENT:
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
