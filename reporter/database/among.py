"""Whether a number is among others, as one parameter however many they are.

SQLAlchemy's own IN makes another statement for each count of them, which takes longer than most of
them run, and which the driver has to prepare anew.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine


class _Numbers(TypeDecorator[Sequence[int]]):
    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        is_postgresql = dialect.name == "postgresql"
        return dialect.type_descriptor(ARRAY(sa.BigInteger) if is_postgresql else sa.Text())

    def process_bind_param(self, value: Sequence[int] | None, dialect: Dialect) -> Any:
        numbers = list(value or ())
        return numbers if dialect.name == "postgresql" else json.dumps(numbers)


class _Each(FunctionElement[int]):
    """The numbers as rows."""

    type = sa.BigInteger()
    inherit_cache = True


def among(column: sa.ColumnElement[int], these: str) -> sa.ColumnElement[bool]:
    """A condition; *these* is the name of the parameter, a sequence of numbers."""
    each = _Each(sa.bindparam(these, type_=_Numbers()))
    return column.bool_op("IN")(each)


@compiles(_Each)
def _json(element: _Each, compiler: Any, **options: Any) -> str:
    parameter = compiler.process(element.clauses, **options)
    return f"(SELECT value FROM json_each({parameter}))"  # noqa: S608  (its name)


@compiles(_Each, "postgresql")
def _array(element: _Each, compiler: Any, **options: Any) -> str:
    parameter = compiler.process(element.clauses, **options)
    return f"(SELECT unnest({parameter}))"
