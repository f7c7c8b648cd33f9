"""A customer whom our mails do not reach: support is told once, to call instead."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from reporter import models
from reporter.mail.message import ascii_address
from reporter.models import Author, MailKind, MailState, UpdateKind
from reporter.reports import followups, search, store

TO_CUSTOMER = {MailKind.ACKNOWLEDGEMENT, MailKind.NEWS}
TO_FOLLOWER = {MailKind.CONFIRMATION, MailKind.NOTICE}
# Of one address, in one known incident: whoever has more of them is called for the others.
LINKED = 5


def mark_linked(
    session: Session, notice: models.Notice, message: models.Message, at: datetime
) -> None:
    """*message*, to a follower, came back: mark the reports of that address, linked to *notice*."""
    report = models.Report
    query = (
        sa.select(report.id)
        .where(report.notice_id == notice.id, report.solved_at.is_(None))
        .where(search.matching(message.recipient))
        .order_by(report.id)
        .limit(LINKED)
    )
    for report_id in session.scalars(query).all():
        mark(session, store.lock(session, report_id), message, at)


def mark(session: Session, row: models.Report, message: models.Message, at: datetime) -> None:
    """*message* came back. Nothing changes when the report has another address by now.

    The caller has the report's lock, within `beforehand.write`. Who mends the address ends it:
    `unreachable_at` of the row.
    """
    address = ascii_address(store.to_value(session, row).text("email"))
    if row.unreachable_at or message.recipient != address or message.state != MailState.SENT:
        return
    row.unreachable_at = at
    update = store.add_update(
        session, row, Author.SERVICE, UpdateKind.UNREACHABLE, {"text": ""}, at
    )
    followups.queue(session, row, update, due_at=at)
