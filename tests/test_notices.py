"""Known incidents: told to customers before they report and after, counted, followed, closed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import sqlalchemy as sa
from factories import SENT_AT, Customer, Page, parsed
from flask import Flask
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
from reporter.models import Follower, MailState, Message, Notice, Update
from reporter.notices import followers, store
from reporter.notices.followers import Person

TEXT = "Cae el nodo 7: lo estamos cambiando"
ENGLISH = "Node 7 is down: we are replacing it"
ATOM = "{http://www.w3.org/2005/Atom}"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[Provider]:
    with a_provider(tmp_path) as provider:
        yield provider


@pytest.fixture
def key(provider: Provider) -> str:
    return opened(provider)


def opened(provider: Provider, *options: str, service: str = "web-hosting") -> str:
    """Open a known incident; its key."""
    words = ("notice", "open", "--service", service, "--text", TEXT)
    return provider.command(*words, *options).strip()


def follow(
    provider: Provider,
    key: str,
    contact: str = "ana@example.com",
    name: str = "Ana",
    language: str = "es",
) -> tuple[Customer, Page]:
    """Say that it is one's own, and confirm the address as the mail asks; the page then."""
    customer = Customer(provider.app, language)
    customer.open(f"/notices/{key}")
    page = customer.submit(name=name, contact=contact)
    if asked := rows(provider, Message, kind="confirmation", state="queued"):
        (message,) = asked
        with provider.database.write() as session:  # it is read
            session.get_one(Message, message.id).state = MailState.SENT
        customer.open(link(parsed(message.content), "/notices/f/"))
        page = customer.submit(confirm="yes")
    return customer, page


def rows(provider: Provider, table: type[Any], **columns: Any) -> list[Any]:
    with provider.database.read() as session:
        return list(session.scalars(sa.select(table).filter_by(**columns).order_by(table.id)))


def digests(provider: Provider, key: str) -> list[Message]:
    return rows(provider, Message, kind="digest", reference=key)


# Commands


def test_an_incident_is_opened_and_listed(provider: Provider) -> None:
    assert provider.command("notice", "list") == "No known incident.\n"
    key = opened(provider, "--since", "02:40", "--next-news", "10:30", "--service", "email")
    assert re.fullmatch("N-[0-9A-HJKMNP-TV-Z]{5}", key)
    (row,) = rows(provider, Notice)
    assert row.services == ["web-hosting", "email"]
    assert row.opened_at == SENT_AT
    assert f"{row.started_at:%H:%M}" == "01:40"
    assert f"{row.next_news_at:%H:%M}" == "09:30"
    assert provider.command("notice", "list").splitlines() == [
        f"{key}  open    since 2026-11-23 02:40  web-hosting, email",
        "         0 followers; 1 told; last:",
        f"         {TEXT}",
    ]


def test_since_is_now_unless_it_is_said(provider: Provider, key: str) -> None:
    assert key
    (row,) = rows(provider, Notice)
    assert row.started_at == SENT_AT
    assert row.next_news_at is None


def test_an_incident_is_told_of_and_closed(provider: Provider, key: str) -> None:
    provider.later(minutes=30)
    said = provider.command(
        "notice", "update", key.lower(), "--text", "Casi", "--next-news", "5:00"
    )
    assert said == "0 told by email.\n"
    provider.later(minutes=30)
    provider.command("notice", "close", key, "--text", "Era un disco")
    (row,) = rows(provider, Notice)
    assert [entry["text"]["es"] for entry in row.entries] == [TEXT, "Casi", "Era un disco"]
    assert row.closed_at == SENT_AT + timedelta(hours=1)
    assert row.next_news_at is None
    listed = provider.command("notice", "list")
    assert f"{key}  closed  since" in listed
    assert listed.endswith("3 told; last:\n         Era un disco\n")
    provider.later(days=31)
    assert provider.command("notice", "list") == "No known incident.\n"


