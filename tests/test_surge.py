"""Many reports about one outage: seen early, told once, and no false alarm on a quiet day."""

from __future__ import annotations

import math
import random
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
import sqlalchemy as sa
from factories import SENT_AT, Customer
from flask import Flask
from provider import (
    Provider,
    a_provider,
    a_provider_made_by,
    block_of,
    link,
    text_of,
    to_support,
)
from servers import alarm_server

from reporter.models import Message, Surge
from reporter.reports import surge
from reporter.reports.surge import chance, is_surge, normal

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
MONTH_DAYS = 30


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[Provider]:
    with a_provider(tmp_path) as provider:
        yield provider


def outage(
    provider: Provider, count: int, *, name: str = "a", every: timedelta = MINUTE, **changes: str
) -> list[str]:
    """*count* reports, one after the other; their receipts."""
    tokens = []
    for number in range(count):
        draft, email = f"{name}{number}", f"{name}{number}@example.com"
        tokens.append(provider.report(draft, email=email, **changes))
        provider.clock.shift(every)
    return tokens


def ticket_of(provider: Provider, token: str) -> EmailMessage:
    return to_support(provider.mails_of(token))[0]


def similar(provider: Provider, tokens: list[str]) -> list[str | None]:
    return [block_of(ticket_of(provider, token)).get("similar") for token in tokens]


def surges(provider: Provider) -> list[Surge]:
    with provider.database.read() as session:
        return list(session.scalars(sa.select(Surge).order_by(Surge.id)))


def surge_mails(mails: list[EmailMessage]) -> list[EmailMessage]:
    return [mail for mail in mails if "SURGE-" in mail["Message-ID"]]


# The statistic


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
    ],
)
def test_the_chance_of_so_many_is_poissons(count: int, mean: float, expected: float) -> None:
    assert math.isclose(chance(count, mean), expected, rel_tol=0.05)


def test_normal_is_the_mean_of_fourteen_days_or_of_one_whichever_is_more() -> None:
    window = 14 * 24 * 3  # twenty minutes each, in fourteen days
    assert normal([], [], SENT_AT) == 1 / window
    a_day_for_ten_days = [SENT_AT - number * DAY for number in range(1, 11)]
    assert normal(a_day_for_ten_days, [], SENT_AT) == 11 / window
    six_today = [SENT_AT - number * timedelta(hours=1) for number in range(1, 7)]
    assert normal(six_today, [], SENT_AT) == 6 / 72


def test_what_is_in_the_window_now_is_not_normal() -> None:
    now = [SENT_AT - number * MINUTE for number in range(20)]
    assert normal(now, [], SENT_AT) == normal([], [], SENT_AT)


def test_what_belonged_to_an_earlier_surge_is_not_normal() -> None:
    earlier = [SENT_AT - DAY / 2 + number * MINUTE for number in range(60)]
    assert normal(earlier, [(earlier[0], earlier[-1])], SENT_AT) == normal([], [], SENT_AT)
    assert normal(earlier, [(earlier[0], earlier[-2])], SENT_AT) > normal([], [], SENT_AT)


def at_minutes(*minutes: float) -> list[datetime]:
    return [SENT_AT + minute * MINUTE for minute in minutes]


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        ([0, 1, 2], False),
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
    times = at_minutes(*minutes)
    assert is_surge(times, [], times[-1]) == expected


@pytest.mark.parametrize(("a_day", "needed"), [(0, 4), (3, 4), (8, 4), (20, 6), (70, 8)])
def test_the_busier_a_service_the_more_it_takes(a_day: int, needed: int) -> None:
    usual = [SENT_AT - timedelta(hours=1) - number * DAY / a_day for number in range(14 * a_day)]
    burst = [SENT_AT + number * MINUTE for number in range(12)]
    times = sorted(usual) + burst
    found = [
        number
        for number in range(1, 13)
        if is_surge(times[: len(usual) + number], [], burst[number - 1])
    ]
    assert found == list(range(needed, 13))


