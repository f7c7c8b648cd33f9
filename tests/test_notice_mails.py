"""Mails about a known incident: every update to its followers, one digest for support."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import sqlalchemy as sa
from customers import Customer
from factories import SENT_AT
from flask import Flask
from incidents import digests, follow, opened, rows
from provider import (
    Provider,
    a_provider,
    a_provider_made_by,
    link,
    text_of,
    to_customers,
    to_support,
)
from servers import alarm_server
from sqlalchemy.orm import Session

from reporter.delivery import beforehand
from reporter.models import Follower
from reporter.notices import store, telling
from reporter.notices.telling import Person


def test_every_update_is_mailed_to_those_with_an_email_address(
    provider: Provider, key: str
) -> None:
    follow(provider, key, "ana@example.com")
    follow(provider, key, "john@example.com", "John", "en")
    follow(provider, key, "+34 600 000 000", "Luis")
    said = provider.command(
        "notice", "update", key, "--text", "Casi listo", "--translation", "en=Nearly there",
        "--next-news", "10:30",
    )  # fmt: skip
    assert said == "2 told by email.\n"
    spanish, english = provider.work()
    assert (spanish["To"], english["To"]) == ("ana@example.com", "john@example.com")
    assert spanish["Subject"] == f"{key}: actualización de la incidencia"
    assert english["Subject"] == f"{key}: update on the incident"
    assert text_of(spanish).startswith(
        "Casi listo\n\nPróxima actualización: 23 nov 2026 10:30 (Europe/Madrid).\n"
    )
    assert text_of(english).startswith(
        "Nearly there\n\nNext update: 23 Nov 2026 10:30 (Europe/Madrid).\n"
    )
    for mail, language in ((spanish, "es"), (english, "en")):
        assert mail["Content-Language"] == language
        assert mail["Reply-To"] == "support@example.com"
        assert mail["Auto-Submitted"] == "auto-generated"
        assert str(mail["References"]).startswith(f"<{key}.0.")
        assert mail["X-Auto-Response-Suppress"] == "AutoReply, OOF, DR, RN, NRN"
        page = Customer(provider.app, language).open(link(mail, "/notices/f/"))
        assert str(mail["To"]) in page.text


def test_a_mail_keeps_the_columns_of_what_support_wrote_as_a_terminal_shows_them(
    provider: Provider, key: str
) -> None:
    told = "\x1b[1mNODE\x1b[0m\tSTATE\r\nnode7\tdown\u202e"
    token = provider.report(service="email")
    provider.work()
    follow(provider, key)
    provider.command("notice", "update", key, "--text", told)
    provider.customer(token).submit("news", wanted="yes")
    provider.desk(token).submit(action="message", text=told)
    update, news = to_customers(provider.work())
    assert text_of(update).startswith("NODE    STATE\nnode7   down\n")
    assert "\n\nNODE    STATE\nnode7   down\n\n" in text_of(news)


def test_mails_about_one_incident_are_one_conversation(provider: Provider, key: str) -> None:
    follow(provider, key)
    for word in ("update", "close"):
        provider.command("notice", word, key, "--text", word)
    assert len({mail["References"] for mail in to_customers(provider.work())}) == 1


def test_whoever_tells_is_told_of_a_language_without_a_text(provider: Provider, key: str) -> None:
    follow(provider, key)
    follow(provider, key, "john@example.com", "John", "en")
    follow(provider, key, "600 123 456", "Jane", "en")
    told = ["--text", "Casi", "--translation", "en=Nearly there"]
    assert provider.command("notice", "update", key, *told) == "2 told by email.\n"
    said = provider.command("notice", "close", key, "--text", "Era un disco")
    assert "no text in en: 1 of them read it in es\n" in said


def test_a_mail_to_a_follower_holds_no_word_of_a_visitors(provider: Provider, key: str) -> None:
    follow(provider, key, name="Compre en https://evil.example")
    provider.command("notice", "update", key, "--text", "Casi listo")
    (mail,) = to_customers(provider.work())
    assert "evil.example" not in mail.as_string() + text_of(mail)


def test_the_last_mail_says_that_it_is_over(provider: Provider, key: str) -> None:
    follow(provider, key)
    provider.command("notice", "update", key, "--text", "Casi", "--next-news", "10:30")
    assert provider.command("notice", "close", key, "--text", "Era un disco") == (
        "1 told by email.\n"
    )
    mails = to_customers(provider.work())
    assert [mail["Subject"] for mail in mails] == [
        f"{key}: actualización de la incidencia",
        f"{key}: la incidencia ha terminado",
    ]
    assert text_of(mails[1]).startswith("Era un disco\n")
    assert "Próxima actualización" not in text_of(mails[1])
    assert len({mail["Message-ID"] for mail in mails}) == 2


def test_a_wrong_address_of_a_customers_wakes_nobody(tmp_path: Path) -> None:
    with alarm_server() as alarms, a_provider(tmp_path, ALARM_URLS=[alarms.url]) as provider:
        key = opened(provider)
        follow(provider, key)
        token = provider.report(service="email")
        provider.work()
        with provider.database.write() as session:
            session.execute(sa.text("UPDATE report SET news_wanted = true"))
        provider.desk(token).submit(action="message", text="En ello")
        provider.command("notice", "update", key, "--text", "Casi")
        provider.smtp.scripts["RCPT"] = iter(["550 5.1.1 no such user"] * 2)
        assert provider.work() == []
        assert [message.kind for message in provider.waiting(state="failed")] == ["news", "notice"]
    assert alarms.taken == []


# One line for support


def test_support_hears_of_many_in_one_digest(provider: Provider, key: str) -> None:
    for number in range(12):
        follow(provider, key, f"cliente{number}@example.com", f"Cliente {number}")
        provider.later(seconds=49)
    assert provider.work() == []  # not before ten minutes have passed since the first
    provider.later(seconds=12)
    (digest,) = provider.work()
    assert (digest["To"], digest["Reply-To"]) == ("support@example.com", None)
    assert digest["Subject"] == f"{key}: 12 clientes dicen que es su incidencia"
    text = text_of(digest)
    assert text.startswith(
        f"Incidencia conocida {key} (Alojamiento web). "
        "Clientes que dicen que es su incidencia: 12.\n"
    )
    assert [line for line in text.splitlines() if line.startswith("| ")] == [
        f"| Cliente {number} · cliente{number}@example.com" for number in range(12)
    ]
    assert provider.work() == []


def test_those_who_come_later_are_in_another_digest(provider: Provider, key: str) -> None:
    follow(provider, key)
    provider.later(minutes=10)
    provider.work()
    follow(provider, key, "+34 600 000 000", "Luis")
    provider.later(minutes=10)
    (digest,) = provider.work()
    assert digest["Subject"].startswith(f"{key}: 2 ")
    assert "ana@example.com" not in text_of(digest)
    assert "| Luis · +34 600 00 00 00\n" in text_of(digest)


def test_a_digest_that_a_relay_may_have_seen_is_not_changed_any_more(
    provider: Provider, key: str
) -> None:
    follow(provider, key)
    provider.later(minutes=10)
    provider.smtp.scripts["DATA"] = iter(["451 4.3.0 later"])
    (tried,) = provider.work()  # seen by the relay, and deferred
    follow(provider, key, "luis@example.com", "Luis")
    provider.later(minutes=10)
    first, second = provider.work()
    assert first.as_bytes() == tried.as_bytes()
    assert "luis@example.com" in text_of(second)
    assert "ana@example.com" not in text_of(second)


def test_a_digest_knows_of_the_end(provider: Provider, key: str) -> None:
    follow(provider, key)
    provider.later(minutes=5)
    provider.command("notice", "close", key, "--text", "Era un disco")
    provider.later(minutes=5)
    (digest,) = to_support(provider.work())
    assert "| Ana · ana@example.com\n" in text_of(digest)
    assert "Está cerrada. A quienes han confirmado su correo" in text_of(digest)
    assert "/desk/notices/" not in text_of(digest)


def test_each_incident_has_its_own_digest(provider: Provider, key: str) -> None:
    other = opened(provider, service="email")
    follow(provider, key)
    follow(provider, other)
    provider.later(minutes=10)
    assert sorted(mail["Subject"][:7] for mail in provider.work()) == sorted([key, other])


def test_a_name_can_write_nothing_else_into_a_digest(provider: Provider, key: str) -> None:
    follow(provider, key, name="Ana\r\n\r\nreference: INC-A00000\u202e\x00", contact="600 000 000")
    provider.later(minutes=10)
    (digest,) = provider.work()
    assert "| Ana reference: INC-A00000 · +34 600 00 00 00\n" in text_of(digest)


def test_many_at_the_same_moment_are_all_in_the_digest(make_app: Callable[..., Flask]) -> None:
    with a_provider_made_by(make_app) as provider:
        key = opened(provider)

        def join(number: int) -> None:
            someone = Person(f"Cliente {number}", f"cliente{number % 10}@example.com", "es")

            def follow(session: Session) -> None:
                row = store.row_of(session, key)
                assert row
                telling.follow(session, row, [someone], SENT_AT)

            with provider.app.app_context():
                beforehand.write(provider.database, follow)

        with ThreadPoolExecutor(6) as pool:
            list(pool.map(join, range(20)))
        assert len(rows(provider, Follower)) == 10
        assert len(digests(provider, key)) == 1
        provider.later(minutes=10)
        (digest,) = to_support(provider.work())
        assert digest["Subject"].startswith(f"{key}: 10 ")
        assert text_of(digest).count("@example.com") == 10
