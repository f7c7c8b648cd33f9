"""A session of one transaction."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

Gate = Callable[[], AbstractContextManager[None]]


class Transaction(Session):
    """A session whose one transaction begins with its first statement, and ends by `finish`.

    What is executed on its `connection` goes there straight away. What SQLAlchemy keeps for each
    transaction to follow mapped objects takes as long as a statement: it comes with the first of
    those.
    """

    def __init__(self, engine: sa.Engine, gate: Gate | None = None) -> None:
        super().__init__(engine, expire_on_commit=False)
        self._engine = engine
        self._begun: Connection | None = None
        self._gate = gate  # passed by who turns out to need the database, and not before
        self._passed: AbstractContextManager[None] | None = None
        # By whoever is told of each statement, as a rehearsal is.
        told: Any = engine.dispatch
        self.is_listened_to = bool(told.before_execute or told.before_cursor_execute)

    def get_bind(self, *_of: Any, **_options: Any) -> Connection:
        """Its connection, in the transaction; SQLAlchemy asks for it too, and joins that."""
        if self._begun is None:
            if self._gate:
                passed = self._gate()
                passed.__enter__()
                self._passed = passed
            self._begun = self._engine.connect()
            self._begun.begin()
        return self._begun

    def connection(self, *_of: Any, **_options: Any) -> Connection:
        return super().connection() if self.in_transaction() else self.get_bind()

    def rollback(self) -> None:
        self.close()

    def finish(self) -> None:
        """Commit. Whoever does not comes to `close` alone, which undoes."""
        if self.in_transaction():
            self.commit()  # writes what was changed of objects; the transaction is ours to end
        if self._begun is not None and (begun := self._begun.get_transaction()):
            begun.commit()

    def close(self) -> None:
        try:
            if self.in_transaction() or len(self.identity_map):  # else it had no object
                super().close()
            if self._begun is not None:
                self._begun.close()
                self._begun = None
        finally:
            if self._passed is not None:
                self._passed.__exit__(*sys.exc_info())
                self._passed = None