def test_a_translation_is_read_by_those_who_speak_it(provider: Provider) -> None:
    key = opened(provider, "--translation", f"en={ENGLISH}")
    english, spanish = Customer(provider.app, "en"), Customer(provider.app, "es")
    assert ENGLISH in english.open("/").text
    assert f'lang="en">{ENGLISH}' in english.page.html
    assert TEXT in spanish.open("/").text
    provider.command("notice", "update", key, "--text", "Casi")
    assert 'lang="es">Casi' in english.open("/").html  # nobody translated that


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["open", "--service", "fax", "--text", TEXT], "no service has the id fax"),
        (["open", "--service", "email"], "Missing option '--text'"),
        (["open", "--text", TEXT], "Missing option '--service'"),
        (["open", "--service", "email", "--text", TEXT, "--since", "ayer"], "'ayer' is no time"),
        (
            ["open", "--service", "email", "--text", TEXT, "--since", "2026-12-24 10:00"],
            "'2026-12-24 10:00' is still to come.",
        ),
        (
            ["open", "--service", "email", "--text", TEXT, "--next-news", "2020-01-01 10:00"],
            "'2020-01-01 10:00' is past.",
        ),
        (
            ["open", "--service", "email", "--text", TEXT, "--translation", "fr=Bonjour"],
            "--translation is as in",
        ),
        (
            ["open", "--service", "email", "--text", TEXT, "--translation", "en"],
            "--translation is as in",
        ),
        (["open", "--service", "email", "--text", ""], "a text is blank"),
        (["open", "--service", "email", "--text", " \u200b\n"], "a text is blank"),
        (
            ["open", "--service", "email", "--text", TEXT, "--translation", "en= "],
            "a text is blank",
        ),
        (
            ["open", "--service", "email", "--text", TEXT, "--translation", "es=Otro"],
            "two texts in the language es",
        ),
        (["update", "n-00000", "--text", ""], "a text is blank"),
        (["update", "n-00000", "--text", TEXT], "no known incident has the key N-00000"),
        (["close", "N-00000", "--text", TEXT], "no known incident has the key N-00000"),
        (["close", "N-00000", "--text", TEXT, "--next-news", "10:30"], "No such option"),
    ],
)
def test_a_slip_is_told_in_a_line_and_nothing_is_opened(
    provider: Provider, words: list[str], error: str
) -> None:
    said = provider.command("notice", *words, fails=True)
    assert error in said
    assert "Traceback" not in said
    assert rows(provider, Notice) == []


def test_help_lists_the_commands() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "reporter", "--help"], capture_output=True, text=True, check=True
    )
    for command in ("notice", "outbox", "staff"):
        assert f"\n  {command} " in done.stdout


def test_a_closed_incident_stays_closed(provider: Provider, key: str) -> None:
    provider.command("notice", "close", key, "--text", "Era un disco")
    for word in ("update", "close"):
        said = provider.command("notice", word, key, "--text", "Más", fails=True)
        assert f"{key} is closed" in said
    assert len(rows(provider, Notice)[0].entries) == 2


# Where customers see it


def test_it_is_on_the_start_page_and_where_the_service_is_chosen(
    provider: Provider, key: str
) -> None:
    customer = Customer(provider.app)
    for path in ("/", "/report/failure"):
        page = customer.open(path)
        assert "Incidencia conocida: Alojamiento web" in " ".join(page.text.split())
        assert TEXT in page.text
        assert page.links[f"/notices/{key}"] == "Ver más y recibir actualizaciones por correo"
    provider.command("notice", "close", key, "--text", "Era un disco")
    for path in ("/", "/report/failure"):
        page = customer.open(path)
        assert TEXT not in page.text
        assert "Era un disco" not in page.text


def test_no_other_step_is_disturbed(provider: Provider, key: str) -> None:
    assert key
    customer = Customer(provider.app)
    customer.fill("failure")
    assert customer.open("/report/timing").text.count(TEXT) == 0


def test_it_never_keeps_anybody_from_reporting(provider: Provider, key: str) -> None:
    customer = Customer(provider.app)
    assert customer.open("/").links["/report/failure"] == "Empezar el aviso"
    page = customer.open(f"/notices/{key}")
    assert page.links["/report/failure"] == "La mía es otra: enviar un aviso"
    assert "INC-" in customer.report().text


def test_it_is_on_receipts_of_its_service_and_on_no_others(provider: Provider, key: str) -> None:
    mine, others = provider.report(), provider.report("another", service="email")
    assert TEXT in provider.customer(mine).page.text
    assert TEXT not in provider.customer(others).page.text
    provider.command("notice", "update", key, "--text", "Casi listo", "--next-news", "10:30")
    receipt = provider.customer(mine).page.text
    assert "Casi listo" in receipt
    assert "Próxima actualización: 23 nov 2026 10:30" in " ".join(receipt.split())
    provider.command("notice", "close", key, "--text", "Era un disco")
    assert "Era un disco" not in provider.customer(mine).page.text


def test_a_receipt_that_support_linked_is_told_the_end_too(provider: Provider, key: str) -> None:
    token = provider.report(service="email")
    provider.desk(token).submit(action="link_notice", notice=key)
    provider.command("notice", "close", key, "--text", "Era un disco")
    receipt = " ".join(provider.customer(token).page.text.split())
    assert "Incidencia conocida: Alojamiento web – terminada" in receipt
    assert "Era un disco" in receipt


