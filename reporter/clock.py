"""Times as support writes them: an hour of today, or a date and an hour, in TIMEZONE."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask import current_app

FORMATS = ("%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%d/%m/%Y %H:%M")
HOUR = re.compile(r"\d{1,2}:\d{2}")
# What is before or after is a slip of the hand.
FIRST_YEAR = 1970
FARTHEST = timedelta(days=366)
# So near on the other side of now, an hour alone is a slip and not of tomorrow or yesterday.
SLIP = timedelta(hours=6)


class WrongSide(ValueError):
    """A time that is not to come, or has not been yet. `moment`: that hour on the next day, or
    on the day before, if no day was said."""

    def __init__(self, text: str, moment: datetime | None = None) -> None:
        super().__init__(text)
        self.moment = moment


def support_zone() -> ZoneInfo:
    return ZoneInfo(current_app.config["TIMEZONE"])


def parse_time(text: str, now: datetime, *, ahead: bool) -> datetime:
    """The instant meant by *text*, in UTC.

    An hour alone, as in "10:30", is the next one when *ahead*, else the last one. Raises
    ValueError, for a time on the other side of *now* WrongSide; also for one that the clocks do
    not show that day, and for one over a year ahead.
    """
    text = text.strip()
    if HOUR.fullmatch(text):
        return _hour(text, now, ahead=ahead)
    try:
        moment = _moment(text).astimezone(UTC)
    except OverflowError:
        raise ValueError(text) from None
    if moment.year < FIRST_YEAR or moment - now > FARTHEST:
        raise ValueError(text)
    if (moment > now) != ahead:
        raise WrongSide(text)
    return moment


def _hour(text: str, now: datetime, *, ahead: bool) -> datetime:
    """Of an hour that is twice that day, the one that is nearer and on the right side."""
    zone = support_zone()
    hour, _colon, minute = text.partition(":")
    clock = time(int(hour), int(minute), tzinfo=zone)
    today = now.astimezone(zone).date()
    days, folds = ((0, 1), (0, 1)) if ahead else ((0, -1), (1, 0))
    moments = [
        datetime.combine(today + timedelta(days=day), clock.replace(fold=fold)).astimezone(UTC)
        for day in days
        for fold in folds
    ]
    found = next(moment for moment in moments if (moment > now) == ahead)
    missed = [moment for moment in moments if (moment > now) != ahead]
    _check_shown(found.astimezone(zone), clock, text)
    if missed and abs(now - missed[-1]) < SLIP and abs(found - now) > SLIP:
        raise WrongSide(text, found)
    return found


def _moment(text: str) -> datetime:
    zone = support_zone()
    for pattern in FORMATS:
        try:
            moment = datetime.strptime(text, pattern).replace(tzinfo=zone)
        except ValueError:
            continue
        _check_shown(moment.astimezone(UTC).astimezone(zone), moment.time(), text)
        return moment
    full = datetime.fromisoformat(text)
    return full if full.tzinfo else full.replace(tzinfo=zone)


def _check_shown(moment: datetime, clock: time, text: str) -> None:
    """Raises ValueError where the clocks go forward over *clock*, which became *moment*."""
    if (moment.hour, moment.minute) != (clock.hour, clock.minute):
        raise ValueError(text)
