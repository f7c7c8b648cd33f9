"""A change that is tried before it is made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.engine import Connection

from reporter.database.transaction import Transaction


class RehearsalOver(Exception):
    """A rehearsal has come to what only a transaction that writes can do."""


class Rehearsal(Transaction):
    """A session that reads, and forgets what it is told to write.

    What is added or changed is never flushed, so it has no id and no query finds it. A statement
    that would write raises RehearsalOver.
    """

    def flush(self, objects: Sequence[Any] | None = None) -> None:
        """Nothing is written."""


def refuse_to_write(_connection: Connection, statement: Any, *_of: Any) -> None:
    """Of every statement of a rehearsal, however it is executed. One that reads and then writes
    takes SQLite's lock out of turn, and fails where somebody else has written meanwhile."""
    if getattr(statement, "is_dml", False):
        raise RehearsalOver