def test_its_page_tells_everything_with_its_time_newest_first(provider: Provider, key: str) -> None:
    provider.later(minutes=30)
    provider.command("notice", "update", key, "--text", "Casi <b>listo</b>", "--next-news", "10:30")
    page = Customer(provider.app).open(f"/notices/{key.lower()}")
    text = " ".join(page.text.split())
    assert "Desde 23 nov 2026 03:22 (Europe/Madrid)" in text
    assert text.index("23 nov 2026 03:52 Casi <b>listo</b>") < text.index("23 nov 2026 03:22 Cae")
    assert text.count("Próxima actualización: 23 nov 2026 10:30") == 1
    assert "<b>listo" not in page.html
    provider.command("notice", "close", key, "--text", "Era un disco")
    page = Customer(provider.app).open(f"/notices/{key}")
    assert "Ha terminado." in page.text
    assert "Es la misma incidencia" not in page.text
    assert Customer(provider.app).open("/notices/N-00000").status == 404


def test_its_times_are_of_the_zone_that_the_page_names(provider: Provider) -> None:
    key = opened(provider, "--next-news", "10:30")
    far = provider.customer(provider.report(timezone="America/New_York")).page
    text = " ".join(far.text.split())
    assert "22 nov 2026 21:22 · Próxima actualización: 23 nov 2026 04:30" in text
    assert "Horas en la zona horaria America/New_York." in text
    assert "(Europe/Madrid)" not in text.split("Qué pasa ahora")[0]
    for path in ("/", "/report/failure", f"/notices/{key}"):
        text = " ".join(Customer(provider.app).open(path).text.split())
        assert "10:30" in text
        assert "(Europe/Madrid)" in text


@pytest.mark.parametrize("blank", [{}, {"es": ""}, {"es": " ", "en": ""}])
def test_a_blank_text_that_is_stored_breaks_no_page_and_no_feed(
    provider: Provider, key: str, blank: dict[str, str]
) -> None:
    """As an earlier version took it."""
    token = provider.report()
    with provider.database.write() as session:
        row = session.scalars(sa.select(Notice)).one()
        row.entries = [{**row.entries[0], "text": blank}]
    client = provider.app.test_client()
    for path in ("/", f"/r/{token}", f"/notices/{key}", "/notices.atom", "/notices.json"):
        assert client.get(path).status_code == 200
    assert key in provider.command("notice", "list")


# Mine is this


def test_whoever_says_so_leaves_how_to_be_reached_and_is_counted(
    provider: Provider, key: str
) -> None:
    customer, page = follow(provider, key)
    assert page.status == 200
    assert "Enviamos cada actualización a ana@example.com." in page.text
    assert "1 followers" in provider.command("notice", "list")
    asked = [name for name in customer.open(f"/notices/{key}").fields if name != "csrf_token"]
    assert asked == ["name", "contact"]
    assert "ana@example.com" not in customer.page.html
    assert rows(provider, Message, kind="ticket") == []


@pytest.mark.parametrize(
    ("name", "contact", "errors"),
    [
        (
            "",
            "",
            {"name": "Enter your name", "contact": "Enter an email address or a phone number"},
        ),
        ("Ana", "ana@", {"contact": "Enter an email address or a phone number in full"}),
        (
            "Ana",
            "call me 123456 times",
            {"contact": "Enter an email address or a phone number in full"},
        ),
        ("Ana", "12345", {"contact": "Enter an email address or a phone number in full"}),
        ("Ana", "ana@example.com, eva@example.com", None),
        (" ", "600 000 000", {"name": "Enter your name"}),
        ("x" * 201, "600 000 000", None),
    ],
)
def test_what_is_missing_is_said_and_nobody_is_counted(
    provider: Provider, key: str, name: str, contact: str, errors: dict[str, str] | None
) -> None:
    _customer, page = follow(provider, key, contact, name, "en")
    assert page.status == 422
    assert page.errors
    if errors:
        assert page.errors == errors
    assert page.fields["contact"] == contact
    assert rows(provider, Follower) == []


def test_twice_is_once(provider: Provider, key: str) -> None:
    for contact in ("ana@example.com", " Ana@Example.com ", "ana@example.com"):
        _customer, page = follow(provider, key, contact)
        assert page.status == 200
    assert len(rows(provider, Follower)) == 1
    provider.later(minutes=10)
    (digest,) = provider.work()
    assert text_of(digest).count("@") == 1


def test_one_number_written_in_two_ways_is_once(provider: Provider, key: str) -> None:
    for contact in ("600 123 456", "+34 600123456", "0034-600-12-34-56"):
        follow(provider, key, contact)
    assert [row.contact for row in rows(provider, Follower)] == ["+34 600 12 34 56"]


