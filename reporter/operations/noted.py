"""What was told of while the database answers, noted there: several machines tell of it once."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from reporter.database import Database, Lock, exclusive
from reporter.database import file as database_file
from reporter.models import Alarm

# What the database itself can be told of; the rest is each machine's own to tell.
NOTED = {"room", "worker", "damage"}
# What a backup mends: what was noted in the file goes with it.
MENDED_BY_ANOTHER_FILE = "damage"


class Noted:
    """Troubles by their names. Raises nothing where the database does not answer."""

    def __init__(self, database: Database, url: str) -> None:
        self.database = database
        self._is_own_file = database_file.file_of(url) is not None

    def since(self) -> dict[str, datetime]:
        """Since when there is what was told and noted, by whomever."""
        try:
            with self.database.read() as session:
                rows = session.scalars(sa.select(Alarm).where(Alarm.key.in_(NOTED)))
                return {row.key: row.since_at for row in rows}
        except SQLAlchemyError:
            return {}

    def begin(self, key: str, now: datetime) -> bool:
        """Whether it is ours to tell. It is where nobody can be asked."""
        if key not in NOTED:
            return True
        try:
            with self.database.write() as session:
                exclusive(session, Lock.ALARM, key)
                if session.get(Alarm, key):
                    return False
                session.add(Alarm(key=key, since_at=now, told_at=now))
        except SQLAlchemyError:
            pass
        return True

    def end(self, key: str) -> bool:
        """Whether its end is ours to tell."""
        if key not in NOTED:
            return True
        try:
            with self.database.write() as session:
                row = session.get(Alarm, key)
                if row:
                    session.delete(row)
                return row is not None or self._is_mended_by_another_file(key)
        except SQLAlchemyError:
            return True

    def _is_mended_by_another_file(self, key: str) -> bool:
        """No other machine has it, or watches it."""
        return key == MENDED_BY_ANOTHER_FILE and self._is_own_file
