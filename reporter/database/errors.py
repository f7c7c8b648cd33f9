"""What an error of a database's driver means."""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import OperationalError


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
