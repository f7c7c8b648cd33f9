"""Too many reports: seen early in simulated outages, and seldom on simulated quiet days."""

from __future__ import annotations

import math
import random
from datetime import datetime, timedelta

import pytest
from factories import SENT_AT
from simulations import (
    BEGIN,
    MINUTE,
    RHYTHMS,
    WEEK,
    Rhythm,
    alarms,
    always,
    how_normal,
    simulated,
    surge_at,
)

from reporter.surge.statistics import DAY, HOUR, chance, without

MONTH = 30 * DAY


@pytest.mark.parametrize(
    ("count", "mean", "expected"),
    [
        (0, 0.5, 1.0),
        (1, 0.5, 0.3934693402873666),  # 1 - exp(-0.5)
        (2, 1.0, 0.26424111765711533),  # 1 - 2 exp(-1)
        (4, 0.125, 9.2048e-06),
        (4, 1.0, 0.018988156876153815),
        (10, 2.0, 4.6498e-05),
        (600, 500.0, 7.9e-06),
        (4, 1000.0, 1.0),
        (10_000, 0.01, 0.0),
    ],
)
def test_the_chance_of_so_many_is_poissons(count: int, mean: float, expected: float) -> None:
    assert math.isclose(chance(count, mean), expected, rel_tol=0.05)


def test_normal_is_the_highest_mean_of_fortnight_day_and_these_hours() -> None:
    assert how_normal([], [], SENT_AT) == 1 / 24
    ten_each_day = [SENT_AT - day * DAY - 6 * HOUR for day in range(13, 0, -1) for _ in range(10)]
    assert how_normal(ten_each_day, [], SENT_AT) == 131 / (14 * 24)
    twenty_today = [SENT_AT - number * HOUR for number in range(20, 0, -1)]
    assert how_normal(twenty_today, [], SENT_AT) == 21 / 24
    for minutes in (-59, 60):
        at_this_hour = [SENT_AT - day * DAY + minutes * MINUTE for day in range(14, 4, -1)]
        assert how_normal(at_this_hour, [], SENT_AT) == 11 / 28
        assert how_normal([at + 2 * minutes * MINUTE for at in at_this_hour], [], SENT_AT) < 1 / 14


def test_what_is_in_the_window_now_is_not_normal() -> None:
    now = [SENT_AT - number * MINUTE for number in range(19, -1, -1)]
    assert how_normal(now, [], SENT_AT) == how_normal([], [], SENT_AT)


def test_what_belonged_to_an_earlier_surge_is_not_normal() -> None:
    earlier = [SENT_AT - DAY / 2 + number * MINUTE for number in range(60)]
    assert how_normal(earlier, [(earlier[0], earlier[-1])], SENT_AT) == 1 / 24
    assert how_normal(earlier, [(earlier[0], earlier[-2])], SENT_AT) == 2 / 24
    assert how_normal(earlier, [(earlier[1], earlier[-1])], SENT_AT) == 2 / 24


def test_a_surge_is_left_out_for_a_day() -> None:
    since = SENT_AT - 10 * DAY
    hourly = [since + number * HOUR for number in range(9 * 24)]
    assert how_normal(hourly, [(since, hourly[-1])], SENT_AT) == (1 + 8 * 24 - 1) / (14 * 24)


def test_three_outages_at_this_hour_do_not_hide_the_fourth() -> None:
    begun = [BEGIN + day * DAY for day in range(4)]
    times = [begin + number * MINUTE for begin in begun for number in range(100)]
    assert alarms(times) == [begin + 3 * MINUTE for begin in begun]


def test_time_is_cut_around_surges() -> None:
    day = [(SENT_AT, SENT_AT + DAY)]
    before, after = SENT_AT - HOUR, SENT_AT + DAY + HOUR
    first, last = SENT_AT + HOUR, SENT_AT + 2 * HOUR
    short = first - datetime.resolution
    assert without([], day) == without([(before, before)], day) == day
    assert without([(after, after)], day) == day
    assert without([(before, after)], day) == []
    assert without([(before, last)], day) == [(last, day[0][1])]
    assert without([(first, after)], day) == [(SENT_AT, short)]
    assert without([(first, last)], day) == [(SENT_AT, short), (last, day[0][1])]


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        ([0, 1, 2], False),
        ([0, 0, 0], False),
        ([0, 1, 2, 3], True),
        ([0, 0, 0, 0], True),
        ([0, 6, 12, 19.9], True),
        ([0, 6, 12, 20], False),  # the first is twenty minutes old
        ([0, 10, 20, 30, 40, 50], False),
    ],
)
def test_four_within_twenty_minutes_are_a_surge_where_nothing_is_normal(
    minutes: list[float], expected: bool
) -> None:
    times = [SENT_AT + minute * MINUTE for minute in minutes]
    assert surge_at(times, [], times[-1]) == expected


