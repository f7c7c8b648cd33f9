"""Reports on one service that arrive faster than is normal for it.

The statistic: in the last 20 minutes there were at least four reports, and so many would come by
chance less than once in 100 000 times, were they independent of one another (Poisson) and as
frequent as the service's own normal. Normal is the mean of the last 14 days or of the last 24
hours, whichever is more, without what belonged to earlier surges. A surge is over once an hour
has passed without.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask import current_app
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from reporter import models
from reporter.composing import finish, mime_id, new_message, support
from reporter.database import exclusive
from reporter.delivery import outbox
from reporter.notices.links import open_notice_url
from reporter.reports.block import Similar

SURGE = "surge"  # the kind of its mail

WINDOW = timedelta(minutes=20)
LEAST = 4
CHANCE = 1e-5
LONG_NORMAL, SHORT_NORMAL = timedelta(days=14), timedelta(days=1)
OVER_AFTER = timedelta(hours=1)

Interval = tuple[datetime, datetime]


def note_report(session: Session, service: str, at: datetime) -> Similar | None:
    """Take account of a report just stored. What to say of similar ones, while there is a surge.

    The report that begins one queues the mail that tells support, once.
    """
    exclusive(session, f"surge {service}")
    times = session.scalars(
        sa.select(models.Report.saved_at)
        .where(models.Report.service == service, models.Report.saved_at > at - LONG_NORMAL)
        .order_by(models.Report.saved_at)
    ).all()
    surges = session.scalars(
        sa.select(models.Surge)
        .where(models.Surge.service == service, models.Surge.last_at > at - LONG_NORMAL)
        .order_by(models.Surge.last_at)
    ).all()
    current = surges[-1] if surges and surges[-1].last_at > at - OVER_AFTER else None
    recent = [time for time in times if time > at - WINDOW]
    if not is_surge(times, [(surge.since, surge.last_at) for surge in surges], at):
        return None
    begins = current is None
    if current is None:
        current = models.Surge(service=service, since=recent[0], last_at=at)
        session.add(current)
        session.flush()
    current.last_at = at
    similar = Similar(len(recent), int(WINDOW.total_seconds() // 60), current.since)
    if begins:
        _tell_support(session, current, similar, at)
    return similar


def is_surge(times: Sequence[datetime], surges: Collection[Interval], at: datetime) -> bool:
    """Whether the reports at *times*, up to *at*, are a surge now. Pure."""
    count = sum(time > at - WINDOW for time in times)
    return count >= LEAST and chance(count, normal(times, surges, at)) < CHANCE


def normal(times: Sequence[datetime], surges: Collection[Interval], at: datetime) -> float:
    """How many reports a window usually has."""
    usual = [
        time
        for time in times
        if time <= at - WINDOW and not any(since <= time <= last for since, last in surges)
    ]
    # One more, so that a service nobody has reported yet is rare, and not impossible.
    long = (len(usual) + 1) / (LONG_NORMAL / WINDOW)
    short = sum(time > at - SHORT_NORMAL for time in usual) / (SHORT_NORMAL / WINDOW)
    return max(long, short)


def chance(count: int, mean: float) -> float:
    """The probability of *count* or more, of which *mean* are expected (Poisson)."""
    fewer = sum(math.exp(-mean + k * math.log(mean) - math.lgamma(k + 1)) for k in range(count))
    return max(0.0, 1.0 - fewer)


def _tell_support(session: Session, surge: models.Surge, similar: Similar, at: datetime) -> None:
    config = current_app.config
    reference = f"SURGE-{surge.service}"
    language = config["SUPPORT_LOCALE"]
    link = open_notice_url(surge.service, surge.since)
    with force_locale(language):
        subject = _(
            "Many reports: %(service)s, %(similar)s", service=surge.service, similar=similar
        )
        text = _(
            "Reports on %(service)s arrive faster than is normal for it: %(similar)s.\n\n"
            "Each is a ticket of its own. If they have one cause, tell customers so:\n"
            "%(link)s\n",
            service=surge.service,
            similar=similar,
            link=link,
        )
    mail = new_message(
        to=config["SUPPORT_EMAIL"],
        reply_to=support(),
        subject=subject,
        mime_id=mime_id(reference, str(surge.id)),
        date=at,
    )
    mail.set_content(text, cte="quoted-printable")
    final = finish(mail, {"Content-Language": language, "Importance": "high", "X-Priority": "1"})
    message = outbox.enqueue(
        session,
        kind=SURGE,
        reference=reference,
        recipient=final.recipient,
        mime_id=final.mime_id,
        content=final.content,
        now=at,
    )
    message.urgent = True
