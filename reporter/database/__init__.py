"""The engine, its sessions, and what SQLite and PostgreSQL each need.

One `Database` serves web requests and workers alike. Times are stored in UTC and come back
aware; a naive one is refused.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask, current_app
from sqlalchemy.engine import Connection, Dialect, make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import ORMExecuteState, Session, sessionmaker
from sqlalchemy.types import TypeDecorator

from reporter.database import file as database_file
from reporter.database import patience
from reporter.database.glance import Glances

# After which somebody else has SQLite's lock for good: ours take turns.
BUSY_TIMEOUT_SECONDS = 5
# Of each connection to a SQLite file, of which a process has many. The system keeps the file too.
CACHE_KIB = 512
# How long a page waits for a place among many that write at once; and for a connection to a server.
TURN_SECONDS = 60
PLACE_SECONDS = 5
LOOK_UP_SECONDS = 0.5  # how often who waits for a turn looks whether it will come


class UTCDateTime(TypeDecorator[datetime]):
    """An aware time, kept in UTC. Raises ValueError for a naive one."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a time without a zone cannot be stored: {value!r}")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        # SQLite keeps no zone; PostgreSQL answers in the zone of its session.
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class RehearsalOver(Exception):
    """A rehearsal has come to what only a transaction that writes can do."""


class Rehearsal(Session):
    """A session that reads, and forgets what it is told to write.

    What is added or changed is never flushed, so it has no id and no query finds it. A statement
    that would write raises RehearsalOver.
    """

    def flush(self, objects: Sequence[Any] | None = None) -> None:
        """Nothing is written."""


@sa.event.listens_for(Rehearsal, "do_orm_execute")
def _end_rehearsal(state: ORMExecuteState) -> None:
    if state.is_insert or state.is_update or state.is_delete:
        raise RehearsalOver


class Turn:
    """Whose turn it is to write to a SQLite file, among the threads and processes of one machine.

    SQLite's own lock is polled, and whoever polls may find it taken again each time: the slowest of
    many writers waited fifty times as long as most. Here each process sends one thread at a time,
    and a process that has written waits behind the one that stands at the door. It is a courtesy:
    that two never write at once is SQLite's to see to, so whoever has waited for long enough goes
    on without, and what ends a process ends its turn.
    """

    DOOR, ROOM = 0, 1  # bytes of the file that are locked

    def __init__(self, path: str, breaker: patience.Breaker) -> None:
        self.path = path
        self.breaker = breaker
        self.inside = threading.Lock()
        self.file: tuple[int, int] | None = None  # process, descriptor
        self.moved_at = 0.0  # when somebody of this process came in or went out

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Raises patience.NotAnswering for a page, once nobody's turn comes."""
        waited = self._wait()
        file = self._enter() if waited else None
        try:
            self.breaker.check()
            yield
        finally:
            if file is not None:
                fcntl.lockf(file, fcntl.LOCK_UN, 1, self.ROOM)
            if waited:
                self.moved_at = time.monotonic()
                self.inside.release()

    def _wait(self) -> bool:
        """Whether our turn came."""
        end = time.monotonic() + TURN_SECONDS
        while not self.inside.acquire(timeout=LOOK_UP_SECONDS):
            now = time.monotonic()
            if now > end:
                return False
            if now - self.moved_at > BUSY_TIMEOUT_SECONDS:  # whoever is inside waits for another
                self.breaker.open()
            self.breaker.check()
        self.moved_at = time.monotonic()
        return True

    def close(self) -> None:
        if self.file and self.file[0] == os.getpid():
            os.close(self.file[1])
        self.file = None

    def _enter(self) -> int | None:
        """The file, locked; None where it cannot be, as on a disk that is full."""
        try:
            if self.file is None or self.file[0] != os.getpid():  # a child opens its own
                flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
                self.file = os.getpid(), os.open(self.path, flags, 0o600)
            file = self.file[1]
            fcntl.lockf(file, fcntl.LOCK_EX, 1, self.DOOR)
            fcntl.lockf(file, fcntl.LOCK_EX, 1, self.ROOM)
            fcntl.lockf(file, fcntl.LOCK_UN, 1, self.DOOR)
        except OSError:
            return None
        return file


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
        self.breaker = patience.Breaker(self._ask)
        if is_file:
            _prepare_sqlite(self.engine, foreign_keys=foreign_keys)
        elif foreign_keys:  # a migration may take its time
            _prepare_postgresql(self.engine, self.breaker)
        turns = is_file and at.database
        self._turn = Turn(f"{at.database}-turn", self.breaker) if turns else None
        self._writing = sessionmaker(self.engine, expire_on_commit=False)
        self._reading = sessionmaker(
            self.engine.execution_options(read_only=True, postgresql_readonly=True),
            expire_on_commit=False,
        )
        # PostgreSQL's read-only transactions refuse locks of rows as well.
        self._rehearsing = sessionmaker(
            self.engine.execution_options(read_only=True), class_=Rehearsal, expire_on_commit=False
        )

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
        if is_damage(context.original_exception):
            self.damage = str(context.original_exception).strip().splitlines()[0]

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
        with self.breaker.passed(), turn, self._writing.begin() as session:
            try:
                session.connection()  # begins now, and not at the first statement
            except OperationalError as error:
                if is_locked(error):
                    self.breaker.open()
                raise
            yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        """One read-only transaction: a consistent view that never waits for a writer."""
        with self._reached(), self._reading.begin() as session:
            yield session

    @contextmanager
    def rehearse(self) -> Iterator[Session]:
        """A transaction in which a change can be tried: nothing of it is kept, and on SQLite it
        waits for nobody who writes. Raises RehearsalOver, see `Rehearsal`."""
        with self._reached(), self._rehearsing() as session:  # closed, and rolled back, at its end
            yield session

    def _reached(self) -> AbstractContextManager[None]:
        """To read, a file that somebody has locked is there all the same."""
        return nullcontext() if self.engine.dialect.name == "sqlite" else self.breaker.passed()

    def _ask(self) -> None:
        """Whether it answers, without a turn and without a place of the pool. Raises if not."""
        if self.engine.dialect.name == "sqlite":
            with self._writing.begin() as session:
                session.connection()
        else:
            from reporter.database import postgresql

            arguments, options = self.engine.dialect.create_connect_args(self.engine.url)
            postgresql.connect(*arguments, **options).close()

    def transaction(self, *, writes: bool) -> AbstractContextManager[Session]:
        """The one transaction of a view: to write, or only to read."""
        return self.write() if writes else self.read()

    def close(self) -> None:
        self.engine.dispose()
        if self._turn:
            self._turn.close()


