"""The receipt: what was said, and how far it has come; nothing is claimed before it is so."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
import time_machine
from customers import Customer, Page
from factories import ANSWERS, SENT_AT, a_report
from flask import Flask
from jsonschema import Draft202012Validator, FormatChecker

from reporter.database import Database
from reporter.mail.ticket_json import schema
from reporter.models import Attempt, Message, Report, Update
from reporter.reports import receipts
from reporter.reports.submission import submit

LATER = SENT_AT + timedelta(seconds=30)


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
    assert (
        "has not accepted it yet. We keep trying, and it will not be lost." in page.text
    ) is late
    assert ("If it is urgent, call us and give your reference:" in page.text) is late
    assert "+34 900 000 000" in page.text


def test_a_ticket_that_was_sent_is_late_no_more(app: Flask) -> None:
    path = sent(app)
    happened(app, "ticket", "sent", SENT_AT + timedelta(hours=1))
    assert "has not accepted it" not in seen(app, path, SENT_AT + timedelta(hours=2)).text


def test_a_ticket_that_was_refused_is_late_at_once_and_never_called_sent(app: Flask) -> None:
    path = sent(app)
    happened(app, "ticket", "failed")
    page = seen(app, path)
    assert "has not accepted it. It is kept here and will not be lost." in page.text
    assert "Not with support" in page.text
    assert "On its way" not in page.text
    assert "call us and give your reference: +34 900 000 000" in " ".join(page.text.split())
    assert "We keep trying" not in page.text
    assert "has accepted it" not in page.text


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"preferred_channel": "phone"}, "Support will call you on +34\xa0600\xa000\xa000\xa000."),
        (
            {"preferred_channel": "email", "email_affected": "yes"},
            "Support will call you on +34\xa0600\xa000\xa000\xa000.",
        ),
        ({"preferred_channel": "email"}, "Support will write to inigo@example.com."),
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
    tomorrow = datetime.now(ZoneInfo(app.config["TIMEZONE"])) + timedelta(days=1)
    run("update", key, "--next-news", f"{tomorrow:%Y-%m-%d} 12:00")  # which no clock leaves out
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
    assert "| La tienda no carga – error 502\n" in page.html


def test_what_only_support_is_told_is_in_neither_copy(app: Flask) -> None:
    customer = Customer(app)
    customer.report(topic="filled in by a program")
    path = customer.page.path
    copy = customer.peek(f"{path}/ticket.json")
    assert copy.response.json["flags"] == []
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
        assert (found.saved_at, found.sent_at, found.ticket.is_refused) == (SENT_AT, None, False)
        assert found.acknowledgement is not None
        assert found.report.text("name") == "Íñigo Muñoz"
        assert receipts.find(session, "another") is None


# How far every mail is


def written(app: Flask, kind: str, **columns: Any) -> None:
    """What a worker would have written of the mails of a *kind*."""
    database: Database = app.extensions["sqlalchemy"]
    with database.write() as session:
        session.execute(sa.update(Message).where(Message.kind == kind).values(**columns))


def status_of(app: Flask, path: str) -> dict[str, Any]:
    found = app.test_client().get(f"{path}/status.json").json
    assert found is not None
    return dict(found)


def test_seen_is_pending_until_a_person_confirms(app: Flask) -> None:
    path = sent(app)
    assert "Seen: pending" in seen(app, path).text
    happened(app, "ticket", "sent", SENT_AT)
    assert "Seen: pending" in seen(app, path).text
    with app.extensions["sqlalchemy"].write() as session:
        session.execute(sa.update(Report).values(seen_at=LATER))
    page = seen(app, path)
    assert "Seen: pending" not in page.text
    assert "Support will read your report" not in page.text


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"state": "failed"}, "has refused our email: note the reference"),
        ({"state": "queued"}, "is still waiting to go to"),
        ({"state": "sent", "sent_at": SENT_AT}, "We have sent this reference"),
    ],
)
def test_what_became_of_the_mail_with_the_reference_is_told(
    app: Flask, columns: dict[str, Any], told: str
) -> None:
    path = sent(app)
    written(app, "acknowledgement", **columns)
    assert told in seen(app, path, SENT_AT + timedelta(minutes=10)).text


def test_a_lesser_ticket_is_called_so(app: Flask) -> None:
    path = sent(app)
    written(app, "ticket", state="sent", sent_at=SENT_AT, form="stub")
    assert "Sent in a shorter form" in seen(app, path).text


def test_every_change_that_the_page_shows_has_another_version(app: Flask) -> None:
    path = sent(app)
    versions = []

    def look(at: datetime = LATER) -> None:
        with time_machine.travel(at, tick=False):
            response = app.test_client().get(f"{path}/status.json")
            page = app.test_client().get(path).text
        version = response.headers["ETag"].strip('"')
        assert f'data-version="{version}"' in page
        versions.append(version)

    look()
    look(SENT_AT + timedelta(minutes=10))  # late
    written(app, "acknowledgement", state="failed")
    look()
    written(app, "ticket", state="sent", sent_at=SENT_AT)
    look()
    written(app, "ticket", form="without_files")
    look()
    assert len(set(versions)) == len(versions)


def test_a_mail_that_failed_tells_when_it_was_tried_last(app: Flask) -> None:
    path = sent(app)
    written(app, "ticket", state="failed")
    with app.extensions["sqlalchemy"].write() as session:
        ticket = session.scalars(sa.select(Message).where(Message.kind == "ticket")).one()
        ticket.attempts.append(
            Attempt(attempted_at=LATER, relay="r:25", outcome="refused", code=550, reply="no")
        )
    told = {each["kind"]: (each["state"], each["at"]) for each in status_of(app, path)["mails"]}
    assert told["ticket"] == ("failed", "2026-11-23T02:22:30Z")


@pytest.mark.parametrize("behind", [".", ",", ")", ">", "/", "»", ".)", "%22", "?"])
def test_a_link_that_was_copied_with_what_stands_behind_it_opens(app: Flask, behind: str) -> None:
    path = sent(app)
    page = Customer(app).open(path + behind)
    assert (page.status, reference(app) in page.text) == (200, True)


def test_the_address_is_shown_as_people_read_it(app: Flask) -> None:
    path = sent(app, email="info@xn--mnchen-3ya.example", preferred_channel="email")
    page = seen(app, path)
    assert "Support will write to info@münchen.example." in page.text


def test_the_phone_is_at_the_head_of_every_page_of_a_customers(app: Flask) -> None:
    customer = Customer(app)
    paths = ["/", "/report/failure", "/report/timing", "/offline", "/nowhere", sent(app)]
    customer.fill("failure")
    for path in [*paths, f"{paths[-1]}/details/evidence"]:
        head = customer.open(path).html.partition("<header")[2].partition("</header>")[0]
        line = re.search(r'<p class="urgent">(.*)</p>', head)
        assert line, path
        told = re.sub("<[^>]*>", "", line[1])
        # With three letters more it would take two lines of a small phone.
        assert told == "¿Urgente? Llame al +34 900 000 000 (24/7)", path
        assert 'href="tel:+34900000000"' in head, path


def test_exact_text_is_a_region_that_a_keyboard_scrolls(app: Flask) -> None:
    path = sent(app, error_message="\x1b[1mCONTAINER\x1b[0m\tIMAGE\r\nab12\tnginx")
    html = seen(app, path).html
    (shown,) = re.findall(r'<pre class="exact"[^>]*>', html)
    assert 'tabindex="0" role="region"' in shown
    assert ">\nCONTAINER\tIMAGE\nab12\tnginx</pre>" in html
    # No page translator rewrites it, nor the reference; and every text may begin from either side.
    assert 'translate="no" dir="auto"' in shown
    assert re.search(r'<h1 translate="no">INC-', html)
    assert re.search(r'<textarea [^>]*dir="auto"[^>]* id="f-text"', html)


def test_of_many_updates_the_last_are_shown_and_the_rest_behind_a_link(app: Flask) -> None:
    path = sent(app)
    with app.extensions["sqlalchemy"].write() as session:
        row = session.scalars(sa.select(Report)).one()
        row.updates += [
            Update(
                author="customer", kind="info", content={"text": f"número {n}."}, created_at=LATER
            )
            for n in range(51)
        ]
    page = seen(app, path)
    assert "número 50." in page.text
    assert "número 0." not in page.text
    (earlier,) = [path for path, text in page.links.items() if "said before" in text]
    page = Customer(app, "en").open(earlier)
    assert "número 0." in page.text
    assert "said before" not in page.text
    # As many long ones are more than a page has room for: it has a part, and knows that.
    with app.extensions["sqlalchemy"].write() as session:
        session.execute(sa.update(Update).values(content={"text": "muy largo " * 500}))
    page = Customer(app, "en").open(earlier)
    assert page.text.count("muy largo " * 499) == 50
    assert "What was said before this does not fit on this page." in page.text
    assert earlier not in page.links  # it would lead here
    with app.app_context(), app.extensions["sqlalchemy"].read() as session:
        found = receipts.find_or_404(session, path.rpartition("/")[2], receipts.ALL_SHOWN)
    assert (len(found.told), found.has_earlier) == (50, True)
