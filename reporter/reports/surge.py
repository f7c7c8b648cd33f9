"""Reports on one service that arrive faster than is normal for it, as `frequency` tells.

A surge is over once an hour has passed without.
"""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa
from flask import current_app
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from reporter import models
from reporter.database import UTCDateTime, exclusive
from reporter.delivery import outbox
from reporter.delivery.outbox import Mail
from reporter.formats.words import service_name
from reporter.mail.message import finish, mime_id, new_message
from reporter.models import MailKind
from reporter.notices.links import open_notice_url
from reporter.report import Similar
from reporter.reports.surge_statistics import (
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


def note_report(session: Session, service: str, at: datetime) -> Similar | None:
    """Take account of a report just stored. What to say of similar ones, while there is a surge.

    The report that begins one queues the mail that tells support, once.
    """
    exclusive(session, f"surge {service}")
    saved_at = models.Report.saved_at
    counts = sa.select(
        sa.func.count().filter(saved_at > at - SHORT_WINDOW),
        sa.func.count(),
        sa.func.min(saved_at),
    ).where(models.Report.service == service, saved_at > at - WINDOW)
    short_count, count, first = session.execute(counts).one()
    if count < LEAST:
        return None
    surges = session.scalars(
        sa.select(models.Surge)
        .where(models.Surge.service == service)
        .order_by(models.Surge.last_at.desc())
        .limit(LEFT_OUT)
    ).all()
    left_out = [(surge.since, surge.last_at) for surge in surges]
    usual = count_reports(session, service, usual_times(at, left_out))
    if not is_surge(short_count, count, normal(usual)):
        return None
    current = surges[0] if surges and surges[0].last_at > at - OVER_AFTER else None
    begins = current is None
    if current is None:
        current = models.Surge(service=service, since=first, last_at=at)
        session.add(current)
        session.flush()
    current.last_at = at
    similar = Similar(count, int(WINDOW.total_seconds() // 60), current.since)
    if begins:
        _tell_support(session, current, similar, at)
    return similar


def count_reports(session: Session, service: str, times: list[list[Interval]]) -> list[int]:
    """How many reports on *service* came at each of *times*, in one statement."""
    bounds: dict[str, object] = {"service": service}
    number = 0
    for number, (start, end) in enumerate(itertools.chain(*times), start=1):
        bounds |= {f"start{number}": start, f"end{number}": end}
    counts = iter(session.execute(_counting(number), bounds).one()[1:])
    return [sum(itertools.islice(counts, len(intervals))) for intervals in times]


@cache
def _counting(intervals: int) -> sa.Select[Any]:
    """A zero, since there may be no *intervals*, and the count of reports in each.

    It is made once: that takes longer than the short looks at an index that it is.
    """
    saved_at = models.Report.saved_at
    count = sa.select(sa.func.count()).where(models.Report.service == sa.bindparam("service"))
    bounds = [
        [sa.bindparam(f"{edge}{number}", type_=UTCDateTime) for edge in ("start", "end")]
        for number in range(1, intervals + 1)
    ]
    counts = [count.where(saved_at > start, saved_at <= end) for start, end in bounds]
    return sa.select(sa.literal(0), *(each.scalar_subquery() for each in counts))


def _tell_support(session: Session, surge: models.Surge, similar: Similar, at: datetime) -> None:
    link = open_notice_url(surge.service, surge.since)
    reference = f"SURGE-{surge.service}"
    mail = compose_surge(reference, surge.id, surge.service, similar, link, at)
    message = outbox.enqueue(session, mail, kind=MailKind.SURGE, reference=reference, due_at=at)
    message.urgent = True


def compose_surge(
    reference: str, number: int, service: str, similar: Similar, link: str, at: datetime
) -> Mail:
    """What tells support that a surge has begun; *number* is the surge's."""
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
            "Reports on %(service)s arrive faster than is normal for it: "
            "%(count)s in %(minutes)s minutes, since %(since)s.\n\n"
            "Each is a ticket of its own. If they have one cause, tell customers so:\n"
            "%(link)s\n\n"
            "The same link later tells them more, and that it is over.\n",
            **told,
            link=link,
        )
    mail = new_message(
        to=config["SUPPORT_EMAIL"],
        subject=subject,
        mime_id=mime_id(reference, str(number)),
        date=at,
    )
    mail.set_content(text, cte="quoted-printable")
    return finish(mail, {"Content-Language": language, "Importance": "high", "X-Priority": "1"})
