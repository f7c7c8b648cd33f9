"""The receipt: what was said, and how far it has come; nothing is claimed before it is so."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
import time_machine
from factories import ANSWERS, SENT_AT, Customer, Page, a_report, an_app
from flask import Flask
from jsonschema import Draft202012Validator, FormatChecker

from reporter.database import Database
from reporter.mail.ticket_json import schema
from reporter.models import Message, Report
from reporter.reports import receipts
from reporter.reports.submission import submit

LATER = SENT_AT + timedelta(seconds=30)


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    with an_app(tmp_path) as app:
        yield app


def sent(app: Flask, **changes: Any) -> str:
    """Send a report at SENT_AT; its receipt's path."""
    with app.test_request_context():
        return "/r/" + submit("draft", a_report(**changes))


def happened(app: Flask, kind: str, state: str, at: datetime | None = None) -> None:
    """What a worker would have written down."""
    database: Database = app.extensions["sqlalchemy"]
    with database.write() as session:
        session.execute(
            sa.update(Message).where(Message.kind == kind).values(state=state, sent_at=at)
        )


def seen(app: Flask, path: str, at: datetime = LATER, language: str = "en") -> Page:
    with time_machine.travel(at, tick=False):
        return Customer(app, language).open(path)


def reference(app: Flask) -> str:
    with app.extensions["sqlalchemy"].read() as session:
        return str(session.scalars(sa.select(Report.reference)).one())


def test_the_receipt_has_the_reference_and_what_was_said(app: Flask) -> None:
    path = sent(app)
    page = seen(app, path, language="es")
    assert page.status == 200
    assert reference(app) in page.text
    for told in ("La tienda no carga – error 502", "Íñigo Muñoz", "+34 600 00 00 00", "Va y viene"):
        assert told in page.text
    assert "¿Qué servicio falla?" in page.text


def test_a_report_is_saved_and_not_yet_sent(app: Flask) -> None:
    page = seen(app, sent(app))
    assert "Saved 23 Nov 2026 03:22" in " ".join(page.text.split())
    assert "On its way to support" in page.text
    assert "It usually takes a few seconds." in page.text
    assert "mail server has accepted it" not in page.text


def test_a_report_is_sent_when_the_mail_server_of_support_took_the_ticket(app: Flask) -> None:
    path = sent(app)
    happened(app, "ticket", "sent", SENT_AT + timedelta(minutes=1))
    page = seen(app, path)
    text = " ".join(page.text.split())
    assert "Sent 23 Nov 2026 03:23 Support's mail server has accepted it." in text
    assert "Waiting for someone in support to confirm they have read it." in text
    assert "On its way" not in text
    assert "read" not in text.replace("they have read it", "").split("What happens")[0]


def test_an_acknowledgement_that_was_sent_says_nothing_of_the_ticket(app: Flask) -> None:
    path = sent(app)
    happened(app, "acknowledgement", "sent", SENT_AT)
    assert "On its way to support" in seen(app, path).text


def test_the_acknowledgement_is_told_once_it_was_sent(app: Flask) -> None:
    path = sent(app)
    told = "We have sent this reference and the link to this page to inigo@example.com."
    assert told not in seen(app, path).text
    happened(app, "ticket", "sent", SENT_AT)
    assert told not in seen(app, path).text
    happened(app, "acknowledgement", "sent", SENT_AT)
    assert told in seen(app, path).text


@pytest.mark.parametrize(("seconds", "late"), [(0, False), (120, False), (121, True)])
def test_a_ticket_that_takes_long_is_late_and_the_page_says_so_with_the_phone_number(
    app: Flask, seconds: int, late: bool
) -> None:
    page = seen(app, sent(app), SENT_AT + timedelta(seconds=seconds))
    assert ("has not taken it yet. We keep trying, and it will not be lost." in page.text) is late
    assert ("If it is urgent, call us and give your reference:" in page.text) is late
    assert "+34 900 000 000" in page.text


def test_a_ticket_that_was_sent_is_late_no_more(app: Flask) -> None:
    path = sent(app)
    happened(app, "ticket", "sent", SENT_AT + timedelta(hours=1))
    assert "not taken it yet" not in seen(app, path, SENT_AT + timedelta(hours=2)).text


def test_a_ticket_that_was_refused_is_late_at_once_and_never_called_sent(app: Flask) -> None:
    path = sent(app)
    happened(app, "ticket", "failed")
    page = seen(app, path)
    assert "has not taken it. It is kept here and will not be lost." in page.text
    assert "call us and give your reference: +34 900 000 000" in " ".join(page.text.split())
    assert "We keep trying" not in page.text
    assert "has accepted it" not in page.text


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"preferred_channel": "phone"}, "They will call you on +34\xa0600\xa000\xa000\xa000."),
        (
            {"preferred_channel": "email", "email_affected": "yes"},
            "They will call you on +34\xa0600\xa000\xa000\xa000.",
        ),
        ({"preferred_channel": "email"}, "They will write to inigo@example.com."),
    ],
)
def test_what_happens_next_is_what_was_asked_for_and_can_be_done(
    app: Flask, changes: dict[str, str], told: str
) -> None:
    assert told in seen(app, sent(app, **changes)).text


