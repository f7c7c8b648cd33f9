"""Known incidents: opened, told of and closed by commands, and where customers see them."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import timedelta

import pytest
import sqlalchemy as sa
from customers import Customer
from factories import SENT_AT
from incidents import ENGLISH, TEXT, opened, rows
from provider import Provider

from reporter.models import Notice


def test_a_list_of_incidents_steers_no_terminal(provider: Provider) -> None:
    opened(provider)
    with provider.database.write() as session:
        (row,) = session.scalars(sa.select(Notice))
        (entry,) = row.entries
        row.entries = [entry | {"text": {"es": "uno\x1b]0;título\x07 \x9b31mdos\r\n \u202etres"}}]
    said = provider.command("notice", "list")
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", said)
    assert said.endswith("last:\n         uno dos\n          tres\n")


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


def test_a_service_that_is_named_twice_is_told_once(provider: Provider) -> None:
    opened(provider, "--service", "web-hosting")
    assert rows(provider, Notice)[0].services == ["web-hosting"]


def test_since_is_now_unless_it_is_said(provider: Provider, key: str) -> None:
    assert key
    (row,) = rows(provider, Notice)
    assert row.started_at == SENT_AT
    assert row.next_news_at is None


def test_an_incident_is_told_of_and_closed(provider: Provider, key: str) -> None:
    provider.later(minutes=30)
    said = provider.command(
        "notice", "update", key.lower(), "--text", "Casi", "--next-update", "5:00"
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


def test_columns_of_its_text_stay_and_what_a_terminal_hides_goes(
    provider: Provider, key: str
) -> None:
    told = "\x1b[1mNODE\x1b[0m\tSTATE\r\nnode7\tdown\u202e"
    shown = ">\nNODE\tSTATE\nnode7\tdown</pre>"
    token = provider.report()
    provider.command("notice", "update", key, "--text", told)
    customer, support = Customer(provider.app), provider.support()
    pages = [customer.open(path) for path in ("/", "/report/failure", f"/r/{token}")]
    assert [page.html.count(shown) for page in pages] == [1, 1, 1]
    pages = [customer.open(f"/notices/{key}"), support.open(f"/desk/notices/{key}")]
    assert [page.html.count(shown) for page in pages] == [1, 2]  # there is a card of it besides
    assert not any(set("\x1b\u202e") & set(page.html) for page in pages)


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