def test_what_a_phone_number_is_for_is_said_before_and_after(provider: Provider, key: str) -> None:
    form = Customer(provider.app).open(f"/notices/{key}").text
    assert "Las actualizaciones llegan solo por correo electrónico." in form
    _customer, page = follow(provider, key, "600 123 456")
    assert "No enviamos actualizaciones por teléfono" in page.text


def test_who_names_another_gets_no_way_to_stop_them(provider: Provider, key: str) -> None:
    customer, mine = follow(provider, key)
    _stranger, page = follow(provider, key, "ANA@example.com", "Mala")
    assert page.status == 200
    assert "Le hemos añadido a la lista." in page.text
    assert (page.action, page.fields) == ("", {})
    assert "ana@example.com" not in page.html
    assert mine.action.rpartition("/")[2] not in page.html
    provider.command("notice", "update", key, "--text", "Casi")
    (mail,) = to_customers(provider.work())
    assert link(mail, "/notices/f/") == mine.action
    assert "¿Se trata de la misma incidencia?" in customer.submit().text
    assert rows(provider, Follower) == []


def test_once_it_is_over_no_page_promises_news(provider: Provider, key: str) -> None:
    customer, page = follow(provider, key)
    token = provider.report(service="email")
    provider.desk(token).submit(action="link_notice", notice=key)
    provider.command("notice", "close", key, "--text", "Era un disco")
    page = customer.open(page.action)
    assert "Esta ha sido la última actualización." in page.text
    assert "cada actualización" not in page.text
    assert provider.customer(token).page.links[f"/notices/{key}"] == "Ver más"


def test_a_stale_page_gives_back_what_was_typed(provider: Provider, key: str) -> None:
    customer = Customer(provider.app)
    customer.open(f"/notices/{key}")
    page = customer.submit(name="Ana", contact="600 000 000", csrf_token="stale")
    assert (page.status, page.fields["contact"]) == (400, "600 000 000")
    assert rows(provider, Follower) == []
    customer.submit()
    assert len(rows(provider, Follower)) == 1


def test_whoever_stops_is_told_no_more(provider: Provider, key: str) -> None:
    customer, _page = follow(provider, key)
    follow(provider, key, "luis@example.com", "Luis")
    page = customer.submit()
    assert "¿Se trata de la misma incidencia?" in page.text
    assert [each.contact for each in rows(provider, Follower)] == ["luis@example.com"]
    assert provider.command("notice", "update", key, "--text", "Casi") == "1 told by email.\n"
    (mail,) = to_customers(provider.work())
    assert mail["To"] == "luis@example.com"


def test_whoever_stopped_may_come_back(provider: Provider, key: str) -> None:
    """Also when support has had the digest that named them."""
    customer, _page = follow(provider, key)
    provider.later(minutes=10)
    assert len(provider.work()) == 1
    customer.submit()
    for contact in ("ana@example.com", "luis@example.com"):
        _again, page = follow(provider, key, contact)
        assert page.status == 200
    provider.later(minutes=10)
    (digest,) = provider.work()
    assert "luis@example.com" in text_of(digest)
    assert len({message.mime_id for message in digests(provider, key)}) == 2


def test_nobody_is_mailed_before_they_have_said_that_the_address_is_theirs(
    provider: Provider, key: str
) -> None:
    stranger = Customer(provider.app, "en")
    stranger.open(f"/notices/{key}")
    page = stranger.submit(name="Compre en https://evil.example", contact="ana@example.com")
    assert "we have sent a message to confirm it" in page.text
    assert "1 followers" in provider.command("notice", "list")  # counted at once
    (mail,) = to_customers(provider.work())
    assert mail["Subject"] == f"{key}: do you want the updates by email?"
    assert mail["Auto-Submitted"] == "auto-replied"
    assert "evil" not in mail.as_string() + text_of(mail)
    # One mail, whoever says it again; and the same answer, which tells nobody who is on the list.
    again = Customer(provider.app, "en")
    again.open(f"/notices/{key}")
    other = again.submit(name="Eva", contact=" ANA@example.com")
    assert other.text == page.text
    assert to_customers(provider.work()) == []
    assert provider.command("notice", "update", key, "--text", "Casi") == "0 told by email.\n"
    ana = Customer(provider.app, "es")
    path = link(mail, "/notices/f/")
    ana.open(path)  # opening confirms nothing
    assert provider.command("notice", "update", key, "--text", "Ya") == "0 told by email.\n"
    assert "Enviamos cada actualización a ana@example.com" in ana.submit(confirm="yes").text
    said = provider.command("notice", "update", key, "--text", "Listo")
    assert said.endswith("1 told by email.\n")


