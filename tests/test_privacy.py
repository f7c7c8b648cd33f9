"""What is kept of a person is written down: every column that could hold it."""

from __future__ import annotations

import re
from pathlib import Path

import sqlalchemy as sa

from reporter.models import Base

PAGE = (Path(__file__).resolve().parent.parent / "docs/privacy.md").read_text(encoding="utf-8")
NAMED = r"`([a-z_]+\.[a-z_0-9]+)`"


def holding_words() -> set[str]:
    """Columns of text, JSON or bytes; what the code alone chooses from a list aside."""
    return {
        f"{table.name}.{column.name}"
        for table in Base.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, (sa.String, sa.JSON, sa.LargeBinary))
        and not isinstance(column.type, sa.Enum)
    }


def test_every_column_that_can_hold_words_is_in_the_table_or_holds_nothing_personal() -> None:
    table, _, rest = PAGE.partition("\nNot about a person:")
    personal = set(re.findall(NAMED, table))
    others = set(re.findall(NAMED, rest.partition("\n## ")[0]))
    assert not personal & others
    assert personal | others == holding_words()


def test_every_row_of_the_table_says_why_and_how_long() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| `")]
    assert len(rows) > 10
    for row in rows:
        cells = row.strip("| ").split(" | ")
        assert len(cells) == 3
        assert all(cells), row
