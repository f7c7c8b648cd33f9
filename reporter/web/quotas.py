"""What one client, or one account, may have so much of in a while, counted in the database:
exactly, over all processes and machines.

Unlike the limits of requests these hold where a stranger fills the disk, or speaks through us.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from flask import abort, current_app, has_request_context
from sqlalchemy.orm import Session

from reporter.attachments.store import Allowance
from reporter.database import Lock, exclusive
from reporter.links import signatures
from reporter.models import Quota, Tally
from reporter.web import bounds

ALLOWED = {
    Quota.DRAFTS: (bounds.DRAFTS, bounds.DRAFTS_WITHIN),
    Quota.REPORTS: (bounds.REPORTS, bounds.REPORTS_WITHIN),
    Quota.FOLLOWERS: (bounds.FOLLOWERS, bounds.FOLLOWERS_WITHIN),
    Quota.SIGN_INS: (bounds.SIGN_INS, bounds.SIGN_INS_WITHIN),
    Quota.WRONG_PASSWORDS: (bounds.WRONG_PASSWORDS, bounds.WRONG_PASSWORDS_WITHIN),
}


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
    had = sa.select(sa.func.sum(Tally.count)).where(
        Tally.quota == quota, Tally.client.in_(names), Tally.minute > at - within
    )
    if (session.scalar(had) or 0) >= most:
        return False
    minute = at.replace(second=0, microsecond=0)
    row = session.get(Tally, (quota, today, minute))
    if row is None:
        session.add(Tally(quota=quota, client=today, minute=minute, count=1))
    else:
        row.count += 1
    session.flush()
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
    return [
        each.hex()[:16]
        for day in (at, at - within)
        for each in signatures("counted", f"{day:%Y-%m-%d} {of}")
    ]


def unsent(at: datetime) -> Allowance | None:
    """What the client that asks may have here in files that were not sent; None: as much as it
    likes."""
    if not current_app.config["RATELIMIT_ENABLED"]:
        return None
    within = bounds.UNSENT_WITHIN
    return Allowance(bounds.client_hashes(at, within), at - within, bounds.UNSENT_BYTES)