def test_a_mail_program_stops_the_mails_with_one_click(provider: Provider, key: str) -> None:
    follow(provider, key)
    provider.command("notice", "update", key, "--text", "Casi")
    (mail,) = to_customers(provider.work())
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    path = str(mail["List-Unsubscribe"])[1:-1].removeprefix("https://incidents.example.com")
    client = provider.app.test_client()
    assert client.get(path).status_code == 405
    assert client.post(path, data={"other": "thing"}).status_code == 400
    assert len(rows(provider, Follower)) == 1
    for _ in range(2):  # also when it was done before
        assert client.post(path, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    assert rows(provider, Follower) == []


def test_a_page_of_a_follower_opens_by_its_secret_only(provider: Provider, key: str) -> None:
    customer, _page = follow(provider, key)
    (row,) = rows(provider, Follower)
    path = customer.page.action
    assert row.token_hash not in path
    stranger = Customer(provider.app)
    assert stranger.open(path).status == 200
    assert stranger.open(f"{path}x").status == 404
    assert stranger.open(f"/notices/f/{row.token_hash}").status == 404


def test_nobody_joins_what_is_over(provider: Provider, key: str) -> None:
    customer = Customer(provider.app)
    customer.open(f"/notices/{key}")
    provider.command("notice", "close", key, "--text", "Era un disco")
    page = customer.submit(name="Ana", contact="ana@example.com")
    assert "Ha terminado." in page.text
    assert rows(provider, Follower) == []


# Mine is this, says a receipt


def say_mine(
    provider: Provider, token: str, notice: str, customer: Customer | None = None, **sent: str
) -> Page:
    customer = customer or provider.customer(token)
    customer.page.action = f"/r/{token}/notice"
    return customer.submit(notice=notice, **sent)


def test_a_receipt_offers_to_say_that_it_is_the_known_incident(
    provider: Provider, key: str
) -> None:
    token = provider.report()
    provider.work()
    page = provider.customer(token).page
    assert f'name="notice" value="{key}"' in page.html
    assert page.links[f"/notices/{key}"] == "Ver más"
    page = say_mine(provider, token, key)
    assert "Hemos vinculado su aviso a la incidencia conocida." in page.text
    assert 'name="notice"' not in page.html
    desk = " ".join(provider.desk(token).page.text.split())
    assert f"Vinculada a {key}." in desk
    assert "Vinculada a una incidencia conocida 23 nov 2026 03:22 · el cliente" in desk
    (follower,) = rows(provider, Follower)
    assert (follower.contact, follower.confirmed_at) == ("inigo@example.com", None)
    say_mine(provider, token, key)
    assert len(rows(provider, Update)) == 1


def test_mails_come_only_to_who_wants_them(provider: Provider, key: str) -> None:
    token, late = provider.report(), provider.report("late", email_affected="yes")
    say_mine(provider, token, key, news="no")
    assert provider.row(token).notice_id
    assert not provider.row(token).news_wanted
    assert "news" not in provider.customer(late).page.fields
    say_mine(provider, late, key)
    assert rows(provider, Follower) == []


@pytest.mark.parametrize("service", ["email", "web-hosting"])
def test_it_is_said_of_an_open_incident_of_the_service_only(
    provider: Provider, service: str
) -> None:
    token = provider.report(service="email")
    customer = provider.customer(token)
    assert 'name="notice"' not in customer.page.html
    key = opened(provider, service=service)
    if service == "email":
        provider.command("notice", "close", key, "--text", "Era un disco")
    say_mine(provider, token, key, customer)
    assert provider.row(token).notice_id is None
    assert say_mine(provider, token, "N-00000").status == 404


def test_what_is_said_of_it_disturbs_no_follow_up(provider: Provider, key: str) -> None:
    token = provider.report()
    say_mine(provider, token, key)
    customer = provider.customer(token)
    customer.submit(kind="info", text="Sigue igual")
    assert "link_notice" not in customer.open(f"/r/{token}/ticket.json").html
    (followup,) = [mail for mail in provider.mails_of(token) if mail["In-Reply-To"]]
    assert "update: 1\n" in text_of(followup)
    assert "link_notice" not in followup.as_string()
    twin = json.loads(next(followup.iter_attachments()).get_content())
    assert [note["noteType"] for note in twin["note"]] == ["info"]


# Told of every update


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
    assert digest["Subject"] == f"{key}: clientes que dicen que la suya es esta: 12"
    text = text_of(digest)
    assert text.startswith(
        f"Incidencia conocida {key} (Alojamiento web)."
        " Clientes que dicen que la suya es esta: 12.\n"
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
    assert digest["Subject"].endswith(": 2")
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
                followers.follow(session, row, [someone], SENT_AT)

            with provider.app.app_context():
                beforehand.write(provider.database, follow)

        with ThreadPoolExecutor(6) as pool:
            list(pool.map(join, range(20)))
        assert len(rows(provider, Follower)) == 10
        assert len(digests(provider, key)) == 1
        provider.later(minutes=10)
        (digest,) = to_support(provider.work())
        assert digest["Subject"].endswith(": 10")
        assert text_of(digest).count("@example.com") == 10


# From the desk


def from_desk(provider: Provider, token: str) -> str:
    links = provider.desk(token).page.links
    (found,) = [path for path, text in links.items() if "Abrir una incidencia" in text]
    return found.removeprefix("https://incidents.example.com")


def test_support_opens_one_from_the_desk_of_a_report(provider: Provider) -> None:
    token = provider.report()
    support = provider.support()
    path = from_desk(provider, token)
    page = support.open(path)
    assert "Abrir una incidencia conocida: Alojamiento web" in page.text
    assert page.fields["started_at"] == "2026-11-23 02:40"
    page = support.submit(text=TEXT, next_news_at="10:30")
    assert TEXT in page.text
    (row,) = rows(provider, Notice)
    assert row.services == ["web-hosting"]
    assert row.entries[0]["text"] == {"es": TEXT}
    assert f"{row.started_at:%H:%M} {row.next_news_at:%H:%M}" == "01:40 09:30"
    assert "Ya hay una abierta:" in support.open(path).text


def test_looking_at_the_form_opens_nothing(provider: Provider) -> None:
    path = from_desk(provider, provider.report())
    client = provider.support().client
    here = {"base_url": "https://incidents.example.com"}
    for method in ("GET", "HEAD", "GET"):
        assert client.open(f"{path}&text=x", method=method, **here).status_code == 200
    sent = {"text": TEXT, "started_at": "02:40"}
    assert client.post(path, data=sent, **here).status_code == 400
    assert rows(provider, Notice) == []


@pytest.mark.parametrize(
    ("sent", "wrong"),
    [
        ({"text": " "}, {"text"}),
        ({"text": "\u200b"}, {"text"}),
        ({"text": TEXT, "started_at": "ayer"}, {"started_at"}),
        ({"text": TEXT, "started_at": ""}, {"started_at"}),
        ({"text": TEXT, "started_at": "2026-11-24 10:00"}, {"started_at"}),
        ({"text": TEXT, "next_news_at": "pronto"}, {"next_news_at"}),
        ({"text": "", "started_at": "x", "next_news_at": "x"},
         {"text", "started_at", "next_news_at"}),
    ],
)  # fmt: skip
def test_what_is_wrong_with_it_is_said_at_once(
    provider: Provider, sent: dict[str, str], wrong: set[str]
) -> None:
    support = provider.support()
    support.open(from_desk(provider, provider.report()))
    page = support.submit(**sent)
    assert (page.status, set(page.errors)) == (422, wrong)
    assert page.fields["text"].strip() == sent["text"].strip()
    assert rows(provider, Notice) == []


def from_desk_opened(provider: Provider, token: str = "", **texts: str) -> Customer:
    """Somebody of support who has just opened one from the desk of a report."""
    support = provider.support()
    support.open(from_desk(provider, token or provider.report()))
    support.submit(**{"text": TEXT, **texts})
    return support


def entries(provider: Provider) -> list[Any]:
    (row,) = rows(provider, Notice)
    return [entry["text"] for entry in row.entries]


def test_support_tells_more_and_closes_it_without_a_shell(provider: Provider) -> None:
    support = from_desk_opened(provider)
    (notice,) = rows(provider, Notice)
    follow(provider, notice.key)
    provider.work()
    provider.later(minutes=5)
    page = support.open(support.page.action)
    assert re.search(r"Clientes que dicen que la suya es esta\s*1\s", page.text)
    page = support.submit(action="update", text="Casi", next_news_at="10:30")
    assert "Casi" in page.text
    assert [mail["To"] for mail in provider.work()] == ["ana@example.com"]
    provider.later(minutes=5)
    (digest,) = provider.work()
    assert support.open(link(digest, "/desk/notices/")).fields["text"] == ""
    page = support.submit(action="close", text="Era un disco", next_news_at="10:30")
    assert "terminada" in page.text
    assert "/desk/notices" not in page.action
    assert entries(provider) == [{"es": TEXT}, {"es": "Casi"}, {"es": "Era un disco"}]
    (row,) = rows(provider, Notice)
    assert (row.closed_at, row.next_news_at) == (SENT_AT + timedelta(minutes=10), None)
    (over,) = provider.work()
    assert over["Subject"] == f"{row.key}: la incidencia ha terminado"


def test_it_is_told_in_every_language_that_is_written(provider: Provider) -> None:
    support = from_desk_opened(provider, text_en=ENGLISH)
    texts = " ".join(support.page.text.split())
    assert "Lo mismo en inglés (opcional) Si se deja en blanco, estos clientes lo leen" in texts
    support.submit(action="update", text="Casi", text_en=" \u200b ")
    support.submit(action="close", text="Era un disco", text_en="It was a disk")
    assert entries(provider) == [
        {"es": TEXT, "en": ENGLISH},
        {"es": "Casi"},
        {"es": "Era un disco", "en": "It was a disk"},
    ]


@pytest.mark.parametrize(
    ("sent", "wrong"),
    [
        ({"action": "update", "text": "\u200b"}, {"text"}),
        ({"action": "close", "text": " "}, {"text"}),
        ({"action": "update", "text": "Casi", "next_news_at": "pronto"}, {"next_news_at"}),
        ({"action": "reopen", "text": "Casi"}, set()),
    ],
)
def test_news_with_something_wrong_is_not_told(
    provider: Provider, sent: dict[str, str], wrong: set[str]
) -> None:
    page = from_desk_opened(provider).submit(**sent)
    assert (page.status, set(page.errors)) == (422, wrong)
    assert entries(provider) == [{"es": TEXT}]


def test_a_second_press_tells_and_opens_nothing_new(provider: Provider) -> None:
    support = provider.support()
    opening = support.open(from_desk(provider, provider.report()))
    for _press in range(2):
        support.page = opening
        told = support.submit(text=TEXT)
    (notice,) = rows(provider, Notice)
    follow(provider, notice.key)
    for action in ("update", "update", "close", "close", "update"):
        support.page = told
        assert support.submit(action=action, text="Casi").status == 200
    assert entries(provider) == [{"es": TEXT}, {"es": "Casi"}, {"es": "Casi"}]
    assert len(rows(provider, Message, kind="notice")) == 2
    support.page = opening
    support.submit(text="Otra cosa")
    assert len(rows(provider, Notice)) == 2


def test_looking_at_its_desk_changes_nothing(provider: Provider) -> None:
    path = from_desk_opened(provider).page.action
    client = provider.support().client
    here = {"base_url": "https://incidents.example.com"}
    for method in ("GET", "HEAD", "GET"):
        answer = client.open(f"{path}?action=close&text=x", method=method, **here)
        assert answer.status_code == 200
    assert client.post(path, data={"action": "close", "text": "x"}, **here).status_code == 400
    assert entries(provider) == [{"es": TEXT}]


# For programs


def feed(provider: Provider, name: str) -> Any:
    answer = provider.app.test_client().get(name)
    assert answer.status_code == 200
    return answer


def test_the_json_feed(provider: Provider) -> None:
    assert feed(provider, "/notices.json").json == {"notices": []}
    key = opened(provider, "--translation", f"en={ENGLISH}", "--next-news", "10:30")
    other = opened(provider, service="email")
    follow(provider, other)
    provider.later(minutes=30)
    provider.command("notice", "close", other, "--text", "Era un disco")
    assert feed(provider, "/notices.json").json == {
        "notices": [
            {
                "key": other,
                "url": f"https://incidents.example.com/notices/{other}",
                "services": ["email"],
                "state": "closed",
                "started_at": "2026-11-23T02:22:00Z",
                "opened_at": "2026-11-23T02:22:00Z",
                "closed_at": "2026-11-23T02:52:00Z",
                "next_news_at": None,
                "entries": [
                    {
                        "at": "2026-11-23T02:22:00Z",
                        "state": "open",
                        "text": {"es": TEXT},
                        "next_news_at": None,
                    },
                    {
                        "at": "2026-11-23T02:52:00Z",
                        "state": "closed",
                        "text": {"es": "Era un disco"},
                        "next_news_at": None,
                    },
                ],
            },
            {
                "key": key,
                "url": f"https://incidents.example.com/notices/{key}",
                "services": ["web-hosting"],
                "state": "open",
                "started_at": "2026-11-23T02:22:00Z",
                "opened_at": "2026-11-23T02:22:00Z",
                "closed_at": None,
                "next_news_at": "2026-11-23T09:30:00Z",
                "entries": [
                    {
                        "at": "2026-11-23T02:22:00Z",
                        "state": "open",
                        "text": {"es": TEXT, "en": ENGLISH},
                        "next_news_at": "2026-11-23T09:30:00Z",
                    }
                ],
            },
        ]
    }
    assert "ana@example.com" not in json.dumps(feed(provider, "/notices.json").json)


def test_the_feeds_keep_what_was_closed_for_thirty_days(provider: Provider, key: str) -> None:
    provider.command("notice", "close", key, "--text", "Era un disco")
    provider.later(days=29)
    assert len(feed(provider, "/notices.json").json["notices"]) == 1
    provider.later(days=2)
    assert feed(provider, "/notices.json").json == {"notices": []}
    assert ET.fromstring(feed(provider, "/notices.atom").data).findall(f"{ATOM}entry") == []


def moment(element: ET.Element) -> datetime:
    """Its date, which RFC 4287 has as in RFC 3339 with a capital T and Z."""
    text = element.findtext(f"{ATOM}updated") or ""
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", text)
    return datetime.fromisoformat(text)


def valid(atom: ET.Element) -> list[ET.Element]:
    """The entries of a feed that has what RFC 4287 requires (sections 4.1.1 and 4.1.2)."""
    assert atom.tag == f"{ATOM}feed"
    identities = []
    for element in (atom, *atom.findall(f"{ATOM}entry")):
        for name in ("id", "title", "updated"):
            assert len(element.findall(f"{ATOM}{name}")) == 1
            assert element.findtext(f"{ATOM}{name}")
        identity = element.findtext(f"{ATOM}id") or ""
        assert identity.startswith("https://incidents.example.com/")
        identities.append(identity)
    assert len(set(identities)) == len(identities)
    assert atom.findtext(f"{ATOM}author/{ATOM}name")
    links = {each.get("rel"): each.get("href") for each in atom.findall(f"{ATOM}link")}
    assert links["self"] == "https://incidents.example.com/notices.atom"
    entries = atom.findall(f"{ATOM}entry")
    for entry in entries:
        assert entry.findtext(f"{ATOM}content")
        assert entry.find(f"{ATOM}link") is not None
    times = [moment(entry) for entry in entries]
    assert times == sorted(times, reverse=True)
    assert all(moment(atom) >= time for time in times)
    return entries


def test_the_atom_feed_has_what_its_standard_requires(provider: Provider) -> None:
    answer = feed(provider, "/notices.atom")
    assert answer.mimetype == "application/atom+xml"
    assert valid(ET.fromstring(answer.data)) == []
    key = opened(provider, "--translation", f"en={ENGLISH}")
    provider.later(minutes=30)
    provider.command("notice", "update", key, "--text", "Casi listo & <b>bien</b>")
    first = ET.fromstring(feed(provider, "/notices.atom").data)
    newest, oldest = valid(first)
    assert newest.findtext(f"{ATOM}content") == "Casi listo & <b>bien</b>"
    assert oldest.findtext(f"{ATOM}content") == TEXT
    assert newest.findtext(f"{ATOM}title") == f"{key}: Alojamiento web"
    provider.later(minutes=30)
    again = ET.fromstring(feed(provider, "/notices.atom").data)
    assert ET.tostring(again) == ET.tostring(first)  # nothing moves while nothing is told
    provider.command("notice", "close", key, "--text", "Era un disco")
    last, *rest = valid(ET.fromstring(feed(provider, "/notices.atom").data))
    assert last.findtext(f"{ATOM}title") == f"{key}: Alojamiento web – terminada"
    assert [entry.findtext(f"{ATOM}id") for entry in rest] == [
        entry.findtext(f"{ATOM}id") for entry in (newest, oldest)
    ]
    english = ET.fromstring(feed(provider, "/notices.atom?lang=en").data)
    assert english.get(LANG) == "en"
    contents = [entry.find(f"{ATOM}content") for entry in valid(english)]
    assert [(each.get(LANG), each.text) for each in contents if each is not None] == [
        ("es", "Era un disco"), ("es", "Casi listo & <b>bien</b>"), ("en", ENGLISH),
    ]  # fmt: skip
    page = Customer(provider.app, "en").open(f"/notices/{key}").html
    assert '<link rel="alternate" type="application/atom+xml" title="Known incidents"' in page
    assert 'href="/notices.atom?lang=en"' in page


def test_no_text_can_break_the_atom_feed(provider: Provider) -> None:
    """XML has no way to say most control characters."""
    hostile = "uno\x0b\x0c\x1b[31m\x08\ufffe dos\tcon & ]]> <x>"
    support = provider.support()
    support.open(from_desk(provider, provider.report()))
    assert support.submit(text=hostile).status == 200
    (entry,) = valid(ET.fromstring(feed(provider, "/notices.atom").data))
    assert entry.findtext(f"{ATOM}content") == "uno[31m dos\tcon & ]]> <x>"
