"""How a known incident went: its moments in order and its figures, for the review afterwards."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from reporter import models
from reporter.formats.spreadsheet import inert
from reporter.notices import followers
from reporter.notices.notice import Notice


class Happened(StrEnum):
    BEGAN = "began"
    FIRST_REPORT = "first_report"
    SURGE = "surge"
    OPENED = "opened"
    SEEN = "seen"
    MESSAGE = "message"
    CLOSED = "closed"


@dataclass(frozen=True)
class Moment:
    """One thing that happened. `text`: what customers were told then."""

    at: datetime
    what: Happened
    text: str = ""


@dataclass(frozen=True)
class Figures:
    reports: int
    followers: int
    first_report_at: datetime | None
    opened_after: timedelta | None  # since the first report
    lasted: timedelta | None  # from its beginning, once it is closed


def of_notice(session: Session, notice: Notice, language: str) -> tuple[Sequence[Moment], Figures]:
    report, surge = models.Report, models.Surge
    linked = report.notice_id == notice.id
    count, first, seen = session.execute(
        sa.select(sa.func.count(), sa.func.min(report.saved_at), sa.func.min(report.seen_at)).where(
            linked
        )
    ).one()
    row = session.get_one(models.Notice, notice.id)
    until = notice.closed_at or notice.latest.at
    surged = session.scalar(
        sa.select(sa.func.min(surge.since)).where(
            surge.service.in_(notice.services),
            surge.last_at >= notice.started_at,
            surge.since <= until,
        )
    )
    moments = [Moment(notice.started_at, Happened.BEGAN)]
    for at, what in (
        (first, Happened.FIRST_REPORT),
        (surged, Happened.SURGE),
        (seen, Happened.SEEN),
    ):
        if at is not None:
            moments.append(Moment(at, what))
    for number, entry in enumerate(notice.entries):
        last = notice.closed_at is not None and number == len(notice.entries) - 1
        what = Happened.CLOSED if last else Happened.MESSAGE if number else Happened.OPENED
        moments.append(Moment(entry.at, what, entry.words(language)))
    figures = Figures(
        reports=count + row.erased_reports,
        followers=followers.count(session, notice.id),
        first_report_at=first,
        opened_after=max(notice.opened_at - first, timedelta()) if first else None,
        lasted=notice.closed_at - notice.started_at if notice.closed_at else None,
    )
    order = list(Happened)
    return sorted(moments, key=lambda each: (each.at, order.index(each.what))), figures


def positions(moments: Sequence[Moment], width: int) -> list[float]:
    """Where each stands on a line of that width, to scale."""
    if not moments:
        return []
    begin = moments[0].at
    whole = (moments[-1].at - begin).total_seconds() or 1.0
    return [round(width * (each.at - begin).total_seconds() / whole, 1) for each in moments]


def as_json(notice: Notice, moments: Sequence[Moment], figures: Figures) -> str:
    """All of it, for a program. Times are UTC, durations in seconds."""
    content = {
        "key": notice.key,
        "services": list(notice.services),
        "started_at": _utc(notice.started_at),
        "opened_at": _utc(notice.opened_at),
        "closed_at": _utc(notice.closed_at),
        "reports": figures.reports,
        "followers": figures.followers,
        "first_report_at": _utc(figures.first_report_at),
        "opened_after_seconds": _seconds(figures.opened_after),
        "lasted_seconds": _seconds(figures.lasted),
        "timeline": [
            {"at": _utc(each.at), "what": each.what, "text": each.text} for each in moments
        ],
    }
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def as_csv(moments: Sequence[Moment]) -> str:
    """The timeline for a spreadsheet, which runs no text of it as a formula."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["at", "what", "text"])
    for each in moments:
        writer.writerow([_utc(each.at), each.what, inert(each.text)])
    return out.getvalue()


def _utc(moment: datetime | None) -> str | None:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None


def _seconds(duration: timedelta | None) -> int | None:
    return None if duration is None else int(duration.total_seconds())
