"""Finding rows by many numbers with one parameter, on both engines."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from reporter.database import Database
from reporter.database.among import among


@pytest.mark.parametrize("these", [[], [2], [3, 1, 9, 3], range(1, 2000)])
def test_what_is_among_them_is_found(database: Database, these: list[int]) -> None:
    numbers = sa.union_all(*(sa.select(sa.literal(n).label("n")) for n in (1, 2, 3, 4))).subquery()
    query = sa.select(numbers.c.n).where(among(numbers.c.n, "these"))
    with database.read() as session:
        found = session.scalars(query, {"these": these}).all()
    assert sorted(found) == sorted({1, 2, 3, 4} & set(these))


def test_the_statement_is_the_same_however_many_they_are(database: Database) -> None:
    query = sa.select(sa.literal(1)).where(among(sa.literal(1), "these"))
    said: list[str] = []
    sa.event.listen(
        database.engine, "before_cursor_execute", lambda c, cursor, text, *_: said.append(text)
    )
    with database.read() as session:
        for count in (1, 2, 30):
            session.execute(query, {"these": range(count)})
    assert len(said) == 3
    assert len(set(said)) == 1
