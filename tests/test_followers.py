"""Customers who say "mine is this": how they are counted, reached and forgotten."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy as sa
from customers import Customer, Page
from incidents import digests, follow, opened, rows
from provider import Provider, link, text_of, to_customers

from reporter.models import Follower, Message, Notice, Update


@pytest.mark.parametrize("sent", [True, False])
def test_who_is_erased_is_named_nowhere_and_the_counts_stay(
    provider: Provider, key: str, sent: bool
) -> None:
    """Neither in the digest for support that was sent, nor in the one that waits."""
    follow(provider, key, contact="ana@example.com", name="Ana Nombre")
    follow(provider, key, contact="eva@example.com", name="Eva Nombre")
    token = provider.report(email="ana@example.com")
    desk = provider.desk(token)
    desk.submit(action="link_notice", notice=key)
    if sent:
        provider.later(minutes=20)
        provider.work()
    with provider.database.write() as session:
        session.execute(sa.update(Message).where(Message.kind == "ticket").values(state="sent"))

    def told() -> dict[str, Any]:
        return json.loads(desk.peek(f"/desk/notices/{key}/export.json").html)

    before = told()
    assert (before["reports"], before["followers"]) == (1, 2)
    provider.command("person", "erase", "ana@example.com")
    after = told()
    assert (after["reports"], after["followers"]) == (1, 2)
    assert "2 followers" in provider.command("notice", "list")
    kept = b"".join(message.content for message in rows(provider, Message))
    assert b"Ana Nombre" not in kept
    assert b"ana@example.com" not in kept
    assert (b"Eva Nombre" in kept) is not sent


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
        ("Ana", "ana@", {"contact": "Enter an email address or phone number in full"}),
        (
            "Ana",
            "call me 123456 times",
            {"contact": "Enter an email address or phone number in full"},
        ),
        ("Ana", "12345", {"contact": "Enter an email address or phone number in full"}),
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


def test_nobody_is_asked_again_and_again_however_the_address_is_spelt(
    provider: Provider, key: str
) -> None:
    """The fourth within an hour waits for its end; an acknowledgement is one of them."""
    provider.report(email="ana@example.com")
    for contact in (
        "a.na@example.com",
        "Ana+1@Example.com",
        "an.a@example.com",
        "ana+x@example.com",
    ):
        stranger = Customer(provider.app, "en")
        page = stranger.open(f"/notices/{key}")
        page = stranger.submit(name="Ana", contact=contact)
        assert "we have sent a message to confirm it" in page.text
    assert len(to_customers(provider.work())) == 3
    provider.later(minutes=59)
    assert to_customers(provider.work()) == []
    provider.later(minutes=2)
    assert len(to_customers(provider.work())) == 2


def test_a_mail_program_stops_the_mails_with_one_click(provider: Provider, key: str) -> None:
    follow(provider, key)
    provider.command("notice", "update", key, "--text", "Casi")
    (mail,) = to_customers(provider.work())
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    path = str(mail["List-Unsubscribe"])[1:-1].removeprefix("https://incidents.example.com")
    client = provider.app.test_client()
    assert client.get(path).status_code == 303  # to the page that asks
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
    assert stranger.open(f"{path}/stop").action == path  # for a mail program without one click
    assert len(rows(provider, Follower)) == 1
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
    return customer.forge("mine", notice=notice, **sent)


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
    assert f"Vinculado a {key}." in desk
    assert "Vinculado a una incidencia conocida 23 nov 2026 03:22 · el cliente" in desk
    (follower,) = rows(provider, Follower)
    assert (follower.contact, follower.confirmed_at) == ("inigo@example.com", None)
    say_mine(provider, token, key)
    assert len(rows(provider, Update)) == 1


def test_mails_come_only_to_who_wants_them(provider: Provider, key: str) -> None:
    token, late = provider.report(), provider.report("late", email_affected="yes")
    say_mine(provider, token, key, news="no")
    assert provider.row(token).notice_id
    assert not provider.row(token).news_wanted
    assert "news" not in provider.customer(late).page.filled("mine")
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


def test_whoever_says_it_of_one_that_is_over_by_then_is_told_so(
    provider: Provider, key: str
) -> None:
    customer = provider.customer(provider.report())
    provider.command("notice", "close", key, "--text", "Era un disco")
    page = customer.submit("mine", notice=key)
    assert "Esa incidencia conocida ya ha terminado" in page.text
    assert "Hemos vinculado" not in page.text


def test_whoever_says_it_of_another_than_support_did_is_told_that_it_is_linked(
    provider: Provider, key: str
) -> None:
    told = ("open", "--service", "web-hosting", "--text", "Cae el nodo 8")
    token, another = provider.report(), provider.command("notice", *told).strip()
    customer = provider.customer(token)
    provider.desk(token).submit(action="link_notice", notice=another)
    page = customer.submit("mine", notice=key)
    assert page.text.count("Hemos vinculado su aviso a la incidencia conocida.") == 2
    assert provider.row(token).notice_id == rows(provider, Notice, key=another)[0].id


def test_what_is_said_of_it_disturbs_no_follow_up(provider: Provider, key: str) -> None:
    token = provider.report()
    say_mine(provider, token, key)
    customer = provider.customer(token)
    customer.submit("update", kind="info", text="Sigue igual")
    assert "link_notice" not in customer.open(f"/r/{token}/ticket.json").html
    (followup,) = [mail for mail in provider.mails_of(token) if mail["In-Reply-To"]]
    assert "update: 1\n" in text_of(followup)
    assert "link_notice" not in followup.as_string()
    twin = json.loads(next(followup.iter_attachments()).get_content())
    assert [note["noteType"] for note in twin["note"]] == ["info"]
