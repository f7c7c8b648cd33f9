"""The statements that a piece of work has a database run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from reporter.database import Database


@contextmanager
def statements(database: Database, *verbs: str) -> Iterator[list[tuple[str, Any]]]:
    """Each that begins with one of *verbs*, with its parameters: the first where there are many."""
    seen: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, text: str, parameters: Any, _x: Any, many: bool) -> None:
        if text.split(maxsplit=1)[0].upper() in verbs:
            seen.append((text, parameters[0] if many else parameters))

    sa.event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        sa.event.remove(database.engine, "before_cursor_execute", note)
