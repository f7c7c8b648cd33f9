"""What one client, or one account, may have so much of in a while, counted in the database:
exactly, over all processes and machines.

Unlike the limits of requests these hold where a stranger fills the disk, or speaks through us.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from typing import cast

import sqlalchemy as sa
from flask import abort, current_app, has_request_context
from sqlalchemy.orm import Session

from reporter.attachments.keeping import Allowance
from reporter.database import Lock, exclusive
from reporter.database.rehearsal import Rehearsal
from reporter.database.statement import Statement
from reporter.models import Quota, Tally
from reporter.web import bounds

ALLOWED = {
    Quota.DRAFTS: (bounds.DRAFTS, bounds.DRAFTS_WITHIN),
    Quota.REPORTS: (bounds.REPORTS, bounds.REPORTS_WITHIN),
    Quota.UPDATES: (bounds.UPDATES, bounds.UPDATES_WITHIN),
    Quota.FOLLOWERS: (bounds.FOLLOWERS, bounds.FOLLOWERS_WITHIN),
    Quota.SIGN_INS: (bounds.SIGN_INS, bounds.SIGN_INS_WITHIN),
    Quota.WRONG_PASSWORDS: (bounds.WRONG_PASSWORDS, bounds.WRONG_PASSWORDS_WITHIN),
}

# Statements are made once: that takes longer than they run.
TALLY = cast(sa.Table, Tally.__table__)
THIS = (TALLY.c.quota == sa.bindparam("of_quota"), TALLY.c.client == sa.bindparam("today"))
ONE_MORE = Statement(
    sa.update(TALLY)
    .where(*THIS, TALLY.c.minute == sa.bindparam("now"))
    .values(count=TALLY.c.count + 1)
)
FIRST = Statement(sa.insert(TALLY))


@cache
def _had(names: int) -> Statement:
    """Of a client of so many *names*."""
    client = TALLY.c.client.in_([sa.bindparam(f"name{number}") for number in range(names)])
    counts = sa.select(sa.func.sum(TALLY.c.count))
    return Statement(counts.where(THIS[0], client, TALLY.c.minute >= sa.bindparam("since")))


def take(session: Session, quota: Quota, at: datetime) -> None:
    """Count one more for the client that asks. Ends the request with 429 when it has had enough.

    The caller's transaction writes.
    """
    if not count(session, quota, at):
        abort(429)


def count(session: Session, quota: Quota, at: datetime, of: str = "") -> bool:
    """Count one more for the client that asks, or for what is named; False, and nothing is
    counted, when that has had enough.

    The caller's transaction writes.
    """
    if not current_app.config["RATELIMIT_ENABLED"] or not has_request_context():
        return True
    most, within = ALLOWED[quota]
    names = _names(of, at, within)
    today = names[0]
    exclusive(session, Lock.QUOTA, f"{quota} {today}")
    named = {f"name{number}": name for number, name in enumerate(names)}
    minute = at.replace(second=0, microsecond=0)
    # The minute that the time began in counts whole, so that it is never more.
    asked = {"of_quota": quota, "since": minute - within, **named}
    ((had,),) = _had(len(names)).rows(session, asked)
    if (had or 0) >= most:
        return False
    if isinstance(session, Rehearsal):  # which is tried, and counted once it is done
        return True
    if not ONE_MORE.change(session, {"of_quota": quota, "today": today, "now": minute}):
        row = {"quota": quota, "client": today, "minute": minute, "count": 1}
        FIRST.change(session, row)
    return True


def forgive(session: Session, quota: Quota, at: datetime, of: str = "") -> None:
    """Begin the count anew."""
    names = _names(of, at, ALLOWED[quota][1])
    session.execute(sa.delete(Tally).where(Tally.quota == quota, Tally.client.in_(names)))


def _names(of: str, at: datetime, within: timedelta) -> list[str]:
    """What is counted under, today's first: another name each day, so that nobody can be followed
    by it."""
    if not of:
        return bounds.client_hashes(at, within)
    return bounds.daily_names("counted", of, at, within)


def unsent(at: datetime) -> Allowance | None:
    """What the client that asks may have here in files that were not sent; None: as much as it
    likes."""
    if not current_app.config["RATELIMIT_ENABLED"]:
        return None
    within = bounds.UNSENT_WITHIN
    return Allowance(bounds.client_hashes(at, within), at - within, bounds.UNSENT_BYTES)