def test_the_receipt_is_in_the_language_in_use(app: Flask) -> None:
    path = sent(app, language="es")
    assert "Which service is failing?" in seen(app, path, language="en").text
    assert "¿Qué servicio falla?" in seen(app, path, language="es").text
    assert "¿Qué servicio falla?" in seen(app, f"{path}?lang=es", language="en").text


def test_times_are_those_of_the_customers_zone(app: Flask) -> None:
    page = seen(app, sent(app, timezone="America/Bogota", started="just_now"))
    assert "Saved 22 Nov 2026 21:22" in " ".join(page.text.split())
    assert "Times are in the America/Bogota time zone." in page.text


def test_the_status_has_times_in_utc_or_null(app: Flask) -> None:
    path = sent(app)
    status = json.loads(seen(app, f"{path}/status.json").html)
    assert status["reference"] == reference(app)
    assert status["saved_at"] == "2026-11-23T02:22:00Z"
    assert status["sent_at"] is None
    happened(app, "ticket", "sent", SENT_AT + timedelta(seconds=4))
    assert json.loads(seen(app, f"{path}/status.json").html)["sent_at"] == "2026-11-23T02:22:04Z"


def test_the_status_has_another_tag_when_a_known_incident_has_news(app: Flask) -> None:
    path = sent(app)

    def tag() -> str:
        page = seen(app, f"{path}/status.json")
        assert "notice" not in page.html
        return page.headers["ETag"]

    def run(*words: str) -> str:
        result = app.test_cli_runner().invoke(args=["notice", *words, "--text", "Cae el nodo 7"])
        assert result.exit_code == 0, result.output
        return result.output.strip()

    tags = [tag()]
    run("open", "--service", "email")
    assert tag() == tags[0]
    key = run("open", "--service", "web-hosting")
    tags.append(tag())
    in_an_hour = datetime.now(ZoneInfo(app.config["TIMEZONE"])) + timedelta(hours=1)
    run("update", key, "--next-news", f"{in_an_hour:%Y-%m-%d %H:%M}")
    tags.append(tag())
    run("close", key)
    assert tag() == tags[0]
    happened(app, "ticket", "sent", SENT_AT)
    tags.append(tag())
    assert len(set(tags)) == len(tags)


def test_the_customers_own_copy_as_text(app: Flask) -> None:
    path = sent(app)
    page = seen(app, f"{path}/ticket.txt", language="es")
    assert page.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert page.headers["Content-Disposition"] == f"attachment; filename={reference(app)}.txt"
    assert page.html.startswith(f"Su aviso {reference(app)}.\n\nreference: {reference(app)}\n")
    assert "  La tienda no carga – error 502\n" in page.html


def test_what_only_support_is_told_is_in_neither_copy(app: Flask) -> None:
    customer = Customer(app)
    customer.report(topic="filled in by a program")
    path = customer.page.action.removesuffix("/updates#add")
    response = customer.client.get(f"{path}/ticket.json", base_url=customer.base_url)
    assert response.json is not None
    assert response.json["flags"] == []
    assert "\nflags:" not in customer.peek(f"{path}/ticket.txt").html


def test_the_customers_own_copy_as_json(app: Flask) -> None:
    path = sent(app)
    page = seen(app, f"{path}/ticket.json")
    assert page.headers["Content-Type"] == "application/json"
    assert page.headers["Content-Disposition"] == f"attachment; filename={reference(app)}.json"
    ticket = json.loads(page.html)
    Draft202012Validator(schema(), format_checker=FormatChecker()).validate(ticket)
    assert ticket["answers"]["error_message"] == ANSWERS["error_message"]


@pytest.mark.parametrize("end", ["", "/status.json", "/ticket.txt", "/ticket.json"])
@pytest.mark.parametrize("token", ["unknown", "x" * 500, "%00", "..%2f..%2fetc", "-"])
def test_a_token_nobody_was_given_opens_nothing(app: Flask, token: str, end: str) -> None:
    sent(app)
    assert seen(app, f"/r/{token}{end}").status == 404


def test_the_hash_of_a_token_and_the_reference_open_nothing(app: Flask) -> None:
    sent(app)
    with app.extensions["sqlalchemy"].read() as session:
        row = session.scalars(sa.select(Report)).one()
    for guess in (row.token_hash, row.reference, row.draft_id):
        assert seen(app, f"/r/{guess}").status == 404


@pytest.mark.parametrize("end", ["", "/status.json", "/ticket.txt", "/ticket.json"])
def test_a_receipt_is_kept_by_no_cache_and_told_to_no_other_site(app: Flask, end: str) -> None:
    headers = seen(app, sent(app) + end).headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["X-Robots-Tag"] == "noindex"


def test_reading_a_receipt_changes_nothing(app: Flask) -> None:
    path = sent(app)
    for method in ("post", "put", "delete", "patch"):
        assert getattr(app.test_client(), method)(path).status_code in {400, 405}


def test_a_receipt_knows_the_times_it_has_reached(app: Flask) -> None:
    token = sent(app).removeprefix("/r/")
    with app.app_context(), app.extensions["sqlalchemy"].read() as session:
        found = receipts.find(session, token)
        assert found is not None
        assert (found.saved_at, found.sent_at, found.refused) == (SENT_AT, None, False)
        assert found.acknowledgement_queued
        assert found.report.text("name") == "Íñigo Muñoz"
        assert receipts.find(session, "another") is None
