"""Times as support writes them: an hour of today, or a date and an hour, in TIMEZONE."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask import current_app

FORMATS = ("%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%d/%m/%Y %H:%M")
# What is before or after is a slip of the hand.
FIRST_YEAR = 1970
FARTHEST = timedelta(days=366)


def support_zone() -> ZoneInfo:
    return ZoneInfo(current_app.config["TIMEZONE"])


def parse_time(text: str, now: datetime, *, ahead: bool) -> datetime:
    """The instant meant by *text*, in UTC.

    An hour alone, as in "10:30", is the next one when *ahead*, else the last one. Raises
    ValueError, also for a time on the other side of *now*, or over a year ahead.
    """
    text = text.strip()
    if ":" in text and len(text) <= 5:
        return _hour(text, now, ahead=ahead)
    try:
        moment = _moment(text).astimezone(UTC)
    except OverflowError:
        raise ValueError(text) from None
    if (moment > now) != ahead or moment.year < FIRST_YEAR or moment - now > FARTHEST:
        raise ValueError(text)
    return moment


def _hour(text: str, now: datetime, *, ahead: bool) -> datetime:
    """Of an hour that is twice that day, the one that is nearer and on the right side."""
    zone = support_zone()
    hour, _colon, minute = text.partition(":")
    clock = time(int(hour), int(minute), tzinfo=zone)
    today = now.astimezone(zone).date()
    days, folds = ((0, 1), (0, 1)) if ahead else ((0, -1), (1, 0))
    moments = (
        datetime.combine(today + timedelta(days=day), clock.replace(fold=fold)).astimezone(UTC)
        for day in days
        for fold in folds
    )
    return next(moment for moment in moments if (moment > now) == ahead)


def _moment(text: str) -> datetime:
    zone = support_zone()
    for pattern in FORMATS:
        try:
            return datetime.strptime(text, pattern).replace(tzinfo=zone)
        except ValueError:
            continue
    full = datetime.fromisoformat(text)
    return full if full.tzinfo else full.replace(tzinfo=zone)
