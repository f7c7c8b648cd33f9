"""Times as people write them: in a zone that is asked apart, or in support's. Pure but for the zone
of support, which is a setting.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from flask import current_app

# How people write a date with its hour.
FORMATS = (
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%d/%m/%Y %H:%M",
    "%d.%m.%Y %H:%M",
)
HOUR = re.compile(r"\d{1,2}:\d{2}")
# What is before is a slip of the hand; beyond the last an instant may have no name in UTC.
YEARS = range(1970, 9999)
FARTHEST = timedelta(days=366)
# So near on the other side of now, an hour alone is a slip and not of tomorrow or yesterday.
SLIP = timedelta(hours=6)


class NoSuchTime(ValueError):
    """Clocks skipped this time, when they went forward."""


class TwoSuchTimes(ValueError):
    """Clocks showed this time twice, when they went back. `earlier` and `later` are aware."""

    def __init__(self, earlier: datetime, later: datetime) -> None:
        super().__init__()
        self.earlier, self.later = earlier, later


def parse_local(text: str) -> datetime:
    """The naive time in *text*. Raises ValueError."""
    for pattern in FORMATS:
        try:
            local = datetime.strptime(text.strip(), pattern)  # noqa: DTZ007 (its zone is asked apart)
        except ValueError:
            continue
        if local.year in YEARS:
            return local
    raise ValueError(text)


def localize(local: datetime, zone: ZoneInfo, which: str | None = None) -> datetime:
    """The instant when clocks in *zone* showed *local*.

    *which* is "earlier" or "later" and only matters for a time that exists twice. Raises
    NoSuchTime or, without *which*, TwoSuchTimes (PEP 495).
    """
    earlier = local.replace(tzinfo=zone, fold=0)
    later = local.replace(tzinfo=zone, fold=1)
    if earlier.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != local:
        raise NoSuchTime
    if earlier.utcoffset() == later.utcoffset():
        return earlier
    if which not in {"earlier", "later"}:
        raise TwoSuchTimes(earlier, later)
    return earlier if which == "earlier" else later


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
    if HOUR.fullmatch(text):
        return _hour(text, now, ahead=ahead)
    try:
        moment = _moment(text).astimezone(UTC)
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


def _moment(text: str) -> datetime:
    """Of a date and an hour; of a time that the clocks show twice, the earlier."""
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


@cache
def zones() -> dict[str, str]:
    """Every IANA name, by its small letters and, where that is clear, by its city alone."""
    found: dict[str, str] = {}
    for name in sorted(available_timezones() - {"localtime", "Factory"}):
        found[name.lower()] = name
        city = name.rpartition("/")[2].replace("_", " ").lower()
        if "/" in name and not name.startswith(("Etc/", "posix/", "right/")):
            found.setdefault(city, name)
    return found


def parse_zone(text: str) -> ZoneInfo:
    """The zone called *text*: an IANA name in any case, or its city. Raises ValueError."""
    wanted = text.strip().lower()
    name = zones().get(wanted) or zones().get(wanted.replace(" ", "_"))
    if name is None:
        raise ValueError(text)
    return ZoneInfo(name)
