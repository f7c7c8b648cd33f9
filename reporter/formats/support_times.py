"""Times as support writes them: in its own zone, which is a setting, gone by or to come."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask import current_app

from reporter.formats.times import HOUR, YEARS, NoSuchTime, localize, parse_local, tidied

# Of a time to come; what is said for later is a slip of the hand.
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
    """The instant meant by *text*, in UTC: an hour, or a date and an hour, in TIMEZONE.

    An hour alone, as in "10:30", is the next one when *ahead*, else the last one. Raises
    ValueError, for a time on the other side of *now* WrongSide; also for one that the clocks do
    not show that day, and for one over a year ahead.
    """
    text = text.strip()
    if HOUR.fullmatch(tidied(text)):
        return _hour(tidied(text), now, ahead=ahead)
    try:
        moment = parse_moment(text).astimezone(UTC)
    except OverflowError:
        raise ValueError(text) from None
    if moment.year not in YEARS or moment - now > FARTHEST:
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
    shown = found.astimezone(zone)
    if (shown.hour, shown.minute) != (clock.hour, clock.minute):
        raise NoSuchTime(text)
    if missed and abs(now - missed[-1]) < SLIP and abs(found - now) > SLIP:
        raise WrongSide(text, found)
    return found


def parse_moment(text: str) -> datetime:
    """The instant of a date and an hour, in TIMEZONE where *text* has no offset; of a time that
    the clocks show twice, the earlier. Raises ValueError."""
    try:
        local = parse_local(text)
    except ValueError:
        full = datetime.fromisoformat(text)
        if full.tzinfo:
            return full
        local = full
    try:
        return localize(local, support_zone(), "earlier")
    except NoSuchTime:
        raise NoSuchTime(text) from None
