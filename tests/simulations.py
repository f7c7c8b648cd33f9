"""Reports that come by chance, and the surges that are seen in them."""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from reporter.surge import statistics as frequency
from reporter.surge.statistics import DAY, HOUR, Interval, is_surge, normal, usual_times

MINUTE = timedelta(minutes=1)
WEEK = 7 * DAY
BEGIN = datetime(2020, 1, 6, tzinfo=UTC)  # a Monday
MADRID = ZoneInfo("Europe/Madrid")

Rhythm = Callable[[datetime], float]


def always(at: datetime) -> float:
    return 1.0


def day_and_night(at: datetime) -> float:
    """Most at two in the afternoon, next to nothing at two in the morning."""
    return 1 + 0.9 * math.sin((at.hour + at.minute / 60 - 8) / 24 * 2 * math.pi)


def office_hours(at: datetime) -> float:
    """Four in five between eight and six, and a third of all that at the weekend."""
    usual = 0.8 * 24 / 10 if 8 <= at.hour < 18 else 0.2 * 24 / 14
    return usual / (1 if at.weekday() < 5 else 3) / (17 / 21)


def working_days(at: datetime) -> float:
    """Between eight and six on working days only, by a clock that changes twice a year."""
    local = at.astimezone(MADRID)
    return 24 / 10 * 7 / 5 if 8 <= local.hour < 18 and local.weekday() < 5 else 0.0


RHYTHMS = (always, day_and_night, office_hours, working_days)


def simulated(a_day: float, lasts: timedelta, rhythm: Rhythm, seed: int) -> list[datetime]:
    """When reports come that have nothing to do with one another (a Poisson process, thinned)."""
    dice = random.Random(seed)
    highest = 3.4
    times, at = [], BEGIN
    while (at := at + dice.expovariate(a_day * highest) * DAY) < BEGIN + lasts:
        if dice.random() < rhythm(at) / highest:
            times.append(at)
    return times


def alarms(times: list[datetime], since: datetime = BEGIN) -> list[datetime]:
    """When a surge begins, as `judge` has it, of reports that come at *times*."""
    found: list[Interval] = []
    begun = []
    for at in times[bisect_right(times, since) :]:
        if not surge_at(times, found, at):
            continue
        if found and found[-1][1] > at - HOUR:
            found[-1] = (found[-1][0], at)
        else:
            found.append((times[bisect_right(times, at - frequency.WINDOW)], at))
            begun.append(at)
    return begun


def counted(times: Sequence[datetime], intervals: Iterable[Interval]) -> int:
    """How many of *times*, oldest first, are in *intervals*. The service counts in SQL."""
    return sum(bisect_right(times, end) - bisect_right(times, start) for start, end in intervals)


def how_normal(times: list[datetime], surges: list[Interval], at: datetime) -> float:
    return normal(counted(times, intervals) for intervals in usual_times(at, surges))


def surge_at(times: list[datetime], surges: list[Interval], at: datetime) -> bool:
    """Whether the reports at *times* are a surge at *at*, as `judge` has it."""
    known = bisect_right(times, at)
    short_count = known - bisect_right(times, at - frequency.SHORT_WINDOW)
    count = known - bisect_right(times, at - frequency.WINDOW)
    if count < frequency.LEAST:
        return False
    return is_surge(short_count, count, how_normal(times, surges[-frequency.LEFT_OUT :], at))
