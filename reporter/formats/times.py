"""Times as people write them, in a zone that is asked apart. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from reporter.formats.text import plain

# How people write a date.
DATES = ("%Y-%m-%d", "%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%d/%m/%y", "%d.%m.%y")
FORMATS = (
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%dT%H:%M:%S",
    *(f"{date} %H:%M" for date in DATES),
    *(f"{date} %H:%M:%S" for date in DATES),
)
# What stands beside an hour and adds nothing to it, and its half of the day.
BESIDE = re.compile(
    r"(?<=\d),? (?:a las|a la|at|um|às) (?=\d)|(?<=\d), ?(?=\d)|(?<=\d) ?(?:h|hs|hrs|uhr)\.?$",
    re.IGNORECASE,
)
HALF = re.compile(r"(?<!\d)(\d{1,2}):(\d{2}) ?([ap])\.? ?m\.?$")
HOUR = re.compile(r"\d{1,2}:\d{2}")
DOTTED = re.compile(r"(?<![\d.])([01]?\d|2[0-3])\.([0-5]\d)$")
# No time is longer as anybody writes it; of what is, only so much is looked at.
LONGEST = 200
# What is before is a slip of the hand; beyond the last an instant may have no name in UTC.
YEARS = range(1970, 9999)
# A phone's clock may run ahead of ours by this much before "now" counts as the future.
CLOCK_SKEW = timedelta(minutes=2)


class NoSuchTime(ValueError):
    """Clocks skipped this time, when they went forward."""


class TwoSuchTimes(ValueError):
    """Clocks showed this time twice, when they went back. `earlier` and `later` are aware."""

    def __init__(self, earlier: datetime, later: datetime) -> None:
        super().__init__()
        self.earlier, self.later = earlier, later


def parse_local(text: str) -> datetime:
    """The naive time in *text*: a date and an hour. Raises ValueError."""
    text = tidied(text)
    found = _dated(text, FORMATS)
    if found is None:
        raise ValueError(text)
    return found


def parse_past(text: str, now: datetime, zone: ZoneInfo) -> datetime:
    """The naive time meant by *text* in *zone*: as `parse_local`, or an hour alone, which is the
    last one that is past at the time *now*. With an offset in it, as in "Z", it is an instant, and
    aware: in *zone*, where that hour may come twice. Raises ValueError."""
    written = tidied(text)
    if not HOUR.fullmatch(written):
        return _converted(written, zone) or parse_local(written)
    local = (now.astimezone(zone) + CLOCK_SKEW).replace(tzinfo=None)
    hour, _colon, minute = written.partition(":")
    today = datetime.combine(local.date(), time(int(hour), int(minute)))
    return today if today <= local else today - timedelta(days=1)


def _converted(text: str, zone: ZoneInfo) -> datetime | None:
    """The instant of a moment with its offset (RFC 3339), in *zone*; None of any other text."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None or moment.year not in YEARS:
        return None
    return moment.astimezone(zone).replace(microsecond=0)


def is_date_alone(text: str) -> bool:
    """Whether *text* is a day without its hour."""
    return _dated(tidied(text), DATES) is not None


def tidied(text: str) -> str:
    """*text* without what a paste adds and what stands beside an hour; its hour from 0 to 23."""
    text = " ".join(BESIDE.sub(" ", plain(text[:LONGEST])).split())
    text = DOTTED.sub(r"\1:\2", text)
    half = HALF.search(text.lower())
    if half and 1 <= int(half[1]) <= 12:
        hour = int(half[1]) % 12 + (12 if half[3] == "p" else 0)
        text = f"{text[: half.start()]}{hour}:{half[2]}"
    return text


def _dated(text: str, patterns: Sequence[str]) -> datetime | None:
    for pattern in patterns:
        try:
            local = datetime.strptime(text, pattern)  # noqa: DTZ007 (its zone is asked apart)
        except ValueError:
            continue
        if local.year in YEARS:
            return local
    return None


def localize(local: datetime, zone: ZoneInfo, which: str | None = None) -> datetime:
    """The instant when clocks in *zone* showed *local*, or which it is already, if it is aware.

    *which* is "earlier" or "later" and only matters for a time that exists twice. Raises
    NoSuchTime or, without *which*, TwoSuchTimes (PEP 495).
    """
    if local.tzinfo:
        return local
    earlier = local.replace(tzinfo=zone, fold=0)
    later = local.replace(tzinfo=zone, fold=1)
    if earlier.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != local:
        raise NoSuchTime
    if earlier.utcoffset() == later.utcoffset():
        return earlier
    if which not in {"earlier", "later"}:
        raise TwoSuchTimes(earlier, later)
    return earlier if which == "earlier" else later
