"""Known incidents: opened, told about, closed. Of a report they know that it is linked."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import sqlalchemy as sa
from flask import current_app
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, load_only

from reporter import models
from reporter.database import Lock, exclusive
from reporter.notices.notice import Entry, Notice, Text

DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
# The feeds keep a closed one for this long.
SHOWN_CLOSED = timedelta(days=30)
# The same words again are a second press of the button.
REPEATED_WITHIN = timedelta(minutes=1)

# Made once: that takes longer than it runs.
NOTICE = cast(sa.Table, models.Notice.__table__)
ACTIVE = sa.select(NOTICE).where(NOTICE.c.closed_at.is_(None)).order_by(NOTICE.c.id.desc())


def new_key() -> str:
    return "N-" + "".join(secrets.choice(DIGITS) for _ in range(5))


def open_notice(
    session: Session,
    services: Sequence[str],
    text: Text,
    started_at: datetime,
    next_news_at: datetime | None,
    at: datetime,
    key: str = "",
) -> models.Notice:
    """Open a known incident; one that is open with the same services and text is not opened again.
    *key*: a `new_key`, where it has to be known before.

    Raises ValueError for a service that is none of ours.
    """
    known = [service["id"] for service in current_app.config["SERVICES"]]
    for service in services:
        if service not in known:
            raise ValueError(service)
    services = list(dict.fromkeys(services))
    exclusive(session, Lock.NOTICES)
    for row in session.scalars(sa.select(models.Notice).where(models.Notice.closed_at.is_(None))):
        if row.services == services and row.entries[0]["text"] == dict(text):
            return row
    row = models.Notice(
        key=key or new_key(),
        services=services,
        entries=[],
        started_at=started_at,
        opened_at=at,
    )
    _add_entry(row, text, next_news_at, at)
    session.add(row)
    session.flush()
    return row


def tell(
    session: Session,
    row: models.Notice,
    text: Text,
    next_news_at: datetime | None,
    at: datetime,
    *,
    close: bool = False,
) -> bool:
    """Add what is known now; with *close*, what it was.

    False, and nothing is added, for what is closed, and for what was just told. What was promised
    to each customer whose report is linked is kept by it: they see it on their receipt.
    """
    last = to_value(row).latest
    same = not close and (last.text, last.next_news_at) == (text, next_news_at)
    if row.closed_at or (same and at - last.at < REPEATED_WITHIN):
        return False
    _add_entry(row, text, None if close else next_news_at, at)
    if close:
        row.closed_at = at
    waits = sa.select(models.Report).options(load_only(models.Report.id)).where(*_waiting(row))
    # As rows, which are written at the end: a rehearsal of the change goes on to what it mails.
    for each in session.scalars(waits):
        each.next_news_at = None
    session.flush()
    return True


def row_of(session: Session, key: str) -> models.Notice | None:
    return session.scalar(sa.select(models.Notice).where(models.Notice.key == key.upper()))


def lock(session: Session, key: str) -> models.Notice | None:
    """The one of that key as it is now. Nobody else changes it until the transaction ends."""
    row = row_of(session, key)
    if row:
        exclusive(session, Lock.NOTICE, row.id)
        session.refresh(row)
    return row


def lock_to_tell(session: Session, key: str) -> models.Notice | None:
    """As `lock`, with the reports that `tell` changes."""
    report = models.Report
    if row := row_of(session, key):
        waits = sa.select(report.id).where(*_waiting(row)).order_by(report.id)
        for report_id in session.scalars(waits).all():
            exclusive(session, Lock.REPORT, report_id)
    return lock(session, key)


def _waiting(row: models.Notice) -> tuple[sa.ColumnElement[bool], ...]:
    """Of the reports that are linked to it: those whose customer was promised news."""
    report = models.Report
    return report.notice_id == row.id, report.next_news_at.is_not(None)


def find(session: Session, key: str) -> Notice | None:
    row = row_of(session, key)
    return to_value(row) if row else None


def get(session: Session, notice_id: int) -> Notice | None:
    row = session.get(models.Notice, notice_id)
    return to_value(row) if row else None


def active(session: Session, service: str | None = None) -> list[Notice]:
    """The open ones, newest first; of one service, if it is named."""
    rows = session.execute(ACTIVE).all()
    return [to_value(row) for row in rows if service is None or service in row.services]


def shown(session: Session) -> list[Notice]:
    """The open ones, as far as we know: without the database no page fails for want of them."""
    try:
        return active(session)
    except SQLAlchemyError:
        return []


def recent(session: Session) -> list[Notice]:
    """The open ones and those closed lately, newest first."""
    notice = models.Notice
    limit = datetime.now(UTC) - SHOWN_CLOSED
    query = sa.select(notice).where(sa.or_(notice.closed_at.is_(None), notice.closed_at > limit))
    return [to_value(row) for row in session.scalars(query.order_by(notice.id.desc()))]


def to_value(row: models.Notice | sa.Row[Any]) -> Notice:
    return Notice(
        id=row.id,
        key=row.key,
        services=tuple(row.services),
        started_at=row.started_at,
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        entries=tuple(_entry(each) for each in row.entries),
    )


def _add_entry(row: models.Notice, text: Text, next_news_at: datetime | None, at: datetime) -> None:
    entry = {
        "at": at.isoformat(),
        "text": dict(text),
        "next_news_at": next_news_at and next_news_at.isoformat(),
    }
    row.entries = [*row.entries, entry]
    row.next_news_at = next_news_at
    if next_news_at and next_news_at - at <= timedelta(minutes=5):
        row.reminded_for = next_news_at  # whoever promises it has it in mind


def _entry(stored: Mapping[str, Any]) -> Entry:
    next_news_at = stored["next_news_at"]
    return Entry(
        at=datetime.fromisoformat(stored["at"]),
        text=stored["text"],
        next_news_at=datetime.fromisoformat(next_news_at) if next_news_at else None,
    )
