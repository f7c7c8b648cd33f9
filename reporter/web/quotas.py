"""What one client may have so much of in a while, counted in the database: exactly, over all
processes and machines.

Unlike the limits of requests these hold where a stranger fills the disk, or speaks through us.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from flask import abort, current_app, has_request_context
from sqlalchemy.orm import Session

from reporter.attachments.store import Allowance
from reporter.database import Lock, exclusive
from reporter.models import Quota, Tally
from reporter.web import bounds

ALLOWED = {
    Quota.DRAFTS: (bounds.DRAFTS, bounds.DRAFTS_WITHIN),
    Quota.REPORTS: (bounds.REPORTS, bounds.REPORTS_WITHIN),
    Quota.FOLLOWERS: (bounds.FOLLOWERS, bounds.FOLLOWERS_WITHIN),
}


def take(session: Session, quota: Quota, at: datetime) -> None:
    """Count one more for the client that asks. Ends the request with 429 when it has had enough.

    The caller's transaction writes.
    """
    if not current_app.config["RATELIMIT_ENABLED"] or not has_request_context():
        return
    most, within = ALLOWED[quota]
    clients = bounds.client_hashes(at, within)
    today = clients[0]
    exclusive(session, Lock.QUOTA, f"{quota} {today}")
    had = sa.select(sa.func.sum(Tally.count)).where(
        Tally.quota == quota, Tally.client.in_(clients), Tally.minute > at - within
    )
    if (session.scalar(had) or 0) >= most:
        abort(429)
    minute = at.replace(second=0, microsecond=0)
    row = session.get(Tally, (quota, today, minute))
    if row is None:
        session.add(Tally(quota=quota, client=today, minute=minute, count=1))
    else:
        row.count += 1


def unsent(at: datetime) -> Allowance | None:
    """What the client that asks may have here in files that were not sent; None: as much as it
    likes."""
    if not current_app.config["RATELIMIT_ENABLED"]:
        return None
    within = bounds.UNSENT_WITHIN
    return Allowance(bounds.client_hashes(at, within), at - within, bounds.UNSENT_BYTES)
