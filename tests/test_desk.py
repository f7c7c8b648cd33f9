"""Support's side: one page from the link in the ticket, which only a press of a button changes."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import repeat
from typing import Any

import pytest
import sqlalchemy as sa
from customers import Customer, Page
from emptied import OF_THIS_DATABASE
from factories import ANSWERS
from flask import Flask
from markupsafe import Markup
from provider import (
    Provider,
    a_provider_made_by,
    desk_link,
    text_of,
    to_customers,
    to_support,
)

from reporter.desk import actions
from reporter.models import Base
from reporter.reports.store import lock

pytestmark = pytest.mark.ticket_sent
BASE_URL = "https://incidents.example.com"
WORDS = "Hemos encontrado la causa: un disco lleno."


@pytest.fixture
def desk(provider: Provider, token: str) -> Customer:
    return provider.desk(token)


def status(provider: Provider, token: str) -> dict[str, Any]:
    found = provider.app.test_client().get(f"/r/{token}/status.json").json
    assert found is not None
    return dict(found)


def everything(provider: Provider) -> list[Any]:
    """Every row of every table."""
    with provider.database.read() as session:
        return [session.execute(sa.select(table)).all() for table in Base.metadata.sorted_tables]


def wants_news(customer: Customer, wanted: str = "yes") -> Page:
    """Press "email me when there is news", or stop it."""
    return customer.forge("news", wanted=wanted)


def done(page: Page) -> list[str]:
    """What the desk says was done, newest first."""
    listed = page.html.partition('<ul class="told">')[2].partition("</ul>")[0]
    return [" ".join(Markup(each).striptags().split()) for each in listed.split("</li>")[:-1]]


# Looking


def test_the_link_in_the_ticket_shows_the_report(desk: Customer, token: str) -> None:
    page = desk.page
    assert page.status == 200
    for told in ("SEV1", "Alojamiento web", "Íñigo Muñoz", "inigo@example.com", "600 00 00 00"):
        assert told in page.text
    for answer in ("La tienda no carga – error 502", "Actualizamos el módulo de pago"):
        assert answer in page.text
    assert "23 nov 2026 03:22" in page.text
    assert "Horas en la zona horaria Europe/Madrid." in page.text
    assert token not in page.html  # the receipt is the customer's own


def test_looking_changes_nothing_however_often(provider: Provider, token: str) -> None:
    """As programs do that follow the links of mails: with GET and HEAD, and with a query."""
    link = desk_link(provider.mails_of(token)[0])
    support = provider.support()
    before = everything(provider)
    for method in ("GET", "HEAD", "GET", "OPTIONS"):
        for query in ("", "?action=acknowledge", "?action=solve&text=x"):
            assert support.ask(method, f"{link}{query}").status == 200
    assert everything(provider) == before
    assert status(provider, token)["seen_at"] is None


@pytest.mark.parametrize("action", ["acknowledge", "message", "solve", "link_notice"])
@pytest.mark.parametrize("csrf", [None, "", "stale"])
def test_a_press_that_is_not_of_our_page_is_refused(
    provider: Provider, desk: Customer, action: str, csrf: str | None
) -> None:
    before = everything(provider)
    page = desk.forge(action=action, text=WORDS, csrf_token=csrf)
    assert page.status == 400
    assert everything(provider) == before


def test_a_stale_page_gives_back_what_was_typed(
    provider: Provider, token: str, desk: Customer
) -> None:
    page = desk.submit(action="message", text=WORDS, next_news_at="10:30", csrf_token="stale")
    assert (page.fields["text"], page.fields["next_news_at"]) == (WORDS, "10:30")
    assert desk.submit().status == 200
    assert status(provider, token)["messages"][0]["text"] == WORDS


# Acting


def test_acknowledge_says_seen_to_the_customer(
    provider: Provider, token: str, desk: Customer
) -> None:
    assert status(provider, token)["seen_at"] is None
    assert (
        "Pendiente de que el equipo de soporte confirme que lo ha leído."
        in provider.customer(token).page.text
    )
    provider.later(minutes=5)
    page = desk.submit(action="acknowledge")
    assert page.status == 200
    assert status(provider, token)["seen_at"] == "2026-11-23T02:27:00Z"
    receipt = provider.customer(token).page
    assert "Visto" in receipt.text
    assert "Alguien del equipo de soporte lo ha leído." in receipt.text
    assert "Ana" not in receipt.text
    assert done(page) == ["Visto 23 nov 2026 03:27 · Ana"]
    assert "acknowledge" not in page.html


def test_pressing_again_changes_nothing(provider: Provider, token: str, desk: Customer) -> None:
    desk.submit(action="acknowledge")
    provider.later(minutes=5)
    page = provider.desk(token, name="Luis").forge(action="acknowledge")
    assert status(provider, token)["seen_at"] == "2026-11-23T02:22:00Z"
    assert done(page) == ["Visto 23 nov 2026 03:22 · Ana"]


def test_two_who_press_at_once_are_one(make_app: Callable[..., Flask]) -> None:
    with a_provider_made_by(make_app) as provider, ThreadPoolExecutor(1) as pool:
        token = provider.report()
        desk = provider.desk(token, name="Luis")
        with provider.database.write() as session:
            row = lock(session, provider.receipt(token).report_id)
            actions.mark_seen(session, row, "Ana", provider.now)
            session.flush()
            other = pool.submit(lambda: desk.submit(action="acknowledge"))
            while not is_waiting(provider):
                assert not other.done()
        assert other.result().status == 200
        assert done(provider.desk(token).page) == ["Visto 23 nov 2026 03:22 · Ana"]


def is_waiting(provider: Provider) -> bool:
    """Whether somebody waits for what another transaction holds."""
    if provider.database.engine.dialect.name == "sqlite":
        return True  # there is no other transaction until the first has ended
    query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    query += f" AND {OF_THIS_DATABASE}"
    with provider.database.read() as session:
        return bool(session.scalar(sa.text(query)))


def test_a_message_and_when_there_is_more(provider: Provider, token: str, desk: Customer) -> None:
    page = desk.submit(action="message", text=WORDS, next_news_at="10:30")
    assert page.status == 200
    found = status(provider, token)
    assert found["next_news_at"] == "2026-11-23T09:30:00Z"
    assert found["messages"] == [{"at": "2026-11-23T02:22:00Z", "text": WORDS}]
    assert found["seen_at"] == "2026-11-23T02:22:00Z"  # whoever writes has read it
    receipt = provider.customer(token).page
    assert WORDS in receipt.text
    assert "Próxima actualización: 23 nov 2026 10:30" in " ".join(receipt.text.split())
    assert done(page) == [f"Mensaje al cliente 23 nov 2026 03:22 · Ana {WORDS}"]


def test_next_news_is_told_in_each_ones_zone(provider: Provider) -> None:
    token = provider.report(timezone="America/Bogota")
    page = provider.desk(token).submit(action="message", text=WORDS, next_news_at="10:30")
    assert "23 nov 2026 10:30" in page.text
    receipt = " ".join(provider.customer(token).page.text.split())
    assert "Próxima actualización: 23 nov 2026 04:30" in receipt
    assert "Horas en la zona horaria America/Bogota." in receipt


@pytest.mark.parametrize(
    ("now", "typed", "told"),
    [
        ("2026-11-23T02:22", "10:30", "2026-11-23T09:30:00Z"),
        ("2026-11-23T20:00", "10:30", "2026-11-24T09:30:00Z"),
        ("2026-07-01T02:22", "10:30", "2026-07-01T08:30:00Z"),
        ("2026-10-24T19:00", "10:30", "2026-10-25T09:30:00Z"),
        ("2026-03-28T19:00", "10:30", "2026-03-29T08:30:00Z"),
        ("2026-11-23T02:22", "2026-11-25 09:00", "2026-11-25T08:00:00Z"),
    ],
)
def test_an_hour_alone_is_the_next_one_of_supports_clock(
    provider: Provider, now: str, typed: str, told: str
) -> None:
    provider.at(datetime.fromisoformat(f"{now}+00:00"))
    token = provider.report(started="just_now")
    provider.desk(token).submit(action="message", text=WORDS, next_news_at=typed)
    assert status(provider, token)["next_news_at"] == told


def test_messages_are_newest_first_and_the_last_says_when_there_is_more(
    provider: Provider, token: str, desk: Customer
) -> None:
    desk.submit(action="message", text="uno", next_news_at="10:30")
    provider.later(minutes=1)
    desk.submit(action="message", text="dos", next_news_at="11:30")
    found = status(provider, token)
    assert [message["text"] for message in found["messages"]] == ["dos", "uno"]
    assert found["next_news_at"] == "2026-11-23T10:30:00Z"


def test_what_was_promised_stands_until_it_is_past(
    provider: Provider, token: str, desk: Customer
) -> None:
    wants_news(provider.customer(token))
    desk.submit(action="message", text="uno", next_news_at="10:30")
    desk.submit(action="message", text="dos", next_news_at="")
    assert status(provider, token)["next_news_at"] == "2026-11-23T09:30:00Z"
    assert "Próxima actualización: 23 nov 2026 10:30" in text_of(provider.work()[-1])
    provider.later(hours=10)
    desk.submit(action="message", text="tres", next_news_at="")
    assert status(provider, token)["next_news_at"] is None


def test_an_hour_just_missed_is_asked_about(provider: Provider, token: str, desk: Customer) -> None:
    page = desk.submit(action="message", text=WORDS, next_news_at="3:10")
    assert page.status == 422
    assert page.errors["next_news_at"] == (
        "Esa hora ya ha pasado. Para otro día, escriba también la fecha: 2026-11-24 03:10"
    )
    assert page.fields["text"] == WORDS
    assert status(provider, token)["messages"] == []


def test_enter_does_nothing_but_ask(provider: Provider, token: str, desk: Customer) -> None:
    """It presses the first button, which is hidden and has no action."""
    before = everything(provider)
    buttons = re.findall(r"<button[^>]*>", desk.page.html.partition("csrf_token")[2])
    assert "name=" not in buttons[0]
    page = desk.submit(text=WORDS, next_news_at="10:30")
    assert page.status == 422
    assert "Elija qué hacer" in page.text
    assert (page.fields["text"], page.fields["next_news_at"]) == (WORDS, "10:30")
    assert everything(provider) == before


def test_what_was_typed_outlives_an_action_that_does_not_send_it(
    provider: Provider, token: str, desk: Customer
) -> None:
    key = provider.command("notice", "open", "--service", "email", "--text", "Nodo 7").strip()
    for action in ({"action": "acknowledge"}, {"action": "link_notice", "notice": key}):
        page = desk.submit(text=WORDS, next_news_at="10:30", **action)
        assert page.status == 200
        assert (page.fields["text"], page.fields["next_news_at"]) == (WORDS, "10:30")
        assert "Lo que ha escrito al cliente no se ha enviado todavía." in page.text
    assert status(provider, token)["seen_at"] is not None
    assert f"Vinculado a {key}." in page.text
    assert status(provider, token)["messages"] == []
    page = desk.submit(action="message")
    assert status(provider, token)["messages"][0]["text"] == WORDS
    assert page.fields["text"] == ""


@pytest.mark.parametrize("action", ["message", "solve"])
def test_the_same_twice_is_once(
    provider: Provider, token: str, desk: Customer, action: str
) -> None:
    wants_news(provider.customer(token))
    for _ in range(2):
        desk.forge(action=action, text=WORDS)
    assert len(provider.work()) == 1
    assert len(status(provider, token)["messages"]) == 1
    provider.later(minutes=2)
    desk.forge(action=action, text=WORDS)
    assert len(status(provider, token)["messages"]) == 2


def test_the_same_words_with_the_time_that_was_forgotten_are_told(
    provider: Provider, token: str, desk: Customer
) -> None:
    desk.submit(action="message", text=WORDS)
    desk.submit(action="message", text=WORDS, next_news_at="23:00")
    desk.submit(action="message", text=WORDS, next_news_at="23:00")
    assert len(status(provider, token)["messages"]) == 2
    assert status(provider, token)["next_news_at"]


def test_the_desk_says_whether_an_email_goes_out(provider: Provider, token: str) -> None:
    assert "No sale ningún correo" in provider.desk(token).page.text
    wants_news(provider.customer(token))
    assert "y sale por correo" in provider.desk(token).page.text


def test_what_was_solved_by_mistake_is_opened_again(
    provider: Provider, token: str, desk: Customer
) -> None:
    wants_news(provider.customer(token))
    assert "reopen" not in desk.page.html
    page = desk.submit(action="solve", text=WORDS)
    assert 'value="solve"' not in page.html
    assert "next_news_at" not in page.fields
    desk.submit(action="reopen", text="Nos hemos equivocado de incidencia")
    found = status(provider, token)
    assert found["solved_at"] is None
    assert found["messages"][0]["text"] == "Nos hemos equivocado de incidencia"
    assert done(desk.page)[0].startswith("Abierto de nuevo 23 nov 2026 03:22 · Ana")
    solved, opened = provider.work()
    assert "El equipo de soporte da por solucionada" in text_of(solved)
    assert "Nos hemos equivocado" in text_of(opened)
    assert "<b>Solucionado</b>" not in provider.customer(token).page.html


def test_it_is_opened_again_without_a_word_and_then_no_mail_goes_out(
    provider: Provider, token: str, desk: Customer
) -> None:
    wants_news(provider.customer(token))
    desk.submit(action="solve", text=WORDS)
    desk.submit(action="reopen", text="")
    assert status(provider, token)["solved_at"] is None
    assert done(desk.page)[0].startswith("Abierto de nuevo 23 nov 2026 03:22 · Ana")
    assert len(provider.work()) == 1  # of solved
    page = provider.customer(token).page
    assert page.status == 200
    assert "<b>Solucionado</b>" not in page.html


def test_of_what_is_solved_no_more_news_is_promised(
    provider: Provider, token: str, desk: Customer
) -> None:
    wants_news(provider.customer(token))
    desk.submit(action="solve", text=WORDS)
    desk.forge(action="message", text="Una cosa más", next_news_at="10:30")
    assert status(provider, token)["next_news_at"] is None
    assert "Próxima actualización" not in text_of(provider.work()[-1])


def test_solve_ends_it_and_says_what_it_was(provider: Provider, token: str, desk: Customer) -> None:
    desk.submit(action="message", text="En ello", next_news_at="10:30")
    provider.later(minutes=30)
    page = provider.desk(token, name="Luis").submit(action="solve", text=WORDS)
    found = status(provider, token)
    assert found["solved_at"] == "2026-11-23T02:52:00Z"
    assert found["next_news_at"] is None
    assert [message["text"] for message in found["messages"]] == [WORDS, "En ello"]
    receipt = provider.customer(token).page
    assert "Solucionado" in receipt.text
    assert WORDS in receipt.text
    assert "Próxima actualización" not in receipt.text
    assert done(page)[0] == f"Solucionado 23 nov 2026 03:52 · Luis {WORDS}"


def test_a_customer_for_whom_it_is_worse_opens_it_again(
    provider: Provider, token: str, desk: Customer
) -> None:
    desk.submit(action="solve", text=WORDS)
    provider.customer(token).submit("update", kind="worse", text="Ha vuelto a caer")
    assert status(provider, token)["solved_at"] is None
    page = desk.open(desk_link(provider.mails_of(token)[0]))
    assert done(page)[0] == "Va peor 23 nov 2026 03:22 · el cliente Ha vuelto a caer"


def test_it_is_this_known_incident(provider: Provider, token: str) -> None:
    key = provider.command(
        "notice", "open", "--service", "email", "--text", "Cae el nodo 7"
    ).strip()
    assert "Cae el nodo 7" not in provider.customer(token).page.text
    desk = provider.desk(token)
    assert f"{key}: Correo electrónico" in desk.page.text
    page = desk.submit(action="link_notice", notice=key)
    assert f"Vinculado a {key}. Actualizarla o cerrarla" in " ".join(page.text.split())
    (known,) = [path for path, text in page.links.items() if text == "Actualizarla o cerrarla"]
    assert "Cae el nodo 7" in provider.support().open(known).text
    assert done(page) == [f"Vinculado a una incidencia conocida 23 nov 2026 03:22 · Ana {key}"]
    assert "Cae el nodo 7" in provider.customer(token).page.text
    assert status(provider, token)["seen_at"] is not None
    assert len(done(desk.submit(action="link_notice", notice=key))) == 1


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"action": "message", "text": " "}, "text"),
        ({"action": "solve", "text": ""}, "text"),
        ({"action": "message", "text": WORDS, "next_news_at": "pronto"}, "next_news_at"),
        ({"action": "message", "text": WORDS, "next_news_at": "2020-01-01 10:00"}, "next_news_at"),
        ({"action": "message", "text": WORDS, "next_news_at": "9999-12-31 10:00"}, "next_news_at"),
        ({"action": "message", "text": "x" * 5001}, "text"),
        ({"action": "link_notice", "notice": "N-00000"}, None),
        ({"action": "forget", "text": WORDS}, None),
        ({"text": WORDS}, None),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_is_lost(
    provider: Provider, desk: Customer, sent: dict[str, str], field: str | None
) -> None:
    before = everything(provider)
    page = desk.forge(**sent)
    assert page.status == 422
    if field:
        assert page.errors[field]
        assert "Field" not in page.errors[field]
    assert page.fields["text"].strip() == sent.get("text", "").strip()
    assert everything(provider) == before


def test_what_the_customer_added_is_there(provider: Provider, token: str) -> None:
    customer = provider.customer(token)
    customer.submit("update", kind="info", text="<b>Más</b>\r\nlíneas")
    customer.open(f"/r/{token}/details/impact")
    customer.submit(users_affected="40 personas")
    customer.open(f"/r/{token}/details/review")
    customer.submit()
    page = provider.desk(token).page
    assert "40 personas" in page.text
    assert "<b>Más</b>" in page.text
    assert "<b>Más</b>" not in page.html


# The link


def test_a_link_is_a_plain_address_that_lasts(provider: Provider, token: str) -> None:
    reference = provider.receipt(token).report.reference
    path = desk_link(provider.mails_of(token)[0])
    assert path == f"/desk/{reference}"
    provider.later(days=90)
    assert provider.support().open(path).status == 200


@pytest.mark.parametrize("spelt", ["{0}", "{1}", "{2}"])
def test_a_reference_is_found_as_it_is_heard(provider: Provider, token: str, spelt: str) -> None:
    reference = provider.receipt(token).report.reference
    spellings = (reference, reference.lower(), reference.removeprefix("INC-"))
    assert reference in provider.support().open(f"/desk/{spelt.format(*spellings)}").text


@pytest.mark.parametrize("reference", ["INC-A00000", "nonsense", "INC-"])
def test_what_is_no_report_is_no_page(provider: Provider, reference: str) -> None:
    assert provider.support().open(f"/desk/{reference}").status == 404


# CustomerUpdate by mail


def test_news_is_mailed_to_a_customer_who_asked(provider: Provider, token: str) -> None:
    page = wants_news(provider.customer(token))
    assert "Le enviaremos un correo cuando haya una actualización." in page.text
    desk = provider.desk(token)
    assert "Pidió actualizaciones por correo" in desk.page.text
    desk.submit(action="message", text=WORDS, next_news_at="10:30")
    (mail,) = provider.work()
    reference = provider.receipt(token).report.reference
    assert mail["To"] == "inigo@example.com"
    assert mail["Subject"] == f"{reference}: actualización del equipo de soporte"
    assert mail["Reply-To"] == "support@example.com"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Auto-Response-Suppress"] == "AutoReply, OOF, DR, RN, NRN"
    assert mail["References"] == to_support(provider.mails_of(token))[0]["Message-ID"]
    text = text_of(mail)
    assert text.startswith(f"Actualización del equipo de soporte sobre {reference}:\n\n{WORDS}\n\n")
    assert "Próxima actualización: 23 nov 2026 10:30 (Europe/Madrid).\n" in text
    assert f"https://incidents.example.com/r/{token}\n" in text
    desk.submit(action="solve", text="Ya está.")
    (mail,) = provider.work()
    assert mail["Subject"] == f"{reference}: el equipo de soporte da la incidencia por solucionada"
    assert text_of(mail).startswith(
        f"El equipo de soporte da por solucionada la incidencia {reference}:\n\nYa está.\n"
    )
    assert "Próxima actualización" not in text_of(mail)


def test_a_mail_of_news_holds_no_word_of_the_visitors(provider: Provider) -> None:
    hostile = {
        key: f"Compre en https://evil.example/{key}"
        for key in ("summary", "affected", "error_message", "name", "company", "change_description")
    }
    token = provider.report(**hostile)
    customer = provider.customer(token)
    customer.submit("update", kind="info", text="Compre en https://evil.example/update")
    wants_news(provider.customer(token))
    provider.desk(token).submit(action="message", text=WORDS)
    news = to_customers(provider.work())[-1]
    assert "evil.example" not in news.as_string()
    assert "Compre" not in news.as_string() + text_of(news)
    for key in ("phone", "customer_number"):
        assert ANSWERS[key] not in text_of(news)


def test_nobody_who_did_not_ask_is_mailed(provider: Provider, token: str, desk: Customer) -> None:
    desk.submit(action="message", text=WORDS)
    desk.submit(action="solve", text=WORDS)
    assert provider.work() == []


def test_news_stops_when_it_is_stopped(provider: Provider, token: str, desk: Customer) -> None:
    wants_news(provider.customer(token))
    page = wants_news(provider.customer(token), "no")
    assert "Recibir actualizaciones por correo" in page.text
    desk.submit(action="message", text=WORDS)
    assert provider.work() == []


def test_acknowledging_is_no_news_worth_a_mail(
    provider: Provider, token: str, desk: Customer
) -> None:
    wants_news(provider.customer(token))
    desk.submit(action="acknowledge")
    assert provider.work() == []


def test_news_waits_for_the_ticket(provider: Provider) -> None:
    provider.smtp.scripts["MAIL"] = repeat("451 4.3.0 later", 1)
    token = provider.report()
    wants_news(provider.customer(token))
    provider.desk(token).submit(action="message", text=WORDS)
    assert provider.work() == []
    provider.later(minutes=5)
    mails = provider.work()
    assert mails[0]["To"] == "support@example.com"
    assert sum(WORDS in text_of(mail) for mail in mails) == 1


def test_news_is_in_the_language_and_the_zone_of_the_customer(provider: Provider) -> None:
    token = provider.report(language="en", timezone="America/Bogota")
    provider.work()
    wants_news(provider.customer(token, "en"))
    provider.desk(token).submit(action="message", text=WORDS, next_news_at="10:30")
    (mail,) = provider.work()
    assert mail["Content-Language"] == "en"
    assert "update from support" in mail["Subject"]
    assert "Next update: 23 Nov 2026 04:30 (America/Bogota)." in text_of(mail)


def test_a_customer_who_wants_news_hears_of_the_incident_it_is_linked_to(
    provider: Provider, token: str
) -> None:
    key = provider.command("notice", "open", "--service", "email", "--text", "Nodo 7").strip()
    wants_news(provider.customer(token))
    provider.desk(token).submit(action="link_notice", notice=key)
    told = ("notice", "update", key, "--text", "Lo reparamos")
    assert provider.command(*told) == "0 told by email.\n"  # the address may be anybody's
    assert provider.followers_confirm() == 1
    assert provider.command(*told[:-1], "Lo hemos reparado") == "1 told by email.\n"
    (mail,) = to_customers(provider.work())
    assert mail["To"] == "inigo@example.com"
    assert text_of(mail).startswith("Lo hemos reparado\n")


def test_a_customer_who_has_confirmed_an_address_is_not_asked_again(
    provider: Provider, token: str
) -> None:
    words = ("notice", "open", "--service", "email", "--text")
    first, second = (provider.command(*words, text).strip() for text in ("Nodo 7", "Nodo 8"))
    wants_news(provider.customer(token))
    provider.desk(token).submit(action="link_notice", notice=first)
    assert provider.followers_confirm() == 1
    provider.desk(token).submit(action="link_notice", notice=second)
    assert to_customers(provider.work()) == []
    said = provider.command("notice", "update", second, "--text", "Lo reparamos")
    assert said == "1 told by email.\n"


def test_so_does_one_who_asks_for_news_once_it_is_linked(provider: Provider, token: str) -> None:
    key = provider.command("notice", "open", "--service", "email", "--text", "Nodo 7").strip()
    provider.desk(token).submit(action="link_notice", notice=key)
    wants_news(provider.customer(token))
    wants_news(provider.customer(token))
    assert provider.followers_confirm() == 1
    said = provider.command("notice", "update", key, "--text", "Lo reparamos")
    assert said == "1 told by email.\n"


def test_who_stops_the_mails_hears_no_more_of_the_incident_either(
    provider: Provider, token: str
) -> None:
    key = provider.command("notice", "open", "--service", "email", "--text", "Nodo 7").strip()
    provider.desk(token).submit(action="link_notice", notice=key)
    wants_news(provider.customer(token))
    assert provider.followers_confirm() == 1
    wants_news(provider.customer(token), "no")
    said = provider.command("notice", "update", key, "--text", "Lo reparamos")
    assert said.startswith("0 told by email.")


def test_a_press_for_news_needs_a_token(provider: Provider, token: str) -> None:
    customer = provider.customer(token)
    assert customer.submit("news", wanted="yes", csrf_token="stale").status == 400
    assert not provider.row(token).news_wanted
