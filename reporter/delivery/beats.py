"""Beats: each worker says every few seconds that it lives, where everybody else can read it.

Whoever is alive (the web half, another worker, a command run by a monitor) can so tell that no
worker is: `beats(session, now)` is empty then.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version

import sqlalchemy as sa
from sqlalchemy.orm import Session

from reporter.delivery.clock import SLACK
from reporter.delivery.processes import process_name
from reporter.models import Beat

BEAT_SECONDS = 5.0
# A worker that has not been heard of for so long counts as gone: several beats, and a pause of the
# database between two of them.
GONE_SECONDS = 30.0
# How long the row of one that is gone is kept, so that one can see when the last of them lived.
KEPT = timedelta(days=1)


@dataclass(frozen=True)
class Worker:
    """Who beats: one worker of one process."""

    name: str
    host: str
    version: str
    started_at: datetime

    @classmethod
    def here(cls, started_at: datetime) -> Worker:
        return cls(process_name(), socket.gethostname(), version("incident-reporter"), started_at)


def beat(session: Session, worker: Worker, now: datetime) -> None:
    """Say that *worker* lives. *now* is by the clock that the workers share."""
    values = {
        "host": worker.host,
        "version": worker.version,
        "started_at": worker.started_at,
        "beat_at": now,
        "clock_at": datetime.now(UTC),
    }
    known = session.execute(sa.update(Beat).where(Beat.name == worker.name).values(values))
    if not known.rowcount:  # type: ignore[attr-defined]  # of a statement that changes rows
        session.add(Beat(name=worker.name, **values))
    session.execute(sa.delete(Beat).where(Beat.beat_at < now - KEPT))


def end(session: Session, worker: Worker) -> None:
    """Take the beat of a worker away that ends in order."""
    session.execute(sa.delete(Beat).where(Beat.name == worker.name))


def beats(session: Session, now: datetime) -> Sequence[Beat]:
    """The workers that live, the latest first; none when nothing will be sent.

    *now* is by the clock that the workers share. A beat from far ahead of it is one of before that
    clock was set back, and tells nothing.
    """
    alive = Beat.beat_at.between(now - timedelta(seconds=GONE_SECONDS), now + SLACK)
    return session.scalars(sa.select(Beat).where(alive).order_by(Beat.beat_at.desc())).all()


def last_beat_at(session: Session) -> datetime | None:
    """When a worker was last heard of, be it gone; None where none was in the last day."""
    return session.scalar(sa.select(sa.func.max(Beat.beat_at)))


def skew_seconds(beat: Beat) -> float:
    """How far the clock of a worker's machine is ahead of the shared one."""
    return (beat.clock_at - beat.beat_at).total_seconds()
