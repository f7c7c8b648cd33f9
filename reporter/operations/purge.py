"""What is older than the settings say (`retention`) goes, a little at a time.

Nothing here holds the write lock for long.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
import structlog
from flask import Flask
from sqlalchemy.orm import Session

from reporter import models
from reporter.database import Database
from reporter.models import LastDone
from reporter.operations.condition import note_done
from reporter.operations.retention import Rule, length_of_mail, rules, whole_mails

# Rows of one transaction, and bytes of those that are large: others write in between.
BATCH = 50
BATCH_BYTES = 8 * 2**20
DAILY = timedelta(days=1)

log = structlog.get_logger(__name__)


def count(session: Session, config: dict[str, Any], now: datetime) -> dict[str, int]:
    """What `purge` would take, by name."""
    counts = {
        rule.name: session.scalar(
            sa.select(sa.func.count()).select_from(rule.model).where(rule.condition)
        )
        or 0
        for rule in rules(config, now)
    }
    query = sa.select(sa.func.count()).select_from(models.Message).where(*whole_mails(config, now))
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


def _cut(database: Database, config: dict[str, Any], now: datetime) -> int:
    message, conditions = models.Message, whole_mails(config, now)
    with database.read() as session:
        keys = _batch(session, message.id, length_of_mail(), *conditions)
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
