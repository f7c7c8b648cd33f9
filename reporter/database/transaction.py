"""A session of one transaction."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, NoReturn, cast

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from reporter.database.sqlite import Kept, Lent
from reporter.database.together import Group

Gate = Callable[[], AbstractContextManager[None]]


class Transaction(Session):
    """A session whose one transaction begins with its first statement, and ends by `finish`.

    What SQLAlchemy keeps for each session to follow mapped objects takes as long as a statement,
    and so does what it keeps for each transaction: both come with the first statement that needs
    them. Until then one of SQLite's is its driver's alone, on a connection of *kept*. With a
    *group* it is a part of that one's transaction, and is committed with it.
    """

    def __init__(
        self,
        engine: sa.Engine,
        gate: Gate | None = None,
        kept: Kept | None = None,
        group: Group | None = None,
    ) -> None:
        self._engine = engine
        self.dialect = engine.dialect
        self._has_books = False
        self._lent: Lent | None = None
        self._begun: Connection | None = None
        self._gate = gate  # passed by who turns out to need the database, and not before
        self._passed: AbstractContextManager[None] | None = None
        self._kept = kept if kept and kept.has_no_listeners() else None
        self._group = group
        told: Any = engine.dispatch
        # By whoever is told of each statement, as a rehearsal is.
        self.is_listened_to = self._kept is None and bool(
            told.before_execute or told.before_cursor_execute
        )

    def __getattr__(self, name: str) -> Any:
        """Of SQLAlchemy's books, which are not there yet."""
        if self._has_books:
            raise AttributeError(name)
        self._has_books = True
        super().__init__(
            self._engine,
            expire_on_commit=False,
            # What fails in a group is undone by itself.
            join_transaction_mode="create_savepoint" if self._group else "conditional_savepoint",
        )
        return getattr(self, name)

    def begin_now(self) -> None:
        """And not at the first statement. Raises sqlalchemy.exc.DBAPIError."""
        if self._begun or self._lent:
            return
        if self._gate:
            passed = self._gate()
            passed.__enter__()
            self._passed = passed
        if self._group:
            self._lent = self._group.begin_part()
        elif self._kept:
            self._lent = self._kept.lend(self._engine)
        else:
            self._begun = self._engine.connect()
            self._begun.begin()

    def get_bind(self, *_of: Any, **_options: Any) -> Connection:
        """Its connection, in the transaction; SQLAlchemy asks for it too, and joins that."""
        if self._begun is None:
            self.begin_now()
            if self._lent:  # which has its transaction already
                self._begun = Connection(self._engine, self._lent.of_pool, _has_events=False)
                self._begun.begin()
        return cast(Connection, self._begun)

    def connection(self, *_of: Any, **_options: Any) -> Connection:
        if self._has_books and self.in_transaction():
            return super().connection()
        return self.get_bind()

    def cursor(self) -> Any:
        """Of the driver, in the transaction."""
        self.begin_now()
        if self._lent:
            return self._lent.driver.cursor()
        return self.connection().connection.cursor()

    def fail(self, error: Exception, statement: str, values: Any = None) -> NoReturn:
        """Raise the driver's *error* as SQLAlchemy does."""
        self.connection()._handle_dbapi_exception(error, statement, values, None, None)

    def flush(self, objects: Sequence[Any] | None = None) -> None:
        if self._has_books:
            super().flush(objects)

    def rollback(self) -> None:
        self.close()

    def finish(self) -> None:
        """Commit. Whoever does not comes to `close` alone, which undoes."""
        if self._has_books and self.in_transaction():
            self.commit()  # writes what was changed of objects; the transaction is ours to end
        if self._group:
            if self._lent:
                self._group.keep_part()
            self._lent = self._begun = None
        elif self._begun is not None:
            if begun := self._begun.get_transaction():
                begun.commit()
        elif self._lent:
            try:
                self._lent.driver.commit()
            except Exception as error:
                self.fail(error, "COMMIT")

    def close(self) -> None:
        try:
            if self._has_books and (self.in_transaction() or len(self.identity_map)):
                self._close_books()
            if self._lent and self._group:
                self._group.undo_part()
            elif self._lent and self._kept:
                self._kept.take_back(self._lent)
            elif self._begun is not None:
                self._begun.close()
            self._begun = self._lent = None
        finally:
            if self._passed is not None:
                self._passed.__exit__(*sys.exc_info())
                self._passed = None

    def _close_books(self) -> None:
        try:
            super().close()
        except DBAPIError:
            if self._group is None:
                raise
            # SQLite has undone the whole transaction by itself, which its group finds out.


def is_postgresql(session: Session) -> bool:
    return cast(Transaction, session).dialect.name == "postgresql"
