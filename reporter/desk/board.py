"""What the board shows: open reports, most pressing first, and how many come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from reporter import models
from reporter.desk.asked import Asked
from reporter.reports import search

PAGE = 50
LATEST = timedelta(hours=1)
STEP = timedelta(minutes=5)
STEPS = LATEST // STEP


@dataclass(frozen=True)
class Line:
    """One report on one line."""

    reference: str
    severity: int
    service: str
    summary: str
    customer: str
    saved_at: datetime
    seen_at: datetime | None
    solved_at: datetime | None
    next_news_at: datetime | None
    notice_key: str | None

    def is_late(self, now: datetime) -> bool:
        """Whether the time that the customer was promised news for has passed."""
        return self.solved_at is None and self.next_news_at is not None and self.next_news_at <= now


@dataclass(frozen=True)
class Known:
    """A known incident that is open."""

    key: str
    services: Sequence[str]
    started_at: datetime
    next_news_at: datetime | None
    reports: int
    followers: int


@dataclass(frozen=True)
class Latest:
    """The reports of the last hour: how many on each service, in each five minutes of it."""

    since: datetime
    counts: Mapping[str, Sequence[int]]  # most first

    @property
    def highest(self) -> int:
        return max((max(each) for each in self.counts.values()), default=0)

    @property
    def times(self) -> list[datetime]:
        """When each five minutes begin."""
        return [self.since + STEP * number for number in range(STEPS)]


def lines(session: Session, asked: Asked, now: datetime) -> list[Line]:
    """A page of reports, and one more where there is another page."""
    report = models.Report
    late = sa.and_(report.solved_at.is_(None), report.next_news_at <= now)
    pressing = sa.case(
        (sa.and_(report.solved_at.is_(None), report.seen_at.is_(None)), 0), (late, 0), else_=1
    )
    query = (
        sa.select(
            report.reference,
            report.severity,
            report.service,
            report.summary,
            report.customer,
            report.saved_at,
            report.seen_at,
            report.solved_at,
            report.next_news_at,
            models.Notice.key,
        )
        .outerjoin(models.Notice, models.Notice.id == report.notice_id)
        .where(*_wanted(asked, late), *([search.matching(asked.words)] if asked.words else []))
        .limit(PAGE + 1)
        .offset(PAGE * (asked.page - 1))
    )
    if asked.state in {"solved", "all"}:
        # As the indexes have them, so that a page of the past costs the same however long it is.
        query = query.order_by(report.saved_at.desc(), report.id.desc())
    else:
        query = query.order_by(pressing, report.severity, report.saved_at, report.id)
    rows: Iterable[Any] = session.execute(query)
    return [Line(*row) for row in rows]


def _wanted(asked: Asked, late: sa.ColumnElement[bool]) -> list[sa.ColumnElement[bool]]:
    report = models.Report
    wanted: list[sa.ColumnElement[bool]] = []
    match asked.state:
        case "open":
            wanted.append(report.solved_at.is_(None))
        case "unseen":
            wanted += [report.solved_at.is_(None), report.seen_at.is_(None)]
        case "late":
            wanted.append(late)
        case "solved":
            wanted.append(report.solved_at.is_not(None))
    if asked.service:
        wanted.append(report.service == asked.service)
    if asked.severity:
        wanted.append(report.severity == asked.severity)
    return wanted


def known(session: Session) -> list[Known]:
    """The known incidents that are open, newest first, with what hangs on each."""
    notice, report, follower = models.Notice, models.Report, models.Follower
    reports = sa.select(sa.func.count()).where(report.notice_id == notice.id).scalar_subquery()
    followers = sa.select(sa.func.count()).where(follower.notice_id == notice.id).scalar_subquery()
    query = (
        sa.select(
            notice.key,
            notice.services,
            notice.started_at,
            notice.next_news_at,
            reports + notice.erased_reports,
            followers + notice.erased_followers,
        )
        .where(notice.closed_at.is_(None))
        .order_by(notice.id.desc())
        .limit(PAGE)
    )
    return [Known(*row) for row in session.execute(query)]


def latest(session: Session, services: Sequence[str], now: datetime) -> Latest:
    """The last hour, in full five minutes of the clock."""
    begun = now - timedelta(
        minutes=now.minute % 5, seconds=now.second, microseconds=now.microsecond
    )
    since = begun + STEP - LATEST
    report = models.Report
    query = sa.select(report.service, report.saved_at).where(
        report.service.in_(services), report.saved_at >= since, report.saved_at <= now
    )
    found: dict[str, list[int]] = {}
    for service, saved_at in session.execute(query):
        found.setdefault(service, [0] * STEPS)[(saved_at - since) // STEP] += 1
    totals = Counter({service: sum(counts) for service, counts in found.items()})
    return Latest(since, {service: found[service] for service, _ in totals.most_common()})