# Simulated days


def always(at: datetime) -> float:
    return 1.0


def day_and_night(at: datetime) -> float:
    """Most at two in the afternoon, next to nothing at two in the morning."""
    return 1 + 0.9 * math.sin((at.hour + at.minute / 60 - 8) / 24 * 2 * math.pi)


def office_hours(at: datetime) -> float:
    """Four in five between eight and six, and a third of all that at the weekend."""
    usual = 0.8 * 24 / 10 if 8 <= at.hour < 18 else 0.2 * 24 / 14
    return usual / (1 if at.weekday() < 5 else 3) / (17 / 21)


def simulated(
    a_day: float, days: int, rhythm: Callable[[datetime], float], seed: int
) -> list[datetime]:
    """When reports come that have nothing to do with one another (a Poisson process, thinned)."""
    dice = random.Random(seed)
    start = datetime(2020, 1, 6, tzinfo=UTC)
    highest = 2.4
    times, minutes = [], 0.0
    while (minutes := minutes + dice.expovariate(a_day * highest / 1440)) < days * 1440:
        at = start + minutes * MINUTE
        if dice.random() < rhythm(at) / highest:
            times.append(at)
    return times


def alarms(times: list[datetime]) -> list[datetime]:
    """When a surge begins, as `note_report` has it, of reports that come at *times*."""
    found: list[tuple[datetime, datetime]] = []
    begun = []
    for number, at in enumerate(times):
        if number < 3 or times[number - 3] <= at - surge.WINDOW:
            continue  # too few in any case, and too many to compute
        known = times[bisect_right(times, at - surge.LONG_NORMAL) : number + 1]
        recent = [each for each in found if each[1] > at - surge.LONG_NORMAL]
        if not is_surge(known, recent, at):
            continue
        if recent and recent[-1][1] > at - surge.OVER_AFTER:
            found[-1] = (found[-1][0], at)
        else:
            found.append((times[bisect_right(times, at - surge.WINDOW)], at))
            begun.append(at)
    return begun


@pytest.mark.parametrize(
    ("name", "a_day", "years", "rhythm"),
    [
        ("a quiet service", 0.2, 20, always),
        ("a quiet service", 1, 20, day_and_night),
        ("a quiet service", 3, 10, office_hours),
        ("a steady service", 10, 5, always),
        ("a steady service by day and night", 10, 5, day_and_night),
        ("a steady service in office hours", 10, 5, office_hours),
    ],
)
def test_without_an_outage_there_is_less_than_one_alarm_a_month(
    name: str, a_day: float, years: int, rhythm: Callable[[datetime], float]
) -> None:
    assert false_alarms(name, a_day, years, rhythm) < 1


@pytest.mark.parametrize(
    ("name", "rhythm", "limit"),
    [
        ("all day", always, 1),
        ("by day and night", day_and_night, 1),
        ("in office", office_hours, 2),
    ],
)
def test_a_busy_service_alarms_little_more(
    name: str, rhythm: Callable[[datetime], float], limit: float
) -> None:
    """What is normal is a mean over day and night, so that the busiest hours stand out."""
    assert false_alarms(f"a busy service {name}", 30, 2, rhythm) < limit


def false_alarms(name: str, a_day: float, years: int, rhythm: Callable[[datetime], float]) -> float:
    """A month."""
    times = simulated(a_day, years * 365, rhythm, seed=20261123)
    a_month = len(alarms(times)) / (years * 365 / MONTH_DAYS)
    print(f"{name}, {a_day} reports a day, {years} years: {a_month:.3f} false alarms a month")
    assert abs(len(times) / (years * 365) / a_day - 1) < 0.1
    return a_month