def init_app(app: Flask) -> None:
    app.extensions["sqlalchemy"] = Database(app.config["DATABASE_URL"])


def get_database() -> Database:
    """The current application's database."""
    database: Database = current_app.extensions["sqlalchemy"]
    return database


class Lock(StrEnum):
    """What is locked by name. A lock of a kind may be of one thing, named by its id."""

    DRAFT = "draft"
    REPORT = "report"
    FILES = "files"  # of one report
    ACKNOWLEDGEMENT = "acknowledgement"  # to one mailbox
    SURGE = "surge"  # of one service
    NOTICE = "notice"
    NOTICES = "notices"  # all of them
    ALARMS = "alarms"
    STAFF = "staff"
    QUOTA = "quota"  # of one client


def exclusive(session: Session, lock: Lock, of: str | int = "") -> None:
    """Hold *lock* until the transaction ends.

    On SQLite a write transaction excludes every other already.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext(f"{lock} {of}"))))


def driver_url(url: str) -> sa.URL:
    """The URL with the driver we ship. Raises sqlalchemy.exc.ArgumentError when it is no URL."""
    parsed = make_url(url)
    if parsed.drivername in {"postgresql", "postgres"}:
        return parsed.set(drivername="postgresql+psycopg")
    return parsed


def is_damage(error: BaseException) -> bool:
    """Whether a database says that what it keeps is damaged (SQLite's result codes, PostgreSQL's
    class XX001 and after)."""
    code = getattr(error, "sqlite_errorcode", None)
    if isinstance(code, int):  # the last byte, under what tells more of it
        return code & 0xFF in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
    return getattr(error, "sqlstate", None) in {"XX001", "XX002"}


def is_locked(error: OperationalError) -> bool:
    """Whether somebody else has a SQLite file's lock."""
    code = getattr(error.orig, "sqlite_errorcode", 0)
    return bool(code & 0xFF == sqlite3.SQLITE_BUSY)


def _prepare_sqlite(engine: sa.Engine, *, foreign_keys: bool) -> None:
    file = database_file.file_of(engine.url.render_as_string(hide_password=False))
    opened: list[tuple[int, int]] = []  # which file the first connection has opened

    @sa.event.listens_for(engine, "do_connect")
    def open_file(dialect: Any, record: Any, arguments: list[Any], options: dict[str, Any]) -> None:
        """Only what is there: an empty one would be made else, without a word."""
        if file:
            arguments[:] = [f"{file.as_uri()}?mode=rw"]
            options["uri"] = True

    @sa.event.listens_for(engine, "connect")
    def connect(connection: sqlite3.Connection, record: Any) -> None:
        # Transactions are begun by the listener below, not by the driver.
        connection.isolation_level = None
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_SECONDS * 1000}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        connection.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")
        if file and not opened:
            opened.append(database_file.identity(file))

    @sa.event.listens_for(engine, "checkout")
    def look(connection: sqlite3.Connection, record: Any, proxy: Any) -> None:
        """What is written to a file that was deleted or replaced is lost with it."""
        if file and not _is_still(file, opened[0]):
            words = f"{file} was deleted or replaced while it was open: restart web and worker"
            raise OperationalError("", None, sqlite3.OperationalError(words))

    @sa.event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        read_only = connection.get_execution_options().get("read_only", False)
        statement = "BEGIN DEFERRED" if read_only else "BEGIN IMMEDIATE"
        # Of the driver's own, as it is for each page and needs nothing of what SQLAlchemy adds.
        driver: Any = connection.connection.driver_connection
        try:
            driver.execute(statement)
        except sqlite3.Error as error:
            raise OperationalError(statement, None, error) from error


def _is_still(file: Path, opened: tuple[int, int]) -> bool:
    try:
        return database_file.identity(file) == opened
    except OSError:
        return False


def _prepare_postgresql(engine: sa.Engine, breaker: patience.Breaker) -> None:
    from reporter.database import postgresql  # with its driver, which a file does not need

    @sa.event.listens_for(engine, "do_connect")
    def connect(dialect: Any, record: Any, arguments: list[Any], options: dict[str, Any]) -> Any:
        breaker.check()
        try:
            return postgresql.connect(*arguments, **options)
        except postgresql.Silence:
            breaker.open()
            raise

    @sa.event.listens_for(engine, "checkin")
    def doubt(connection: Any, record: Any) -> None:
        if connection:
            connection.is_idle = True
