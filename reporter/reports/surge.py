"""Reports on one service that arrive faster than is normal for it, as `surge_statistics` tells.

A surge is over once an hour has passed without. A report is judged before it is kept, against those
that are: of several at one moment each may miss the others, and the next one sees them all.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa
from flask import current_app
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from reporter import models
from reporter.database import Lock, UTCDateTime, exclusive
from reporter.delivery import outbox
from reporter.delivery.outbox import Mail
from reporter.formats.words import service_name
from reporter.links import new_notice_url
from reporter.mail.message import finish, mime_id, new_message
from reporter.models import MailKind
from reporter.report import Similar
from reporter.reports.surge_statistics import (
    DAY,
    LEAST,
    LEFT_OUT,
    SHORT_WINDOW,
    WINDOW,
    Interval,
    is_surge,
    normal,
    usual_times,
)

OVER_AFTER = timedelta(hours=1)
# So many at once are not counted anew for each: a process does so after a while.
MANY, COUNTED_FOR = 100, timedelta(seconds=10)


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
    counts = session.connection().execute(COUNTS, {**asked, "short": at - SHORT_WINDOW})
    short_count, count, first = counts.one()
    if count + 1 < LEAST:
        return None
    latest = sa.select(models.Surge).where(models.Surge.service == service)
    surges = session.scalars(latest.order_by(models.Surge.last_at.desc()).limit(LEFT_OUT)).all()
    current = surges[0] if surges and surges[0].last_at > at - OVER_AFTER else None
    if current and at - current.since < DAY:  # which is left out of what is normal in any case
        usual = current.normal
    else:
        left_out = [(surge.since, surge.last_at) for surge in surges]
        usual = normal(count_reports(session, service, usual_times(at, left_out)))
    if not is_surge(short_count + 1, count + 1, usual):
        return None
    since = current.since if current else min(first, at)
    similar = Similar(count + 1, int(WINDOW.total_seconds() // 60), since)
    surging = Surging(service, current.id if current else None, similar, usual, at)
    if current and count >= MANY:
        known[service] = surging
    return surging


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


COUNTS = _counts()  # made once: that takes longer than it runs


def next_number(service: sa.BindParameter[str]) -> sa.ScalarSelect[int]:
    """The `number_in_service` of a report about to be kept.

    Two that are kept at one moment on PostgreSQL may have the same: it is for counting, roughly.
    """
    last = _numbers(service).order_by(models.Report.saved_at.desc()).limit(1)
    return sa.select(sa.func.coalesce(last.scalar_subquery(), 0) + 1).scalar_subquery()


def count_reports(session: Session, service: str, times: list[list[Interval]]) -> list[int]:
    """How many reports on *service* came at each of *times*, in one statement.

    The reports of a service are numbered, so that a count is the difference of two numbers.
    """
    bounds: dict[str, object] = {"service": service}
    number = 0
    for number, (start, end) in enumerate(itertools.chain(*times), start=1):
        bounds |= {f"start{number}": start, f"end{number}": end}
    counts = iter(session.execute(_counting(number), bounds).one()[1:])
    return [max(0, sum(itertools.islice(counts, len(intervals)))) for intervals in times]


@cache
def _counting(intervals: int) -> sa.Select[Any]:
    """A zero, since there may be no *intervals*, and the count of reports in each.

    It is made once: that takes longer than the short looks at an index that it is.
    """
    saved_at = models.Report.saved_at
    numbers = _numbers(sa.bindparam("service"))
    # Before the first that is kept, when retention has taken others.
    first = numbers.order_by(saved_at).limit(1).scalar_subquery() - 1

    def until(bound: str) -> sa.ColumnElement[int]:
        earlier = numbers.where(saved_at <= sa.bindparam(bound, type_=UTCDateTime))
        return sa.func.coalesce(
            earlier.order_by(saved_at.desc()).limit(1).scalar_subquery(), first, 0
        )

    counts = [until(f"end{each}") - until(f"start{each}") for each in range(1, intervals + 1)]
    columns: list[Any] = [sa.literal(0), *counts]
    return sa.select(*columns)


def _numbers(service: Any) -> sa.Select[int]:
    return sa.select(models.Report.number_in_service).where(models.Report.service == service)


def compose_surge(reference: str, service: str, similar: Similar, link: str, at: datetime) -> Mail:
    """What tells support that a surge has begun."""
    config = current_app.config
    language = config["SUPPORT_LOCALE"]
    with force_locale(language):
        told = {
            "service": service_name(service),
            "count": similar.count,
            "minutes": similar.minutes,
            "since": similar.clock,
        }
        subject = _(
            "Many reports: %(service)s, %(count)s in %(minutes)s minutes, since %(since)s", **told
        )
        text = _(
            "Reports on %(service)s are arriving faster than usual: "
            "%(count)s in %(minutes)s minutes, since %(since)s.\n\n"
            "Each is a ticket of its own. If they have one cause, tell customers so:\n"
            "%(link)s\n\n"
            "Use the same link later to post updates, and to say that it is over.\n",
            **told,
            link=link,
        )
    mail = new_message(
        to=config["SUPPORT_EMAIL"],
        subject=subject,
        mime_id=mime_id(reference, f"{similar.since:%Y%m%d%H%M%S}"),
        date=at,
    )
    mail.set_content(text)
    return finish(mail, {"Content-Language": language, "Importance": "high", "X-Priority": "1"})
