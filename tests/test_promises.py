"""What support owes is kept in mind: by a clock that stands still until a test moves it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from customers import Customer
from flask import Flask
from provider import Provider, a_provider, a_provider_made_by, text_of, to_customers, to_support
from servers import AlarmServer, alarm_server
from test_desk_report import wants_cause

from reporter.desk import overdue, promises
from reporter.models import MailKind

PASSED_ON = ("disculp", "retras", "tarde", "urgente")  # no word that accuses or alarms


@pytest.fixture
def channel() -> Iterator[AlarmServer]:
    with alarm_server() as server:
        yield server


@pytest.fixture
def provider(tmp_path: Path, channel: AlarmServer) -> Iterator[Provider]:
    with a_provider(tmp_path, ALARM_URLS=[channel.url]) as provider:
        yield provider


def duties(provider: Provider) -> None:
    """What a worker does again and again."""
    with provider.app.app_context():
        for duty in promises.DUTIES:
            duty.act()


def passing(provider: Provider, minutes: int) -> None:
    """Minutes pass, with a worker that runs."""
    for _ in range(minutes):
        provider.later(minutes=1)
        duties(provider)


def titles(channel: AlarmServer) -> list[Any]:
    return [each["title"].removeprefix("Incident Reporter: ") for each in channel.taken]


def promised(provider: Provider, token: str, time: str) -> Customer:
    desk = provider.desk(token)
    desk.submit(action="message", text="En ello", next_news_at=time)
    return desk


def a_notice(provider: Provider, *options: str) -> str:
    words = ["notice", "open", "--service", "web-hosting", "--text", "Cae el nodo 7", *options]
    return provider.command(*words).strip()


# A time that was promised


def test_support_is_reminded_five_minutes_before_in_the_thread_and_once(
    provider: Provider,
) -> None:
    token = provider.report()
    ticket = provider.work()[0]
    desk = promised(provider, token, "03:40")  # it is 03:22
    passing(provider, 12)
    assert to_support(provider.work()) == []
    passing(provider, 2)
    (mail,) = provider.work()
    assert mail["To"] == "support@example.com"
    assert mail["Reply-To"] is None
    assert mail["Cc"] is None
    assert mail["Subject"] == f"Re: {ticket['Subject']}"
    assert mail["In-Reply-To"] == mail["References"] == ticket["Message-ID"]
    reference = provider.receipt(token).report.reference
    assert text_of(mail) == (
        f"Recordatorio: la próxima actualización sobre {reference} está anunciada a los clientes "
        "para las 03:40 (Europe/Madrid).\n\n"
        f"Panel de soporte: https://incidents.example.com/desk/{reference}\n"
    )
    assert not any(word in text_of(mail).lower() for word in PASSED_ON)
    passing(provider, 3)
    assert provider.work() == []
    desk.submit(action="message", text="Seguimos", next_news_at="04:00")
    passing(provider, 20)
    assert len(to_support(provider.work())) == 1


def test_what_is_promised_for_the_next_minutes_needs_no_reminder(provider: Provider) -> None:
    token = provider.report()
    provider.work()
    promised(provider, token, "03:26")
    passing(provider, 3)
    assert provider.work() == []


@pytest.mark.parametrize("kept", ["message", "solve"])
def test_a_promise_that_was_kept_is_told_to_nobody(
    provider: Provider, channel: AlarmServer, kept: str
) -> None:
    token = provider.report(impact="minor")
    provider.work()
    desk = promised(provider, token, "03:40")
    passing(provider, 10)
    desk.submit(action=kept, text="Ya está", next_news_at="")
    if kept == "message":  # what was promised stands until another time is
        desk.submit(action=kept, text="Ya casi", next_news_at="09:00")
    passing(provider, 20)
    assert to_support(provider.work()) == []
    assert channel.taken == []


def test_two_workers_that_see_its_end_tell_it_once(
    provider: Provider, channel: AlarmServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = promised(provider, provider.report(impact="minor"), "03:40")
    passing(provider, 20)
    desk.submit(action="message", text="Seguimos", next_news_at="04:30")
    provider.later(minutes=2)
    hold = overdue.hold

    def behind_another(*told: Any, **how: Any) -> bool:
        monkeypatch.setattr(overdue, "hold", hold)
        overdue.watch_promises()
        return hold(*told, **how)

    monkeypatch.setattr(overdue, "hold", behind_another)
    with provider.app.app_context():
        overdue.watch_promises()
    assert titles(channel)[1:] == ["no promised update is late any more"]


def test_a_promise_that_passed_is_told_once_and_so_is_its_end(
    provider: Provider, channel: AlarmServer
) -> None:
    token = provider.report(impact="minor")
    desk = promised(provider, token, "03:40")
    passing(provider, 17)
    assert channel.taken == []
    passing(provider, 10)
    reference = provider.receipt(token).report.reference
    (alarm,) = channel.taken
    assert alarm["title"] == "Incident Reporter: updates promised to customers are late (1)"
    assert alarm["message"] == (
        f"{reference}: promised 0 s ago\nLook: https://incidents.example.com/desk?state=late"
    )
    page = provider.support().open("/desk")
    assert "prometida para las 03:40: con retraso" in page.text
    assert provider.app.test_client().get(f"/r/{token}/status.json").json["promise_late"] is True  # type: ignore[index]
    desk.submit(action="message", text="Seguimos", next_news_at="04:30")
    passing(provider, 3)
    assert titles(channel)[1:] == ["no promised update is late any more"]
    passing(provider, 60)
    assert len(channel.taken) == 3  # and the next that is broken is told again


def test_a_known_incident_is_one_mail_and_one_alarm(
    provider: Provider, channel: AlarmServer
) -> None:
    key = a_notice(provider, "--next-news", "03:40")
    for number in range(3):
        token = provider.report(f"draft{number}", impact="minor")
        provider.desk(token).submit(action="link_notice", notice=key)
    provider.work()
    passing(provider, 25)
    mails = [mail for mail in provider.work() if key in mail["Subject"]]
    (mail,) = mails
    assert mail["Subject"] == f"{key}: es hora de la próxima actualización (Alojamiento web)"
    assert mail["Reply-To"] is None
    assert f"https://incidents.example.com/desk/notices/{key}\n" in text_of(mail)
    assert titles(channel) == ["updates promised to customers are late (1)"]
    assert key in channel.taken[0]["message"]


def test_of_many_linked_reports_with_that_promise_the_known_incident_alone_is_told(
    provider: Provider, channel: AlarmServer
) -> None:
    key = a_notice(provider, "--next-news", "03:40")
    for number in range(3):
        token = provider.report(f"draft{number}", impact="minor")
        promised(provider, token, "03:40").submit(action="link_notice", notice=key)
    provider.work()
    passing(provider, 17)
    (mail,) = to_support(provider.work())
    assert key in mail["Subject"]
    passing(provider, 5)
    (alarm,) = channel.taken
    assert alarm["title"].endswith("(1)")
    assert alarm["message"].startswith(f"{key}: promised")


def test_an_update_of_the_known_incident_keeps_what_each_linked_customer_was_promised(
    provider: Provider, channel: AlarmServer
) -> None:
    key = a_notice(provider)
    linked, other = provider.report("a", impact="minor"), provider.report("b", impact="minor")
    promised(provider, linked, "03:40").submit(action="link_notice", notice=key)
    promised(provider, other, "03:40")
    provider.work()
    passing(provider, 10)
    provider.command("notice", "update", key, "--text", "Seguimos", "--next-news", "05:00")
    passing(provider, 10)
    assert provider.row(linked).next_news_at is None
    assert "Seguimos" in provider.customer(linked).page.text
    reference = provider.receipt(other).report.reference
    (mail,) = to_support(provider.work())
    assert reference in mail["Subject"]
    assert [reference in each["message"] for each in channel.taken] == [True]
    assert "(1)" in channel.taken[0]["title"]


def test_a_promise_sooner_than_the_known_incidents_is_told_for_itself(
    provider: Provider, channel: AlarmServer
) -> None:
    key = a_notice(provider, "--next-news", "05:00")
    token = provider.report(impact="minor")
    promised(provider, token, "03:40").submit(action="link_notice", notice=key)
    provider.work()
    passing(provider, 20)
    reference = provider.receipt(token).report.reference
    assert [reference in mail["Subject"] for mail in to_support(provider.work())] == [True]
    assert reference in channel.taken[0]["message"]


def test_a_channel_that_does_not_answer_is_told_again(
    provider: Provider, channel: AlarmServer
) -> None:
    token = provider.report(impact="minor")
    promised(provider, token, "03:30")
    provider.app.config["ALARM_URLS"] = ["json://127.0.0.1:1/"]
    passing(provider, 12)
    provider.app.config["ALARM_URLS"] = [channel.url]
    passing(provider, 3)
    assert titles(channel) == ["updates promised to customers are late (1)"]


# A ticket that nobody has seen


def test_a_serious_ticket_nobody_has_seen_is_told_again_when_it_is_twice_as_old(
    provider: Provider, channel: AlarmServer
) -> None:
    token = provider.report(summary="Palabra de un cliente")
    provider.report("minor", impact="minor")
    passing(provider, 14)
    assert channel.taken == []
    passing(provider, 1)
    reference = provider.receipt(token).report.reference
    (alarm,) = channel.taken
    assert alarm["title"] == f"Incident Reporter: {reference} is not seen"
    assert alarm["message"] == (
        f"{reference} (SEV1, web-hosting): not seen for 15 min. "
        f"https://incidents.example.com/desk/{reference}\n"
        "Look: https://incidents.example.com/desk?state=unseen"
    )
    passing(provider, 14)
    assert len(channel.taken) == 1
    passing(provider, 1)
    assert len(channel.taken) == 2
    passing(provider, 29)
    assert len(channel.taken) == 2
    passing(provider, 1)
    assert len(channel.taken) == 3
    provider.desk(token).submit(action="acknowledge")
    passing(provider, 3)
    assert titles(channel)[3:] == ["every ticket told as not seen is seen"]
    passing(provider, 200)
    assert len(channel.taken) == 4


def test_each_severity_has_its_own_time_and_many_are_one_alarm(
    provider: Provider, channel: AlarmServer
) -> None:
    for number in range(30):
        provider.report(f"draft{number}", impact="major")
    passing(provider, 59)
    assert channel.taken == []
    passing(provider, 1)
    (alarm,) = channel.taken
    assert alarm["title"] == "Incident Reporter: 30 tickets are not seen"
    assert alarm["message"].count("not seen for 60 min") == 0
    assert alarm["message"].count("not seen for 1 h") == 20
    assert "and 10 more" in alarm["message"]


def test_without_the_setting_nobody_is_waited_for(tmp_path: Path, channel: AlarmServer) -> None:
    with a_provider(tmp_path, ALARM_URLS=[channel.url], SEEN_WITHIN_MINUTES={}) as provider:
        provider.report()
        passing(provider, 100)
    assert channel.taken == []


# The cause


def test_whoever_asked_for_the_cause_has_it_when_the_known_incident_is_closed(
    provider: Provider,
) -> None:
    key = a_notice(provider)
    asked, other = provider.report("a"), provider.report("b", email="other@example.com")
    wants_cause(provider, asked)
    for token in (asked, other):
        provider.desk(token).submit(action="link_notice", notice=key)
    provider.later(minutes=15)
    provider.work()
    duties(provider)
    provider.command("notice", "close", key, "--text", "Era un disco lleno.")
    for _ in range(3):
        duties(provider)
    (mail,) = to_customers(provider.work())
    assert mail["To"] == "inigo@example.com"
    assert "Era un disco lleno." in text_of(mail)


def test_whoever_is_told_of_the_incident_anyway_is_told_the_cause_once(provider: Provider) -> None:
    key = a_notice(provider)
    follows, waits = provider.report("a"), provider.report("b", email="other@example.com")
    for token in (follows, waits):
        wants_cause(provider, token)
        customer = provider.customer(token)
        customer.submit("news", wanted="yes")
    provider.desk(follows).submit(action="link_notice", notice=key)
    assert provider.followers_confirm() == 1
    provider.desk(waits).submit(action="link_notice", notice=key)  # and confirms nothing
    provider.later(minutes=15)
    provider.work()
    provider.command("notice", "close", key, "--text", "Era un disco lleno.")
    duties(provider)
    told = to_customers(provider.work())
    assert sorted((str(mail["To"]), bool(mail["List-Unsubscribe"])) for mail in told) == [
        ("inigo@example.com", True),
        ("other@example.com", False),
    ]


# On both engines, and by however many workers


def test_workers_that_look_at_once_remind_once(make_app: Callable[..., Flask]) -> None:
    with a_provider_made_by(make_app) as provider:
        token = provider.report()
        promised(provider, token, "03:40")
        a_notice(provider, "--next-news", "03:40")
        provider.later(minutes=14)
        for _ in range(3):
            duties(provider)
        reminders = provider.waiting(kind=MailKind.REMINDER)
        assert len(reminders) == 2
        provider.later(minutes=10)
        duties(provider)
        provider.desk(token).submit(action="solve", text="Ya está")
        duties(provider)
