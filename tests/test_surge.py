"""Many reports about one outage: seen early, told once, and no false alarm on a quiet day."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from customers import Customer
from factories import SENT_AT, a_report
from flask import Flask
from flask_babel import force_locale
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
from simulations import MINUTE, alarms, counted

from reporter.database import Database
from reporter.models import Channel, Message, Report, Surge
from reporter.reports.submission import submit
from reporter.surge.counting import count_reports
from reporter.surge.detection import MANY, judge, keep
from reporter.surge.statistics import DAY, HOUR, WINDOW, usual_times
from reporter.web.bounds import source_hashes


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


def a_row(number: int, service: str, at: datetime) -> Report:
    name = str(number)
    return Report(
        reference=name,
        token_hash=name,
        draft_id=name,
        content={},
        service=service,
        saved_at=at,
        number_in_service=number + 1,
    )


# The service and the simulation


@pytest.mark.parametrize("before", [[], [0], [40, 100, 380]])
def test_sql_counts_as_the_simulation_does(database: Database, before: list[int]) -> None:
    dice = random.Random(20261123)
    edges = [at for intervals in usual_times(SENT_AT, []) for pair in intervals for at in pair]
    # Several at one moment too, and in no order: by which way they are found must not matter.
    times = sorted([*edges * 3, *(SENT_AT - dice.uniform(0, 16) * DAY for _ in range(400))])
    surges = [(times[number], times[number + 20]) for number in before]
    rows = [a_row(number, "email", at) for number, at in enumerate(times)]
    dice.shuffle(rows)
    with database.write() as session:
        session.add_all([*rows, a_row(-1, "database", SENT_AT - DAY)])
    usual = usual_times(SENT_AT, surges)
    with database.read() as session:
        counts = count_reports(session, "email", usual)
    with database.write() as session:
        session.execute(sa.text("DROP INDEX ix_report_service_saved_at"))
        counts_without_index = count_reports(session, "email", usual)
        session.rollback()
    assert counts == [counted(times, intervals) for intervals in usual] == counts_without_index
    assert min(counts) > 10


def test_nothing_is_counted_where_all_was_one_surge(database: Database) -> None:
    with database.read() as session:
        assert count_reports(session, "email", [[], []]) == [0, 0]


def test_the_simulation_finds_what_the_service_finds(make_app: Callable[..., Flask]) -> None:
    """Two outages on a day with other reports, through the real thing."""
    hours = (0, 2.5, 7, 7.2, 15)
    quiet = [SENT_AT + each * HOUR for each in hours]
    first = [SENT_AT + 4 * HOUR + number * 2 * MINUTE for number in range(9)]
    second = [SENT_AT + 9 * HOUR + number * 2 * MINUTE for number in range(6)]
    times = sorted([*quiet, *first, *second])
    expected = alarms(times, SENT_AT - DAY)
    assert len(expected) == 2
    with a_provider_made_by(make_app) as provider:
        for number, at in enumerate(times):
            provider.at(at)
            provider.report(f"a{number}", email=f"a{number}@example.com", started="just_now")
        with provider.database.read() as session:
            told = session.scalars(sa.select(Message.created_at).where(Message.kind == "surge"))
            assert list(told) == expected


def test_a_large_surge_is_counted_once_in_a_while(app: Flask) -> None:
    database: Database = app.extensions["sqlalchemy"]
    with database.write() as session:
        session.add(Surge(service="email", since=SENT_AT, last_at=SENT_AT, normal=0.1))
        session.add_all(a_row(number, "email", SENT_AT) for number in range(MANY))
    counts = []
    for number, seconds in enumerate([1, 10, 11], start=MANY):
        at = SENT_AT + timedelta(seconds=seconds)
        with app.app_context(), database.write() as session:
            surging = judge(session, "email", at)
            assert surging is not None
            keep(session, surging, None, at)
            session.add(a_row(number, "email", at))
        counts.append(surging.similar.count)
    assert counts == [MANY + 1, MANY + 1, MANY + 3]
    with database.read() as session:
        assert session.scalar(sa.select(Surge.last_at)) == SENT_AT + timedelta(seconds=11)


def test_what_is_usual_is_counted_once_a_minute_and_anew_after_a_surge(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    database: Database = app.extensions["sqlalchemy"]
    counted_at: list[int] = []

    def counting(*of: Any) -> list[int]:
        counted_at.append(seconds)
        return count_reports(*of)

    monkeypatch.setattr("reporter.surge.detection.count_reports", counting)
    with database.write() as session:
        session.add_all(a_row(number, "email", SENT_AT) for number in range(9))
    for seconds in (0, 30, 59, 60, 61, 62):
        if seconds == 61:
            with database.write() as session:
                past = SENT_AT - 2 * DAY
                session.add(Surge(service="email", since=past, last_at=past + HOUR, normal=1.0))
        with app.app_context(), database.read() as session:
            judge(session, "email", SENT_AT + timedelta(seconds=seconds))
    assert counted_at == [0, 60, 61]


# What support receives


def test_each_ticket_of_a_surge_says_how_many_are_like_it(provider: Provider) -> None:
    tokens = outage(provider, 8, every=2 * MINUTE, summary="No hay correo")
    assert similar(provider, tokens) == [None] * 3 + [
        f"{count} in 20 min since 03:22" for count in (4, 5, 6, 7, 8)
    ]
    text = text_of(ticket_of(provider, tokens[6]))
    assert text.split("\n\n")[2] == (
        "Similares: 7 avisos sobre lo mismo en 20 minutos, desde las 03:22."
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
    assert mail["To"] == "support@example.com"
    assert mail["Reply-To"] is None
    assert mail["Subject"] == ("Muchos avisos: Alojamiento web, 4 en 20 minutos, desde las 03:22")
    assert "sobre Alojamiento web están llegando" in text_of(mail)
    assert "web-hosting" not in text_of(mail).replace("?service=web-hosting&since=", "")
    assert (mail["Importance"], mail["X-Priority"]) == ("high", "1")
    assert "La tienda no carga" not in text_of(mail)
    assert "@example.com" not in text_of(mail)
    support = provider.support()
    page = support.open(link(mail, "/desk/notices/"))
    assert page.fields["started_at"] == "2026-11-23 03:22"
    support.submit(text="Cae el nodo 7", next_news_at="10:30")
    again = support.open(link(mail, "/desk/notices/"))
    (desk,) = [path for path, text in again.links.items() if "o cerrarla" in text]
    assert support.open(desk.removeprefix("https://incidents.example.com")).fields["text"] == ""
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
    assert mail["Subject"].endswith("4 en 20 minutos, desde las 04:28")
    assert similar(provider, tokens)[4] == "5 in 20 min since 04:28"
    assert len(surges(provider)) == 2


def test_an_earlier_surge_does_not_deafen_the_next(provider: Provider) -> None:
    """Two hours of outage in the morning would make sixty reports a day look normal."""
    outage(provider, 60, every=2 * MINUTE)
    provider.later(hours=6)
    tokens = outage(provider, 4, name="b")
    assert similar(provider, tokens)[3] is not None
    assert len(surges(provider)) == 2


def test_five_minutes_are_enough_where_some_reports_are_normal(provider: Provider) -> None:
    usual = [SENT_AT - HOUR - number * DAY / 20 for number in reversed(range(14 * 20))]
    with provider.database.write() as session:
        session.add_all(a_row(number, "web-hosting", at) for number, at in enumerate(usual))
    tokens = outage(provider, 4)
    assert similar(provider, tokens)[2:] == [None, "4 in 20 min since 03:22"]


def sent_from(
    provider: Provider, address: str, draft: str, channel: Channel = Channel.WEB, **changes: str
) -> None:
    """A report sent now, by whoever has that address."""
    asked = provider.app.test_request_context(environ_base={"REMOTE_ADDR": address})
    with asked, force_locale("es"):
        filing = replace(a_report(at=provider.now, **changes), channel=channel)
        submit(draft, filing, source_hashes(filing, WINDOW))
    provider.later(minutes=1)


def rotate(provider: Provider) -> None:
    config = provider.app.config
    config["SECRET_KEY_FALLBACKS"] = [config["SECRET_KEY"], *config["SECRET_KEY_FALLBACKS"]]
    config["SECRET_KEY"] = f"{len(config['SECRET_KEY_FALLBACKS'])}another" * 5


@pytest.mark.parametrize(
    ("when", "keys"), [(SENT_AT, 3), (datetime(2026, 11, 23, 23, 56, 30, tzinfo=UTC), 1)]
)
def test_nobody_makes_a_surge_alone(provider: Provider, when: datetime, keys: int) -> None:
    """Neither by midnight nor by another key is one client two; four of them are four."""
    provider.at(when)
    for number in range(8):
        sent_from(provider, "192.0.2.7", f"a{number}")
        if number in range(2, 1 + keys):
            rotate(provider)
    sent_from(provider, "192.0.2.8", "b")
    sent_from(provider, "192.0.2.9", "c")
    sent_from(provider, "192.0.2.8", "b once more")
    assert surges(provider) == []
    sent_from(provider, "192.0.2.10", "d")
    assert [row.service for row in surges(provider)] == ["web-hosting"]


def test_by_phone_customers_are_counted_and_not_the_browser_of_who_takes_the_call(
    provider: Provider,
) -> None:
    for number in range(5):
        rotate(provider)
        sent_from(provider, "192.0.2.7", f"a{number}", Channel.PHONE, email="Ana@example.com")
    for name in ("b", "c"):
        sent_from(provider, "192.0.2.7", name, Channel.PHONE, email=f"{name}@example.com")
    assert surges(provider) == []
    sent_from(provider, "192.0.2.7", "d", Channel.PHONE, email="d@example.com")
    assert len(surges(provider)) == 1


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
        # Each is judged against those that were kept before it: no more than there were.
        assert all(count <= most for count, most in zip(counts, range(1, 13), strict=True))
        assert counts[-1] >= 4
        assert len(surge_mails(provider.work())) == 1


def test_the_mails_name_is_not_guessed(provider: Provider) -> None:
    outage(provider, 4)
    (mail,) = surge_mails(provider.work())
    assert re.fullmatch(
        r"<SURGE-web-hosting\.20261123022200\.[0-9a-f]{16}@example\.com>", mail["Message-ID"]
    )
