"""The engine, its sessions, and what SQLite and PostgreSQL each need.

One `Database` serves web requests and workers alike. Times are stored in UTC and come back
aware; a naive one is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from typing import TypeVar

import sqlalchemy as sa
from flask import Flask, current_app
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from reporter.database import patience, sqlite
from reporter.database.errors import is_damage, is_locked
from reporter.database.glance import Glances
from reporter.database.group_commit import GroupCommit
from reporter.database.locks import Lock, exclusive
from reporter.database.rehearsal import Rehearsal, RehearsalOver, refuse_to_write
from reporter.database.together import Group
from reporter.database.transaction import Transaction
from reporter.database.turn import TURN_SECONDS, Turn
from reporter.database.types import UTCDateTime
from reporter.database.url import driver_url

__all__ = [
    "Database",
    "Lock",
    "RehearsalOver",
    "UTCDateTime",
    "exclusive",
    "get_database",
    "init_app",
]

T = TypeVar("T")

# How long a page waits for a connection to a server.
PLACE_SECONDS = 5


class Database:
    """Engine and sessions for one URL. A SQLite file is there already (`file.create`).

    `foreign_keys=False` is for migrations: a batch migration rebuilds tables, and with foreign
    keys on SQLite would cascade the drop of the old table into its children.
    """

    def __init__(self, url: str, *, foreign_keys: bool = True) -> None:
        at = driver_url(url)
        is_file = at.get_backend_name() == "sqlite"
        self.engine = sa.create_engine(
            at,
            pool_pre_ping=not is_file,  # a file does not hang up
            # The server has more threads than this, for slow clients; most wait for bytes.
            pool_size=8,
            max_overflow=16,
            # To a file they take turns. Of a server that answers each place is soon free.
            pool_timeout=TURN_SECONDS if is_file else PLACE_SECONDS,
            pool_use_lifo=True,  # where few are needed few are used
            hide_parameters=True,  # an error that is logged holds no customer's words
        )
        self.breaker = patience.Breaker(self._ask, TURN_SECONDS if is_file else PLACE_SECONDS)
        self._kept: sqlite.Kept | None = None
        if is_file:
            self._kept = sqlite.prepare(self.engine, foreign_keys=foreign_keys)
        elif foreign_keys:  # a migration may take its time
            from reporter.database import postgresql  # with its driver, which a file does not need

            postgresql.prepare(self.engine, self.breaker)
        # To read, a file that somebody has locked is there all the same.
        self._gate = None if is_file else self.breaker.passed
        self._turn: Turn | None = None
        self._commits: GroupCommit | None = None
        if is_file and at.database:
            self._turn = Turn(f"{at.database}-turn", self.breaker)
            self._commits = GroupCommit(self._turn, self._begin_group, self._session)
        self._read_only = self.engine.execution_options(read_only=True, postgresql_readonly=True)
        # PostgreSQL's read-only transactions refuse locks of rows as well.
        self._rehearsed = self.engine.execution_options(read_only=True)
        sa.event.listen(self._rehearsed, "before_execute", refuse_to_write)

        # What the engine has said of a page that it could not read; it stays said.
        self.damage = ""
        sa.event.listen(self.engine, "handle_error", self._heed)
        # For what a page can do without.
        self.glances = Glances(self.read)

    def examine(self) -> str:
        """Read all of a SQLite file: what is damaged in it, or nothing. PostgreSQL's is its own
        to see to. Raises sqlalchemy.exc.DBAPIError where it cannot even be opened."""
        if self.engine.dialect.name != "sqlite":
            return ""
        with self.read() as session:
            found = str(session.scalar(sa.text("PRAGMA quick_check(1)")))
        if found != "ok":
            self.damage = found.strip().splitlines()[-1]
        return self.damage

    def _heed(self, context: sa.engine.ExceptionContext) -> None:
        self._heed_error(context.original_exception)

    def _heed_error(self, error: BaseException) -> None:
        if is_damage(error):
            self.damage = str(error).strip().splitlines()[0]

    @property
    def engines(self) -> dict[str, sa.Engine]:
        """What Flask-Alembic looks for."""
        return {"default": self.engine}

    @contextmanager
    def write(self) -> Iterator[Session]:
        """One transaction, committed on leaving and rolled back on an error.

        On SQLite it takes the write lock at once: a transaction that reads and then writes
        would otherwise fail with "database is locked" whatever the busy timeout. Nothing is
        rendered or composed inside: everybody else who writes waits for it.
        """
        turn = self._turn.taken() if self._turn else nullcontext()
        with self.breaker.passed(), turn, self._session() as session:
            yield session

    def write_together(self, write: Callable[[Session], T]) -> T:
        """What *write*, which is short and comes often, returns from a transaction like that of
        `write`. On SQLite it shares a commit with those of other threads, and may be called in one
        of them, in this one's context."""
        if self._commits and self._kept and self._kept.has_no_listeners():
            with self.breaker.passed():
                return self._commits.write(write)
        with self.write() as session:
            return write(session)

    @contextmanager
    def _session(self, group: Group | None = None) -> Iterator[Session]:
        with closing(Transaction(self.engine, kept=self._kept, group=group)) as session:
            with self._heeding_locks():
                session.begin_now()
            yield session
            session.finish()

    def _begin_group(self) -> Group:
        assert self._kept
        with self._heeding_locks():
            return Group(self.engine, self._kept, self._heed_error)

    @contextmanager
    def _heeding_locks(self) -> Iterator[None]:
        try:
            yield
        except OperationalError as error:
            if is_locked(error):
                self.breaker.open()
            raise

    @contextmanager
    def read(self) -> Iterator[Session]:
        """One read-only transaction: a consistent view that never waits for a writer."""
        with closing(Transaction(self._read_only, self._gate, self._kept)) as session:
            yield session
            session.finish()

    @contextmanager
    def rehearse(self) -> Iterator[Session]:
        """A transaction in which a change can be tried: nothing of it is kept, and on SQLite it
        waits for nobody who writes. Raises RehearsalOver, see `Rehearsal`."""
        with closing(Rehearsal(self._rehearsed, self._gate)) as session:
            yield session

    def _ask(self) -> None:
        """Whether it answers, without a turn and without a place of the pool. Raises if not.

        A no at once is an answer, as of a server that has no place for one more: pages have the
        connections of before, and whoever has none is told no as soon.
        """
        if self.engine.dialect.name == "sqlite":
            with self.engine.begin():
                pass
        else:
            from reporter.database import postgresql

            postgresql.ask(self.engine)

    def transaction(self, *, writes: bool) -> AbstractContextManager[Session]:
        """The one transaction of a view: to write, or only to read."""
        return self.write() if writes else self.read()

    def close(self) -> None:
        if self._kept:
            self._kept.close()
        self.engine.dispose()
        if self._turn:
            self._turn.close()


def init_app(app: Flask) -> None:
    app.extensions["sqlalchemy"] = Database(app.config["DATABASE_URL"])


def get_database() -> Database:
    """The current application's database."""
    database: Database = current_app.extensions["sqlalchemy"]
    return database
