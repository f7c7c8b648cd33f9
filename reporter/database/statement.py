"""Statements that are put into the database's words once, and handed to its driver from then on.

For each execution SQLAlchemy finds a statement's text by its parts, and makes a context and a
result: for what looks at an index that is most of the time, and on SQLite whoever writes waits for
it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy.engine import Dialect
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

from reporter.database.transaction import Transaction

Values = Mapping[str, Any]
Rows = list[tuple[Any, ...]]


@dataclass(frozen=True)
class _Written:
    """A statement in one database's words."""

    text: str
    order: Sequence[str] | None  # of the values; None where the text names them
    given: Values  # what it says itself
    to_driver: Sequence[tuple[str, Callable[[Any], Any]]]
    from_driver: Sequence[tuple[int, Callable[[Any], Any]]]

    def bind(self, values: Values) -> Any:
        """*values* as the driver has them."""
        bound = {**self.given, **values}
        for name, convert in self.to_driver:
            bound[name] = convert(bound[name])
        return bound if self.order is None else [bound[name] for name in self.order]

    def read(self, rows: Rows) -> Rows:
        if not self.from_driver:
            return rows
        found: Rows = []
        for row in rows:
            values = list(row)
            for place, convert in self.from_driver:
                values[place] = convert(values[place])
            found.append(tuple(values))
        return found


@dataclass(frozen=True)
class Ready:
    """A statement with its values, which waits for the transaction alone. Raises what SQLAlchemy
    does."""

    clause: Any
    values: Values
    written: _Written
    bound: Any

    def rows(self, session: Session) -> Rows:
        """What it finds, or returns of what it has written."""
        if _is_listened_to(session):
            return list(map(tuple, session.connection().execute(self.clause, dict(self.values))))
        rows, _ = _execute(session, self.written.text, self.bound)
        return self.written.read(rows)

    def change(self, session: Session) -> int:
        """How many rows it has written."""
        if _is_listened_to(session):
            return session.connection().execute(self.clause, dict(self.values)).rowcount
        _, count = _execute(session, self.written.text, self.bound)
        return count


class Statement:
    """One that is always the same but for its values: these have the same names each time, and none
    is a list. Raises what SQLAlchemy does."""

    def __init__(self, clause: Any) -> None:
        self.clause = clause
        self._written: dict[str, _Written] = {}

    def ready(self, dialect: Dialect, values: Values) -> Ready:
        """With *values* as the driver has them: JSON takes as long to write as its row."""
        written = self._in_words_of(dialect, values)
        return Ready(self.clause, values, written, written.bind(values))

    def rows(self, session: Session, values: Values) -> Rows:
        """What it finds, or returns of what it has written."""
        return self._ready(session, values).rows(session)

    def row(self, session: Session, values: Values) -> tuple[Any, ...] | None:
        """The first of its rows."""
        found = self.rows(session, values)
        return found[0] if found else None

    def change(self, session: Session, values: Values) -> int:
        """How many rows it has written."""
        return self._ready(session, values).change(session)

    def change_many(self, session: Session, values: Sequence[Values]) -> None:
        """Once with each of *values*."""
        if _is_listened_to(session):
            session.connection().execute(self.clause, list(map(dict, values)))
            return
        written = self._in_words_of(_dialect(session), values[0])
        _execute(session, written.text, list(map(written.bind, values)), many=True)

    def _ready(self, session: Session, values: Values) -> Ready:
        return self.ready(_dialect(session), values)

    def _in_words_of(self, dialect: Dialect, names: Iterable[str]) -> _Written:
        if dialect.name not in self._written:
            self._written[dialect.name] = self._write(dialect, names)
        return self._written[dialect.name]

    def _write(self, dialect: Dialect, names: Iterable[str]) -> _Written:
        compiled: Any = self.clause.compile(dialect=dialect, column_keys=list(names))
        assert not compiled.post_compile_params, "a list has no text that is always the same"
        given = {
            name: bind.effective_value for name, bind in compiled.binds.items() if not bind.required
        }
        given |= {column.key: column.default.arg for column in compiled.insert_prefetch}
        convert = [
            (name, bind.type.dialect_impl(dialect).bind_processor(dialect))
            for name, bind in compiled.binds.items()
        ]
        types: list[TypeEngine[Any]] = [each.type for each in compiled.statement.exported_columns]
        read = [each.dialect_impl(dialect).result_processor(dialect, None) for each in types]
        return _Written(
            text=compiled.string,
            order=compiled.positiontup,
            given=given,
            to_driver=[(name, each) for name, each in convert if each],
            from_driver=[(place, each) for place, each in enumerate(read) if each],
        )


def _dialect(session: Session) -> Dialect:
    return cast(Transaction, session).dialect


def _is_listened_to(session: Session) -> bool:
    """Whether somebody is told of each statement: it goes SQLAlchemy's way then."""
    return cast(Transaction, session).is_listened_to


def _execute(session: Session, text: str, values: Any, *, many: bool = False) -> tuple[Rows, int]:
    transaction = cast(Transaction, session)
    cursor = transaction.cursor()
    try:
        (cursor.executemany if many else cursor.execute)(text, values)
        return (cursor.fetchall() if cursor.description else []), cursor.rowcount
    except Exception as error:
        transaction.fail(error, text, values)
