"""How many reports a service had in a time, without looking at each of them."""

from __future__ import annotations

import itertools
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from reporter import models
from reporter.database import UTCDateTime
from reporter.surge.statistics import Interval


def next_number(service: sa.BindParameter[str]) -> sa.ScalarSelect[int]:
    """The `number_in_service` of a report about to be kept.

    Two that are kept at one moment on PostgreSQL may have the same: it is for counting, roughly.
    """
    last = _numbers(service).order_by(*_newest_first()).limit(1)
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
    oldest_first = (saved_at, models.Report.number_in_service)
    first = numbers.order_by(*oldest_first).limit(1).scalar_subquery() - 1

    def until(bound: str) -> sa.ColumnElement[int]:
        earlier = numbers.where(saved_at <= sa.bindparam(bound, type_=UTCDateTime))
        return sa.func.coalesce(
            earlier.order_by(*_newest_first()).limit(1).scalar_subquery(), first, 0
        )

    counts = [until(f"end{each}") - until(f"start{each}") for each in range(1, intervals + 1)]
    columns: list[Any] = [sa.literal(0), *counts]
    return sa.select(*columns)


def _newest_first() -> tuple[sa.ColumnElement[Any], ...]:
    """Of those that were kept at one moment, the one with the highest number."""
    return models.Report.saved_at.desc(), models.Report.number_in_service.desc()


def _numbers(service: Any) -> sa.Select[int]:
    return sa.select(models.Report.number_in_service).where(models.Report.service == service)
