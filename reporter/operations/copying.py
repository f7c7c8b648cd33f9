"""Everything from one database into an empty other one, and a proof that it is the same.

The proof is a digest over every value of every row, read from both sides: not of what was sent.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from reporter.database import Database
from reporter.models import Base

# Rows at once: those with files and mails may have ten megabytes each.
BATCH = 20
# What is of the moment, and of no other database.
LEFT = {"beat", "last_done"}


class CannotCopy(Exception):
    """With a line for the operator."""


def tables() -> Sequence[sa.Table]:
    """In an order in which each row finds what it refers to."""
    return [table for table in Base.metadata.sorted_tables if table.name not in LEFT]


def count(session: Session) -> int:
    """Rows to copy."""
    return sum(_count(session, table) for table in tables())


def copy(source: Session, target: Database) -> Iterator[str]:
    """Copy what *source* sees, in one transaction of *target*; the name of the table of each row.

    Raises CannotCopy where the target is not empty or is not the same afterwards, and then nothing
    is in it.
    """
    with target.write() as session:
        for table in tables():
            if _count(session, table):
                raise CannotCopy(f"the other database is not empty: it has rows in {table.name}")
        for table in tables():
            for rows in _batches(source, table):
                session.execute(table.insert(), [dict(row) for row in rows])
                yield from (table.name for _ in rows)
            _continue_numbers(session, table)
        for table in tables():
            if digest(source, table) != digest(session, table):
                raise CannotCopy(f"{table.name} is not the same in the other database")


def digest(session: Session, table: sa.Table) -> str:
    """Of every value of every row, whatever engine keeps it."""
    whole = hashlib.sha256()
    for rows in _batches(session, table):
        for row in rows:
            for name, value in row.items():
                whole.update(f"{name}\0".encode())
                whole.update(_bytes(value))
                whole.update(b"\0")
    return whole.hexdigest()


def _bytes(value: Any) -> bytes:
    if isinstance(value, (bytes, memoryview)):
        return hashlib.sha256(value).digest()
    if isinstance(value, (dict, list)):
        return json.dumps(value, sort_keys=True).encode()
    return repr(value.isoformat() if hasattr(value, "isoformat") else value).encode(
        "utf-8", "surrogatepass"
    )


def _batches(session: Session, table: sa.Table) -> Iterator[Sequence[sa.RowMapping]]:
    """In the order of their keys, which is the order in which they were made."""
    query = sa.select(table).order_by(*table.primary_key.columns)
    found = session.execute(query.execution_options(yield_per=BATCH))
    yield from found.mappings().partitions()


def _count(session: Session, table: sa.Table) -> int:
    return session.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def _continue_numbers(session: Session, table: sa.Table) -> None:
    """Have PostgreSQL give out numbers behind those that were copied."""
    numbered = table.autoincrement_column
    if numbered is None or session.get_bind().dialect.name != "postgresql":
        return
    sequence = sa.func.pg_get_serial_sequence(f'"{table.name}"', numbered.name)
    largest = sa.select(sa.func.max(numbered)).scalar_subquery()
    session.execute(
        sa.select(sa.func.setval(sequence, sa.func.coalesce(largest, 1), largest.is_not(None)))
    )
