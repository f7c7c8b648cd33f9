"""What several threads of a process write to a SQLite file, committed as one (`group_commit`)."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from reporter.database.sqlite import Kept, Lent

# Of one transaction, and how long it stays open to another: the other processes wait meanwhile.
PARTS = 8
OPEN_SECONDS = 0.02


class Group:
    """A transaction with parts, one after the other, each kept or undone by itself."""

    def __init__(
        self, engine: sa.Engine, kept: Kept, heed: Callable[[sqlite3.Error], None]
    ) -> None:
        """*heed* is told why it was not committed. Raises OperationalError where none can be
        begun."""
        self._kept, self._heed = kept, heed
        self._lent = kept.lend(engine)
        self._parts = 0
        self._open_until = time.monotonic() + OPEN_SECONDS
        self._is_committed = False
        self._error: sqlite3.Error | None = None

    @property
    def is_full(self) -> bool:
        """Whether it is to be committed now, whoever waits."""
        return bool(self._error or self._parts >= PARTS or time.monotonic() > self._open_until)

    def begin_part(self) -> Lent:
        """The connection that all parts have."""
        if self._parts:  # the first one is all of the transaction, and is undone with it
            self._say("SAVEPOINT part")
        return self._lent

    def keep_part(self) -> None:
        if self._parts:
            self._say("RELEASE part")
        self._parts += 1

    def undo_part(self) -> None:
        """Undo what was written since `begin_part`. Where SQLite has undone all of the transaction
        by itself, as on a full disk, there is no such part, and nothing to commit."""
        try:
            if self._parts:
                self._lent.driver.execute("ROLLBACK TO part")
                self._lent.driver.execute("RELEASE part")
            else:
                self._lent.driver.rollback()
                self._lent.driver.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            self._error = error

    def commit(self) -> None:
        """All parts that were kept."""
        try:
            if self._parts and not self._error and self._lent.driver.in_transaction:
                self._lent.driver.commit()
                self._is_committed = True
        except sqlite3.Error as error:
            self._error = error
            self._heed(error)
        finally:
            self._kept.take_back(self._lent)  # and what is not committed is undone

    def failure(self) -> OperationalError | None:
        """Why parts that were kept were not committed; another one each time, as each thread that
        raises one writes to it."""
        if not self._parts or self._is_committed:
            return None
        error = self._error or RuntimeError("it was not committed")
        return OperationalError("COMMIT", None, error)

    def _say(self, statement: str) -> None:
        try:
            self._lent.driver.execute(statement)
        except sqlite3.Error as error:
            raise OperationalError(statement, None, error) from error
