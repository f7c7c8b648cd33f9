"""When it started: from what a person picks or types to one instant. Pure, no Flask."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

# A phone's clock may run ahead of ours by this much before "now" counts as the future.
CLOCK_SKEW = timedelta(minutes=2)

AGO = {
    "just_now": timedelta(0),
    "minutes_15": timedelta(minutes=15),
    "hour_1": timedelta(hours=1),
}

FORMATS = ("%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%d/%m/%Y %H:%M")
# Beyond them an instant may have no name in UTC.
YEARS = range(1970, 9999)


class Precision(StrEnum):
    EXACT = "exact"
    APPROXIMATE = "approximate"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Moment:
    """An instant, in the zone it was told in, and how far to trust it."""

    at: datetime
    precision: Precision


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
