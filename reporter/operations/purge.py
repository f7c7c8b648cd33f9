"""Retention: what is older than the settings say goes, a little at a time.

A report goes with all that hangs on it, but never while its ticket is unsent. Of a mail that was
sent the content goes sooner than its headers. Nothing here holds the write lock for long.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
import structlog
from flask import Flask
from sqlalchemy.orm import Session

from reporter import models
from reporter.database import Database
from reporter.models import WHOLE, LastDone, MailKind, MailState
from reporter.operations.condition import note_done

# Rows of one transaction: others write in between.
BATCH = 50
DAILY = timedelta(days=1)

log = structlog.get_logger(__name__)

Condition = sa.ColumnElement[bool]


@dataclass(frozen=True)
class Rule:
    """What goes: rows of *model* for which *condition* holds."""

    name: str
    model: Any
    condition: Condition


def rules(config: dict[str, Any], now: datetime) -> list[Rule]:
    """Each thing that is kept for a time, in the order in which it goes."""
    old = now - timedelta(days=config["RETENTION_DAYS"])
    draft_end = now - timedelta(days=config["DRAFT_DAYS"])
    report, message, file = models.Report, models.Message, models.Attachment
    return [
        Rule("drafts", models.Draft, models.Draft.updated_at < draft_end),
        Rule(
            "files that were never sent",
            file,
            sa.and_(file.number.is_(None), file.created_at < draft_end),
        ),
        Rule(
            "reports",
            report,
            sa.and_(
                sa.or_(report.saved_at < old, report.erase_wanted.is_(True)),
                ticket_is_sent(),
            ),
        ),
        Rule(
            "mails of no report",
            message,
            sa.and_(message.report_id.is_(None), message.created_at < old),
        ),
        Rule("mails and calls heard once", models.HeardOnce, models.HeardOnce.heard_at < old),
        Rule("known incidents", models.Notice, models.Notice.closed_at < old),
        Rule("surges", models.Surge, models.Surge.last_at < old),
        Rule("sessions of support", models.StaffSession, models.StaffSession.expires_at < now),
        Rule("one-time links", models.StaffLink, models.StaffLink.expires_at < now),
    ]


def ticket_is_sent() -> Condition:
    """Of a report: that its ticket neither waits nor failed."""
    message = models.Message
    unsent = sa.select(message.id).where(
        message.report_id == models.Report.id,
        message.kind == MailKind.TICKET,
        message.state != MailState.SENT,
    )
    return ~unsent.exists()


def count(session: Session, config: dict[str, Any], now: datetime) -> dict[str, int]:
    """What `purge` would take, by name."""
    counts = {
        rule.name: session.scalar(
            sa.select(sa.func.count()).select_from(rule.model).where(rule.condition)
        )
        or 0
        for rule in rules(config, now)
    }
    query = sa.select(sa.func.count()).select_from(models.Message).where(*_whole(config, now))
    return counts | {"contents of sent mails": session.scalar(query) or 0}


def purge(database: Database, config: dict[str, Any], now: datetime) -> Iterator[tuple[str, int]]:
    """Take it, batch by batch; each time the name and how many went."""
    for rule in rules(config, now):
        while gone := _delete(database, rule):
            yield rule.name, gone
    with database.write() as session:
        old = sa.delete(models.Tally).where(models.Tally.minute < now - DAILY)
        counts = len(session.scalars(old.returning(models.Tally.client)).all())
    if counts:
        yield "counts of clients", counts
    while cut := _cut(database, config, now):
        yield "contents of sent mails", cut


def _delete(database: Database, rule: Rule) -> int:
    (key,) = sa.inspect(rule.model).primary_key
    with database.read() as session:  # to look for them may take longer than to take them away
        keys = session.scalars(sa.select(key).where(rule.condition).limit(BATCH)).all()
    if keys:
        with database.write() as session:
            session.execute(sa.delete(rule.model).where(key.in_(keys), rule.condition))
    return len(keys)


def _whole(config: dict[str, Any], now: datetime) -> tuple[Any, ...]:
    end = now - timedelta(days=config["SENT_MAIL_DAYS"])
    return sa.text(WHOLE), models.Message.sent_at < end


def _cut(database: Database, config: dict[str, Any], now: datetime) -> int:
    with database.write() as session:
        rows = session.scalars(
            sa.select(models.Message).where(*_whole(config, now)).limit(BATCH)
        ).all()
        for row in rows:
            row.content = headers_of(row.content)
            row.cut_at = now
    return len(rows)


def headers_of(content: bytes) -> bytes:
    """The headers of a mail, with the blank line that ends them (RFC 5322, section 2.1)."""
    ends = [(content.find(blank), len(blank)) for blank in (b"\r\n\r\n", b"\n\n")]
    end, length = min(((at, n) for at, n in ends if at >= 0), default=(len(content), 0))
    return content[: end + length]


def daily(app: Flask, now: datetime | None = None) -> None:
    """What a worker does with its time: `purge` once a day, however many workers there are."""
    now = now or datetime.now(UTC)
    database: Database = app.extensions["sqlalchemy"]
    with database.read() as session:
        if not _is_due(session, now):
            return
    with database.write() as session:
        if not _is_due(session, now):
            return
        note_done(session, "purge", now)
    gone: dict[str, int] = {}
    for name, number in purge(database, app.config, now):
        gone[name] = gone.get(name, 0) + number
    if gone:
        log.info("purged", **{name.replace(" ", "_"): number for name, number in gone.items()})


def _is_due(session: Session, now: datetime) -> bool:
    last = session.scalar(sa.select(LastDone.done_at).where(LastDone.name == "purge"))
    return last is None or now - last >= DAILY or last > now + DAILY
