"""What each connection to a SQLite file needs."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError

from reporter.database import file as database_file

# After which somebody else has SQLite's lock for good: ours take turns.
BUSY_TIMEOUT_SECONDS = 5
# Of each connection to a SQLite file, of which a process has many. The system keeps the file too.
CACHE_KIB = 512


def prepare(engine: sa.Engine, *, foreign_keys: bool) -> None:
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
