"""The clock that workers share: PostgreSQL's, as the clocks of their machines differ.

On SQLite all are on one machine, and its clock it is.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from reporter.database import Database

SLACK = timedelta(seconds=90)  # by which clocks may differ


class Clock:
    """Set now and then, and right for as long as this machine's clock is not set anew."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.behind = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.behind

    def set(self) -> None:
        """Ask the database what time it is. Raises sqlalchemy.exc.DBAPIError."""
        self.behind = behind(self.database)


def shared_now(database: Database) -> datetime:
    """What time it is for the workers, asked once. Raises sqlalchemy.exc.DBAPIError."""
    return datetime.now(UTC) + behind(database)


def behind(database: Database) -> timedelta:
    """By how much this machine's clock is behind the database's."""
    if database.engine.dialect.name != "postgresql":
        return timedelta()
    with database.read() as session:
        before = datetime.now(UTC)
        theirs = session.scalar(sa.select(sa.func.clock_timestamp())) or before
        return theirs - (before + (datetime.now(UTC) - before) / 2)
