"""A change that is tried before it is made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import ORMExecuteState

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


@sa.event.listens_for(Rehearsal, "do_orm_execute")
def _end_rehearsal(state: ORMExecuteState) -> None:
    if state.is_insert or state.is_update or state.is_delete:
        raise RehearsalOver
