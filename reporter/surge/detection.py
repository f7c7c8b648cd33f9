"""Reports on one service that arrive faster than is normal for it, as `statistics` tells.

A surge is over once an hour has passed without. A report is judged before it is kept, against those
that are: of several at one moment each may miss the others, and the next one sees them all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask import current_app
from sqlalchemy.orm import Session

from reporter import models
from reporter.database import Lock, UTCDateTime, exclusive
from reporter.database.statement import Statement
from reporter.delivery import outbox
from reporter.delivery.outbox import Mail
from reporter.links import new_notice_url
from reporter.models import MailKind
from reporter.report import Similar
from reporter.surge.counting import count_reports
from reporter.surge.mail import compose_surge
from reporter.surge.statistics import (
    DAY,
    LEAST,
    LEFT_OUT,
    SHORT_WINDOW,
    WINDOW,
    is_surge,
    normal,
    usual_times,
)

OVER_AFTER = timedelta(hours=1)
# So many at once are not counted anew for each: a process does so after a while.
MANY, COUNTED_FOR = 100, timedelta(seconds=10)
USUAL_FOR = timedelta(minutes=1)


@dataclass(frozen=True)
class Surging:
    """The surge that a report belongs to: its row's id, or None for a report that begins one."""

    service: str
    id: int | None
    similar: Similar
    normal: float  # how many reports an hour its service usually has
    at: datetime  # when they were counted


def name_of(session: Session, service: str, at: datetime, sources: Sequence[str]) -> str:
    """What a source is counted as: the name of *sources* that it has among the reports that are
    counted with it, so that neither midnight nor another SECRET_KEY makes two of one; else the
    first. Empty where nobody knows whom it comes from."""
    if len(sources) < 2:
        return "".join(sources)
    report = models.Report
    known = sa.select(report.source).where(
        report.service == service, report.saved_at > at - WINDOW, report.source.in_(sources)
    )
    return session.scalar(known.limit(1)) or sources[0]


def judge(session: Session, service: str, at: datetime, source: str = "") -> Surging | None:
    """The surge that a report of the time *at*, which is not kept yet, belongs to, if any.

    Reports of one *source* count once: nobody makes a surge alone. It reads only, and its price
    does not grow with the reports that are kept, nor, beyond MANY, with those of the surge.
    """
    known: dict[str, Surging] = current_app.extensions.setdefault("surges", {})
    lately = known.get(service)
    if lately and lately.at <= at < lately.at + COUNTED_FOR:
        return lately
    asked = {"service": service, "source": source, "since": at - WINDOW}
    ((short_count, count, first),) = COUNTS.rows(session, {**asked, "short": at - SHORT_WINDOW})
    if count + 1 < LEAST:
        return None
    latest = sa.select(models.Surge).where(models.Surge.service == service)
    surges = session.scalars(latest.order_by(models.Surge.last_at.desc()).limit(LEFT_OUT)).all()
    current = surges[0] if surges and surges[0].last_at > at - OVER_AFTER else None
    if current and at - current.since < DAY:  # which is left out of what is normal in any case
        usual = current.normal
    else:
        usual = _usual(session, service, at, [(surge.since, surge.last_at) for surge in surges])
    if not is_surge(short_count + 1, count + 1, usual):
        return None
    since = current.since if current else min(first, at)
    similar = Similar(count + 1, int(WINDOW.total_seconds() // 60), since)
    surging = Surging(service, current.id if current else None, similar, usual, at)
    if current and count >= MANY:
        known[service] = surging
    return surging


def _usual(
    session: Session, service: str, at: datetime, left_out: list[tuple[datetime, datetime]]
) -> float:
    """How many reports an hour the service usually has at that time; as the process has counted
    within USUAL_FOR, since reports that come now change nothing of it."""
    known: dict[str, tuple[datetime, object, float]] = current_app.extensions.setdefault(
        "usual", {}
    )
    counted_at, without, usual = known.get(service, (at, None, 0.0))
    if without != left_out or not counted_at <= at < counted_at + USUAL_FOR:
        usual = normal(count_reports(session, service, usual_times(at, left_out)))
        known[service] = at, left_out, usual
    return usual


def compose(surging: Surging, at: datetime) -> Mail | None:
    """What tells support that the surge has begun; None where it was told already."""
    if surging.id is not None:
        return None
    link = new_notice_url(surging.service, surging.similar.since)
    return compose_surge(f"SURGE-{surging.service}", surging.service, surging.similar, link, at)


def keep(session: Session, surging: Surging, mail: Mail | None, at: datetime) -> None:
    """Keep that the surge goes on; or that it begins, with its *mail*, once.

    It comes last in its transaction: on PostgreSQL others of the service wait from here on.
    """
    if surging.at != at:  # the report that it was counted for has kept it
        return
    surge = models.Surge
    current = surging.id
    if mail:
        exclusive(session, Lock.SURGE, surging.service)
        begun = sa.select(surge.id).where(
            surge.service == surging.service, surge.last_at > at - OVER_AFTER
        )
        current = session.scalar(begun.limit(1))
        if current is None:
            since = surging.similar.since
            session.add(
                surge(service=surging.service, since=since, last_at=at, normal=surging.normal)
            )
            outbox.enqueue(
                session,
                mail,
                kind=MailKind.SURGE,
                reference=f"SURGE-{surging.service}",
                due_at=at,
            )
            return
    later = sa.update(surge).where(surge.id == current, surge.last_at < at)
    session.execute(later.values(last_at=at), execution_options={"synchronize_session": False})


def _counts() -> sa.Select[int, int, Any]:
    """How many there were lately and within WINDOW, and the first of these."""
    saved_at, known = models.Report.saved_at, models.Report.source
    latest_of_each = (
        sa.select(sa.func.max(saved_at).label("last"), sa.func.min(saved_at).label("first"))
        .where(
            models.Report.service == sa.bindparam("service"),
            saved_at > sa.bindparam("since", type_=UTCDateTime),
            sa.or_(known == "", known != sa.bindparam("source")),
        )
        # Those whose source is not known are each of their own.
        .group_by(
            sa.func.coalesce(sa.func.nullif(models.Report.source, ""), models.Report.reference)
        )
        .subquery()
    )
    lately = latest_of_each.c.last > sa.bindparam("short", type_=UTCDateTime)
    return sa.select(
        sa.func.count().filter(lately), sa.func.count(), sa.func.min(latest_of_each.c.first)
    )


COUNTS = Statement(_counts())
