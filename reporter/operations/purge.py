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

# Rows of one transaction, and bytes of those that are large: others write in between.
BATCH = 50
BATCH_BYTES = 8 * 2**20
DAILY = timedelta(days=1)

log = structlog.get_logger(__name__)

Condition = sa.ColumnElement[bool]


@dataclass(frozen=True)
class Rule:
    """What goes: rows of *model* for which *condition* holds."""

    name: str
    model: Any
    condition: Condition
    weight: sa.SQLColumnExpression[int] | None = None  # of a row, where one may be large


def rules(config: dict[str, Any], now: datetime) -> list[Rule]:
    """Each thing that is kept for a time, in the order in which it goes."""
    old = now - timedelta(days=config["RETENTION_DAYS"])
    draft_end = now - timedelta(days=config["DRAFT_DAYS"])
    report, message, file = models.Report, models.Message, models.Attachment
    mailed, filed = _length(), file.size
    return [
        Rule(
            "drafts",
            models.Draft,
            models.Draft.updated_at < draft_end,
            _all_of(filed, file.draft_id, models.Draft.id),
        ),
        Rule(
            "files that were never sent",
            file,
            sa.and_(file.number.is_(None), file.created_at < draft_end),
            filed,
        ),
        Rule(
            "reports",
            report,
            sa.and_(
                sa.or_(report.saved_at < old, report.erase_wanted.is_(True)),
                ticket_is_sent(),
            ),
            _all_of(mailed, message.report_id) + _all_of(filed, file.report_id),
        ),
        Rule(
            "mails of no report",
            message,
            sa.and_(message.report_id.is_(None), message.created_at < old),
            mailed,
        ),
        Rule("mails and calls heard once", models.HeardOnce, models.HeardOnce.heard_at < old),
        Rule("known incidents", models.Notice, models.Notice.closed_at < old),
        Rule("surges", models.Surge, models.Surge.last_at < old),
        Rule("sessions of support", models.StaffSession, models.StaffSession.expires_at < now),
        Rule("one-time links", models.StaffLink, models.StaffLink.expires_at < now),
    ]


def _all_of(size: Any, whose: Any, of: Any = models.Report.id) -> sa.ColumnElement[int]:
    """The bytes of what hangs on a row."""
    return sa.func.coalesce(
        sa.select(sa.func.sum(size)).where(whose == of).correlate(of.table).scalar_subquery(), 0
    )


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
        keys = _batch(session, key, rule.weight, rule.condition)
    if keys:
        with database.write() as session:
            session.execute(sa.delete(rule.model).where(key.in_(keys), rule.condition))
    return len(keys)


def _batch(session: Session, key: Any, weight: Any, *conditions: Any) -> list[Any]:
    """The keys of what goes next: BATCH rows at most, and BATCH_BYTES, or one."""
    size = sa.literal(0) if weight is None else weight
    keys: list[Any] = []
    room = BATCH_BYTES
    for found, bytes_ in session.execute(sa.select(key, size).where(*conditions).limit(BATCH)):
        room -= bytes_
        if keys and room < 0:
            break
        keys.append(found)
    return keys


def _length() -> sa.ColumnElement[int]:
    """Of a mail, with what it was before a lesser form of it."""
    message = models.Message
    whole = sa.func.coalesce(sa.func.length(message.whole), 0)
    return sa.func.length(message.content) + whole


def _whole(config: dict[str, Any], now: datetime) -> tuple[Any, ...]:
    end = now - timedelta(days=config["SENT_MAIL_DAYS"])
    return sa.text(WHOLE), models.Message.sent_at < end


def _cut(database: Database, config: dict[str, Any], now: datetime) -> int:
    message, conditions = models.Message, _whole(config, now)
    with database.read() as session:
        keys = _batch(session, message.id, _length(), *conditions)
        query = sa.select(message.id, message.content).where(message.id.in_(keys))
        heads = {key: headers_of(content) for key, content in session.execute(query)}
    if heads:
        with database.write() as session:
            for key, head in heads.items():
                cut = sa.update(message).where(message.id == key, *conditions)
                session.execute(cut.values(content=head, whole=None, cut_at=now))
    return len(heads)


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