@pytest.mark.parametrize("a_day", [0, 0.2, 1, 3, 8])
def test_an_outage_of_ten_reports_in_ten_minutes_is_found_by_the_fourth(a_day: float) -> None:
    """On quiet services, at any hour of 100 different weeks; and on none before the third."""
    late = []
    for seed in range(100):
        before = simulated(a_day, 15, day_and_night, seed) if a_day else []
        begin = datetime(2020, 1, 20, tzinfo=UTC) + random.Random(seed).uniform(0, 1440) * MINUTE
        before = [at for at in before if at < begin]
        found = alarms([*before, *(begin + number * MINUTE for number in range(10))])
        late.append(found[-1] - begin if found else 10 * MINUTE)
    by_the_fourth = sum(each <= 3 * MINUTE for each in late)
    print(f"{a_day} reports a day: {by_the_fourth} of 100 outages found by the fourth report")
    assert by_the_fourth >= (100 if a_day <= 3 else 60)
    assert all(each <= 5 * MINUTE for each in late)


def test_the_simulation_finds_what_the_service_finds(provider: Provider) -> None:
    """Two outages on a day with other reports, through the real thing."""
    quiet = [SENT_AT + hours * timedelta(hours=1) for hours in (0, 2.5, 7, 7.2, 15)]
    first = [SENT_AT + timedelta(hours=4) + number * 2 * MINUTE for number in range(9)]
    second = [SENT_AT + timedelta(hours=9) + number * 2 * MINUTE for number in range(6)]
    times = sorted([*quiet, *first, *second])
    for number, at in enumerate(times):
        provider.at(at)
        provider.report(f"a{number}", email=f"a{number}@example.com", started="just_now")
    expected = alarms(times)
    assert len(expected) == 2
    with provider.database.read() as session:
        told = session.scalars(sa.select(Message.created_at).where(Message.kind == "surge"))
        assert list(told) == expected


# What support receives


def test_each_ticket_of_a_surge_says_how_many_are_like_it(provider: Provider) -> None:
    tokens = outage(provider, 8, every=2 * MINUTE, summary="No hay correo")
    assert similar(provider, tokens) == [None] * 3 + [
        f"{count} in 20 min since 03:22" for count in (4, 5, 6, 7, 8)
    ]
    text = text_of(ticket_of(provider, tokens[6]))
    assert text.splitlines()[0].startswith(
        f"Nueva incidencia {provider.receipt(tokens[6]).report.reference}, enviada por el cliente"
        " con el formulario web."
        " Similares: 7 avisos sobre lo mismo en 20 minutos, desde las 03:22."
    )


def test_the_hour_is_of_supports_clock_in_summer_too(provider: Provider) -> None:
    provider.at(datetime(2026, 7, 1, 8, 4, tzinfo=UTC))
    tokens = outage(provider, 7, started="just_now")
    assert similar(provider, tokens)[6] == "7 in 20 min since 10:04"


def test_no_ticket_is_merged_or_dropped(provider: Provider) -> None:
    tokens = outage(provider, 10)
    mails = to_support(provider.work())
    tickets = [mail for mail in mails if mail["X-Incident-Reference"]]
    assert len(tickets) == len(set(tokens)) == 10
    assert len({mail["Message-ID"] for mail in tickets}) == 10
    assert len({mail["Subject"] for mail in tickets}) == 10
    assert all("In-Reply-To" not in mail and "References" not in mail for mail in tickets)
    assert len(mails) == 11


def test_support_is_told_once_with_a_link_to_tell_customers(provider: Provider) -> None:
    tokens = outage(provider, 10)
    (mail,) = surge_mails(provider.work())
    assert mail["To"] == mail["Reply-To"] == "support@example.com"
    assert mail["Subject"] == "Muchos avisos: web-hosting, 4 in 20 min since 03:22"
    assert (mail["Importance"], mail["X-Priority"]) == ("high", "1")
    assert "La tienda no carga" not in text_of(mail)
    assert "@example.com" not in text_of(mail)
    support = Customer(provider.app)
    page = support.open(link(mail, "/desk/notice/"))
    assert page.fields["started_at"] == "2026-11-23 03:22"
    support.submit(text="Cae el nodo 7", next_news_at="10:30")
    for token in (tokens[0], tokens[9]):
        assert "Cae el nodo 7" in provider.customer(token).page.text
    assert "Cae el nodo 7" in Customer(provider.app).open("/").text


