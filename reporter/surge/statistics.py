"""How often reports on one service usually come, and whether they come too often now.

The statistic: in the last 5 or in the last 20 minutes there were at least four reports, and so
many would come by chance less than once in 10 000 times, were they independent of one another
(Poisson) and twice as frequent as is normal. Normal is the highest of three means: of the last 14
days, of the last 24 hours, and of the hour before and the hour after this time of day in the last
14 days. The first day of each of the service's latest three surges is left out.

Twice, since some days are busier than others, and Mondays busier than a mean with Sundays in it.
Hours are UTC's; one before and one after hold what a change of clocks moves. No more than a day of
three surges, so that a service which stays busy is in time no surge any more.

On simulated days, of 0.2 to 100 reports, flat, by day and night, in office hours or on working days
only, there are less than 0.4 false alarms a month after the first four weeks, in which a service
that is busy at once has up to ten. An outage of ten reports in ten minutes is found by the fourth,
in the busiest hour too, where up to 5 reports a day are normal; at 10 a day 98 times in 100, and at
30 half of the times by the seventh. Where 100 a day are normal it takes more than ten.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime, timedelta

HOUR, DAY = timedelta(hours=1), timedelta(days=1)

SHORT_WINDOW, WINDOW = timedelta(minutes=5), timedelta(minutes=20)
LEAST = 4
CHANCE = 1e-4
MARGIN = 2
DAYS = 14
LEFT_OUT = 3

Interval = tuple[datetime, datetime]  # after the one, up to the other


def is_surge(short_count: int, count: int, normal: float) -> bool:
    """Whether so many reports in the last 5 and 20 minutes are too many.

    *normal* is how many an hour usually has. Pure, as is all of this module.
    """
    return any(
        found >= LEAST and chance(found, MARGIN * normal * (window / HOUR)) < CHANCE
        for window, found in ((SHORT_WINDOW, short_count), (WINDOW, count))
    )


def usual_times(at: datetime, surges: Iterable[Interval]) -> list[list[Interval]]:
    """The times that tell what is normal at *at*, without the latest *surges*."""
    left_out = [(since, min(last, since + DAY)) for since, last in surges]
    same_hours = [at - number * DAY for number in range(1, DAYS + 1)]
    return [
        without(left_out, [(at - DAYS * DAY, at - WINDOW)]),
        without(left_out, [(at - DAY, at - WINDOW)]),
        without(left_out, [(same - HOUR, same + HOUR) for same in same_hours]),
    ]


def without(surges: Iterable[Interval], intervals: list[Interval]) -> list[Interval]:
    """What is left of *intervals*; a surge includes its first report."""
    for since, last in surges:
        pieces = [
            [(start, min(end, since - datetime.resolution)), (max(start, last), end)]
            for start, end in intervals
        ]
        intervals = [(start, end) for pair in pieces for start, end in pair if start < end]
    return intervals


def normal(counts: Iterable[int]) -> float:
    """How many reports an hour usually has, *counts* being those of the `usual_times`.

    One more is taken, so that a service nobody has reported yet is rare, and not impossible.
    """
    lengths = (DAYS * DAY, DAY, DAYS * 2 * HOUR)
    return max((count + 1) / (length / HOUR) for count, length in zip(counts, lengths, strict=True))


def chance(count: int, mean: float) -> float:
    """The probability of *count* or more, of which *mean* are expected (Poisson).

    1 where that is no more than the mean: nobody asks how near.
    """
    if count <= mean:
        return 1.0
    term = math.exp(-mean + count * math.log(mean) - math.lgamma(count + 1))
    total = 0.0
    while term > total * 1e-9:
        total += term
        count += 1
        term *= mean / count
    return total
