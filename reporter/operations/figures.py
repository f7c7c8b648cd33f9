"""What can be counted: for /metrics, `status` and whoever watches. Each priced by what is due.

Reports and mails are never scanned: what is counted has an index of its own, or a day's worth.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask import current_app
from sqlalchemy.orm import Session

from reporter.delivery.beats import beats, last_beat_at
from reporter.delivery.outbox import AT_ONCE
from reporter.models import Draft, MailKind, MailState, Message, Report
from reporter.report import Severity

__all__ = ["beats", "last_beat_at"]

# What support waits for.
ALARMED = [kind for kind in MailKind if kind.is_alarmed]
UNSENT = sa.text("message.state <> 'sent'")  # as the index has it
SEVERITIES = {severity.level: severity.word for severity in Severity}
# Of the last hour, so many are looked at.
LATENCIES = 2000


def unsent(session: Session) -> Mapping[tuple[str, str], int]:
    """Mails that wait or failed, by kind and state; noughts too, for whoever draws them."""
    query = (
        sa.select(Message.kind, Message.state, sa.func.count())
        .where(UNSENT)
        .group_by(Message.kind, Message.state)
    )
    counts = {(kind.value, state): 0 for kind in MailKind for state in ("queued", "failed")}
    return counts | {(kind.value, state.value): n for kind, state, n in session.execute(query)}


def oldest_unsent_at(session: Session) -> datetime | None:
    """Since when the oldest of what support waits for is there, whether it waits or failed."""
    query = sa.select(sa.func.min(Message.created_at)).where(UNSENT, Message.kind.in_(ALARMED))
    return session.scalar(query)


def to_mend(session: Session) -> int:
    """How much support waits for that was told as refused, or is to be, and is tried again."""
    kinds = [kind for kind in ALARMED if not kind.is_urgent]
    told = sa.or_(Message.alarmed_at.is_not(None), Message.alarm_from == AT_ONCE)
    waits = sa.and_(UNSENT, Message.state == MailState.QUEUED, Message.kind.in_(kinds))
    query = sa.select(sa.func.count()).select_from(Message).where(waits, told)
    return session.scalar(query) or 0


def ticket_latencies(session: Session, now: datetime) -> Mapping[str, float]:
    """Median, 95 of 100 and the longest, in seconds; empty when no ticket was sent."""
    query = (
        sa.select(Message.created_at, Message.sent_at)
        .where(
            Message.kind == MailKind.TICKET,
            Message.created_at > now - timedelta(hours=1),
            Message.state == MailState.SENT,
        )
        .order_by(Message.created_at.desc())
        .limit(LATENCIES)
    )
    found = sorted((sent - saved).total_seconds() for saved, sent in session.execute(query) if sent)
    if not found:
        return {}
    return {share: found[round(float(share) * (len(found) - 1))] for share in ("0.5", "0.95", "1")}


def reports_since(session: Session, since: datetime) -> Mapping[tuple[str, str], int]:
    """How many were saved, by service and severity."""
    counts: Counter[tuple[str, str]] = Counter()
    for service in [each["id"] for each in current_app.config["SERVICES"]]:
        query = sa.select(Report.severity, sa.func.count()).where(
            Report.service == service, Report.saved_at >= since
        )
        for level, count in session.execute(query.group_by(Report.severity)):
            counts[service, SEVERITIES.get(level, str(level))] += count
    return counts


def unseen(session: Session) -> int:
    """Open reports that nobody in support has seen."""
    query = sa.select(sa.func.count()).select_from(Report)
    return session.scalar(query.where(Report.solved_at.is_(None), Report.seen_at.is_(None))) or 0


def drafts(session: Session) -> int:
    return session.scalar(sa.select(sa.func.count()).select_from(Draft)) or 0


def reports(session: Session) -> int:
    return session.scalar(sa.select(sa.func.count()).select_from(Report)) or 0