def test_a_surge_goes_on_and_is_told_once_until_an_hour_has_passed(provider: Provider) -> None:
    outage(provider, 20, every=4 * MINUTE)
    assert len(surge_mails(provider.work())) == 1
    (row,) = surges(provider)
    assert (row.since, row.last_at) == (SENT_AT, SENT_AT + 76 * MINUTE)
    provider.later(minutes=52)
    tokens = outage(provider, 4, name="b")  # the fourth of them after 59 minutes
    assert surge_mails(provider.work()) == []
    assert similar(provider, tokens)[3] == "4 in 20 min since 03:22"


def test_a_surge_after_an_hour_is_another(provider: Provider) -> None:
    outage(provider, 6)
    provider.work()
    provider.later(minutes=60)
    tokens = outage(provider, 5, name="b")
    (mail,) = surge_mails(provider.work())
    assert mail["Subject"].endswith("4 in 20 min since 04:28")
    assert similar(provider, tokens)[4] == "5 in 20 min since 04:28"
    assert len(surges(provider)) == 2


def test_an_earlier_surge_does_not_deafen_the_next(provider: Provider) -> None:
    """Two hours of outage in the morning would make two hundred reports a day look normal."""
    outage(provider, 30, every=4 * MINUTE)
    provider.later(hours=6)
    tokens = outage(provider, 4, name="b")
    assert similar(provider, tokens)[3] is not None
    assert len(surges(provider)) == 2


def test_each_service_is_watched_by_itself(provider: Provider) -> None:
    for number in range(3):
        for service in ("email", "database", "connectivity"):
            provider.report(f"{service}{number}", service=service)
        provider.later(minutes=1)
    assert surges(provider) == []
    provider.report("another", service="database")
    assert [row.service for row in surges(provider)] == ["database"]


def test_the_alarm_channels_are_told_once(tmp_path: Path) -> None:
    with alarm_server() as server, a_provider(tmp_path, ALARM_URLS=[server.url]) as provider:
        for number in range(12):
            outage(provider, 1, name=f"{number}-")
            provider.work()
        provider.later(minutes=30)
        provider.work()
        (alarm,) = server.taken
        assert alarm["title"] == "Incident Reporter: SURGE-web-hosting"
        assert alarm["message"] == "SURGE-web-hosting: a mail of its own tells support more"


def test_the_alarm_comes_also_when_no_mail_leaves(tmp_path: Path) -> None:
    with alarm_server() as server, a_provider(tmp_path, ALARM_URLS=[server.url]) as provider:
        provider.smtp.scripts["MAIL"] = iter(["451 4.3.0 later"] * 50)
        outage(provider, 4, every=timedelta(seconds=10))
        provider.work()
        assert [alarm["title"] for alarm in server.taken] == [
            "Incident Reporter: SURGE-web-hosting"
        ]


def test_reports_at_the_same_moment_tell_once(make_app: Callable[..., Flask]) -> None:
    with a_provider_made_by(make_app, SEND_ACKNOWLEDGEMENT=False) as provider:
        with ThreadPoolExecutor(6) as pool:
            tokens = list(pool.map(lambda number: provider.report(f"a{number}"), range(12)))
        assert len(surges(provider)) == 1
        counts = sorted(int((each or "0").split()[0]) for each in similar(provider, tokens))
        assert counts == [0, 0, 0, *range(4, 13)]
        assert len(surge_mails(provider.work())) == 1


def test_the_mails_name_is_not_guessed(provider: Provider) -> None:
    outage(provider, 4)
    (mail,) = surge_mails(provider.work())
    assert re.fullmatch(r"<SURGE-web-hosting\.1\.[0-9a-f]{16}@example\.com>", mail["Message-ID"])
