"""What is locked by name, where a transaction excludes nobody by itself."""

from __future__ import annotations

from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from reporter.database.transaction import is_postgresql


class Lock(StrEnum):
    """What is locked by name. A lock of a kind may be of one thing, named by its id.

    Who needs several takes them in one order, or two would wait for each other: reports by their
    id, then the known incident that they are linked to.
    """

    DRAFT = "draft"
    REPORT = "report"
    FILES = "files"  # of one report
    ACKNOWLEDGEMENT = "acknowledgement"  # to one mailbox
    SURGE = "surge"  # of one service
    NOTICE = "notice"
    NOTICES = "notices"  # all of them
    ALARM = "alarm"  # of one key
    DONE = "done"  # one thing, and when it was last
    STAFF = "staff"
    QUOTA = "quota"  # of one client
    HEARD = "heard"  # one mail, and the count of one sort


def exclusive(session: Session, lock: Lock, of: str | int = "") -> None:
    """Hold *lock* until the transaction ends.

    On SQLite a write transaction excludes every other already.
    """
    if is_postgresql(session):
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext(f"{lock} {of}"))))