def needed(a_day: int, every: timedelta) -> int:
    """How many reports it takes where so many a day come evenly; 0: no such row is a surge."""
    usual = [SENT_AT - HOUR - number * DAY / a_day for number in reversed(range(14 * a_day))]
    burst = [SENT_AT + number * every for number in range(40)]
    found = (number for number, at in enumerate(burst, 1) if surge_at(usual + burst, [], at))
    return next(found, 0)


@pytest.mark.parametrize(
    ("a_day", "one_a_minute", "one_in_three"),
    [(1, 4, 4), (5, 4, 4), (8, 4, 5), (20, 4, 6), (30, 4, 7), (50, 5, 0), (70, 10, 0)],
)
def test_the_busier_a_service_the_more_it_takes(
    a_day: int, one_a_minute: int, one_in_three: int
) -> None:
    assert (needed(a_day, MINUTE), needed(a_day, 3 * MINUTE)) == (one_a_minute, one_in_three)


# Simulated days


@pytest.mark.parametrize("rhythm", RHYTHMS)
@pytest.mark.parametrize(
    ("a_day", "years"), [(0.2, 10), (1, 10), (3, 8), (10, 4), (30, 1.5), (100, 0.6)]
)
def test_without_an_outage_a_false_alarm_is_rare(
    a_day: float, years: float, rhythm: Rhythm
) -> None:
    """Less than 0.4 a month, and in the first four weeks of a service no more than eight."""
    lasts = years * 365 * DAY
    times = simulated(a_day, lasts, rhythm, seed=20261123)
    assert abs(len(times) / (lasts / DAY) / a_day - 1) < 0.1
    found = alarms(times)
    first = sum(at < BEGIN + 4 * WEEK for at in found)
    a_month = (len(found) - first) / ((lasts - 4 * WEEK) / MONTH)
    print(f"{a_day} a day, {rhythm.__name__}: {a_month:.3f} a month, {first} in four weeks")
    assert a_month < 0.4
    assert first <= 8


def test_a_service_that_becomes_busy_for_good_is_in_time_no_surge() -> None:
    """Not one that never ends either, in which a real one would not be told."""
    times = simulated(500, 2 * WEEK, always, seed=1)
    assert 1 <= len(alarms(times)) <= 4
    end = times[-1]
    outage = [end + number * MINUTE / 4 for number in range(1, 41)]
    assert any(at > end for at in alarms([*times, *outage]))


def noticed_by(a_day: float, rhythm: Rhythm, *, busy: bool) -> list[int]:
    """The report by which each of 100 outages is noticed, in order; 11: by none of its ten."""
    noticed = []
    for seed in range(100):
        dice = random.Random(seed)
        hour = dice.uniform(13, 15) if busy else dice.uniform(0, 24)
        begin = BEGIN + 15 * DAY + hour * HOUR
        outage = [begin + number * MINUTE for number in range(10)]
        usual = simulated(a_day, 16 * DAY, rhythm, seed) if a_day else []
        times = sorted([*(at for at in usual if at < outage[-1]), *outage])
        found = [at for at in alarms(times, begin - MINUTE) if at >= begin]
        noticed.append(sum(at <= found[0] for at in outage) if found else 11)
    return sorted(noticed)


@pytest.mark.parametrize("busy", [False, True])
@pytest.mark.parametrize("rhythm", RHYTHMS)
@pytest.mark.parametrize(
    ("a_day", "by_the_fourth", "half_by"),
    [(0, 100, 4), (1, 100, 4), (3, 100, 4), (5, 100, 4), (10, 98, 4), (30, 5, 7)],
)
def test_an_outage_of_ten_reports_in_ten_minutes_is_found_by_the_fourth(
    a_day: float, by_the_fourth: int, half_by: int, rhythm: Rhythm, busy: bool
) -> None:
    """On services with up to five reports a day, at any hour and at the busiest."""
    noticed = noticed_by(a_day, rhythm, busy=busy)
    found = sum(number <= 4 for number in noticed)
    print(f"{a_day} a day, {rhythm.__name__}, {busy=}: {found} of 100, half by {noticed[50]}")
    assert found >= by_the_fourth
    assert noticed[50] <= half_by
