"""What each connection to a SQLite file needs."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import PoolProxiedConnection, QueuePool

from reporter.database import file as database_file

# After which somebody else has SQLite's lock for good: ours take turns.
BUSY_TIMEOUT_SECONDS = 5
# Of each connection to a SQLite file, of which a process has many. The system keeps the file too.
CACHE_KIB = 512
# Connections that wait for the next transaction beside the pool; and how many of the pool's places
# may be taken then, so that nobody waits for one of these.
KEPT, TAKEN = 6, 12


class Lent(NamedTuple):
    """A connection with its transaction begun."""

    driver: sqlite3.Connection
    of_pool: PoolProxiedConnection


class Kept:
    """Connections that one transaction after the other has, as the pool's own books for each loan
    take longer than most statements."""

    def __init__(self, engine: sa.Engine, file: Path | None, opened: list[tuple[int, int]]) -> None:
        self._pool = cast(QueuePool, engine.pool)
        self._told: Any = engine.dispatch
        self._file, self._opened = file, opened
        self._idle: list[Lent] = []

    def has_no_listeners(self) -> bool:
        """Whether nobody is told of transactions and statements but us, who begin them."""
        told = self._told
        return not (
            told.before_execute
            or told.before_cursor_execute
            or told.commit
            or told.rollback
            or len(told.begin) > 1
        )

    def lend(self, engine: sa.Engine) -> Lent:
        """One with its transaction begun as the *engine* has it. Raises OperationalError."""
        lent = self._taken() or _open(engine)
        try:
            check_is_still(self._file, self._opened)
            begin(lent.driver, engine.get_execution_options())
        except OperationalError:
            lent.of_pool.close()
            raise
        return lent

    def _taken(self) -> Lent | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def take_back(self, lent: Lent) -> None:
        is_over = not lent.driver.in_transaction
        if is_over and len(self._idle) < KEPT and self._pool.checkedout() <= TAKEN:
            self._idle.append(lent)
        else:
            lent.of_pool.close()  # which undoes

    def close(self) -> None:
        while self._idle:
            self._idle.pop().of_pool.close()


def prepare(engine: sa.Engine, *, foreign_keys: bool) -> Kept:
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
        # What it keeps of pages to undo a part (`together`), where there may be no room for a file.
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        connection.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")
        if file and not opened:
            opened.append(database_file.identity(file))

    @sa.event.listens_for(engine, "checkout")
    def look(connection: sqlite3.Connection, record: Any, proxy: Any) -> None:
        check_is_still(file, opened)

    @sa.event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        driver: Any = connection.connection.driver_connection
        begin(driver, connection.get_execution_options())

    return Kept(engine, file, opened)


def _open(engine: sa.Engine) -> Lent:
    of_pool = engine.connect()._dbapi_connection  # its errors are SQLAlchemy's
    assert of_pool is not None
    return Lent(cast(sqlite3.Connection, of_pool.driver_connection), of_pool)


def begin(driver: sqlite3.Connection, options: Mapping[str, Any]) -> None:
    """Of the driver's own, as it is for each page and needs nothing of what SQLAlchemy adds.
    Raises OperationalError."""
    statement = "BEGIN DEFERRED" if options.get("read_only", False) else "BEGIN IMMEDIATE"
    try:
        driver.execute(statement)
    except sqlite3.Error as error:
        raise OperationalError(statement, None, error) from error


def check_is_still(file: Path | None, opened: list[tuple[int, int]]) -> None:
    """What is written to a file that was deleted or replaced is lost with it."""
    if file and not _is_still(file, opened[0]):
        words = f"{file} was deleted or replaced while it was open: restart web and worker"
        raise OperationalError("", None, sqlite3.OperationalError(words))


def _is_still(file: Path, opened: tuple[int, int]) -> bool:
    try:
        return database_file.identity(file) == opened
    except OSError:
        return False
