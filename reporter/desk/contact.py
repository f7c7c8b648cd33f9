"""Mending how the customer is reached: an address that was mistyped, a number that is another."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from reporter import models
from reporter.delivery import outbox
from reporter.delivery.beforehand import composed
from reporter.delivery.outbox import Mail
from reporter.desk.actions import note
from reporter.mail.message import readdressed
from reporter.models import MailKind, MailState, UpdateKind
from reporter.reports import search, store
from reporter.reports.subscriptions import want_news

TO_CUSTOMER = (MailKind.ACKNOWLEDGEMENT, MailKind.NEWS)


def mend(
    session: Session, row: models.Report, name: str, email: str, phone: str, at: datetime
) -> None:
    """Reach the customer there from now on. What waits, or was refused, goes to the new address.

    *email* and *phone* are checked. What the customer sent stays as it was sent. The caller has the
    change made by `beforehand.write`.
    """
    before = store.to_value(session, row)
    old_email, old_phone = before.text("email"), before.text("phone")
    if (email, phone) == (old_email, old_phone):
        return
    follows = row.news_wanted and email != old_email
    if follows:
        want_news(session, row, False, at)
    row.email, row.phone = email, phone
    if follows:
        want_news(session, row, True, at)
    changes = ((old_email, email), (old_phone, phone))
    text = "\n".join(f"{old or '–'} → {new or '–'}" for old, new in changes if old != new)
    note(session, row, UpdateKind.CONTACT, name, at, text)
    if email != old_email:
        row.unreachable_at = None
        _readdress(session, row, email, at)
    search.keep(session, row.id, store.to_value(session, row))


def _readdress(session: Session, row: models.Report, email: str, at: datetime) -> None:
    message = models.Message
    query = sa.select(message).where(
        message.report_id == row.id,
        message.kind.in_(TO_CUSTOMER),
        message.state != MailState.SENT,
        message.claimed_by.is_(None),
    )
    for waiting in session.scalars(query.with_for_update()):
        mail = Mail(waiting.recipient, waiting.mime_id, waiting.content)
        outbox.replace(waiting, composed(session, readdressed, mail, email), due_at=at)
        if waiting.state == MailState.FAILED:
            waiting.state, waiting.due_at = MailState.QUEUED, at
        waiting.trouble = None
