"""Whether a report can be kept: found out by keeping something."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session

from reporter.database import Database, Lock, at_work, exclusive
from reporter.database import file as database_file
from reporter.formats.text import one_line
from reporter.models import LastDone
from reporter.operations.terminal import megabytes

MIGRATIONS = Path(__file__).parents[1] / "migrations"
FRESH_SECONDS = 3.0
PATIENCE_SECONDS = 5.0
DISK_FULL = "53100"  # PostgreSQL's
NEWER = "has the tables of a newer version of this program: install that one again"


@dataclass(frozen=True)
class Finding:
    """Something that is wrong: its name for programs, and a line for the operator.

    The line names the database, without its password; it is not for everybody.
    """

    key: str
    words: str


class Readiness:
    """`examine` for however many ask: once every few seconds, the others get what was found."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.lock = threading.Lock()
        self.examined_at: float | None = None
        self.found: Finding | None = None

    def look(self) -> Finding | None:
        """What keeps a report from being kept now; None when nothing does."""
        with at_work.aside():
            return self._look()

    def _look(self) -> Finding | None:
        if not self.lock.acquire(timeout=PATIENCE_SECONDS):
            return Finding("database", "the database does not answer")
        try:
            now = time.monotonic()
            if self.examined_at is None or now - self.examined_at >= FRESH_SECONDS:
                self.found = examine(self.app)
                self.examined_at = time.monotonic()
            return self.found
        finally:
            self.lock.release()


def examine(app: Flask) -> Finding | None:
    """What keeps a report from being kept now; None when nothing does. It writes a row."""
    url: str = app.config["DATABASE_URL"]
    database: Database = app.extensions["sqlalchemy"]
    shown = database_file.shown(url)
    if missing := not_there(url):
        return Finding("database", missing)
    free = database_file.free_bytes(url)
    if free is not None and free < database_file.LAST_BYTES:
        return Finding(
            "disk", f"{shown}: its disk has {megabytes(free)} left, too few for a report"
        )
    try:
        with database.write() as session:
            if is_newer(session):
                return Finding("migrations", f"{shown} {NEWER}")
            if not _is_at_head(session):
                words = f"{shown} has not the tables of this version: reporter db upgrade"
                return Finding("migrations", words)
            note_done(session, "readyz", datetime.now(UTC))
    except SQLAlchemyError as error:
        return Finding(_key(error), f"{shown}: {reason(error)}")
    return None


def _key(error: SQLAlchemyError) -> str:
    """A server's disk is none of ours to look at: it says itself that it is full."""
    said = error.orig if isinstance(error, DBAPIError) else None
    return "disk" if getattr(said, "sqlstate", None) == DISK_FULL else "database"


def not_there(url: str) -> str:
    """That a SQLite file is not there, and how to make it; else nothing."""
    file = database_file.file_of(url)
    if file is None or file.exists():
        return ""
    return f"{database_file.shown(url)} does not exist. To make it: reporter db upgrade"


def is_newer(session: Session) -> bool:
    """Whether a later version has made the tables: there is no way back for them."""
    return bool(_found(session) - migrations()[0])


def _is_at_head(session: Session) -> bool:
    return _found(session) == migrations()[1]


def _found(session: Session) -> set[str]:
    """The migrations that the database says it has had last."""
    connection = session.connection()
    if not sa.inspect(connection).has_table("alembic_version"):
        return set()
    return set(connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalars())


@cache
def migrations() -> tuple[set[str], set[str]]:
    """Those of this version, and the last of them: the one that none comes after.

    Read from the files, as Alembic takes as long to load as half of a command does to run.
    """
    revisions, before = set(), set()
    for file in MIGRATIONS.glob("[0-9]*.py"):
        text = file.read_text(encoding="utf-8")
        revisions |= set(re.findall(r'^revision = "(.+)"$', text, re.MULTILINE))
        before |= set(re.findall(r'^down_revision = "(.+)"$', text, re.MULTILINE))
    return revisions, revisions - before


def note_done(session: Session, name: str, at: datetime) -> None:
    """Keep when something was last done."""
    exclusive(session, Lock.DONE, name)
    known = session.execute(sa.update(LastDone).where(LastDone.name == name).values(done_at=at))
    if not known.rowcount:  # type: ignore[attr-defined]  # of a statement that changes rows
        session.add(LastDone(name=name, done_at=at))


def reason(error: SQLAlchemyError) -> str:
    """What a database said, in one line, without a statement or its values."""
    said = error.orig if isinstance(error, DBAPIError) else error
    return one_line(str(said).strip().splitlines()[0]) if str(said).strip() else type(said).__name__
