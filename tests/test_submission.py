"""Keeping a report: once for each draft, with its mails or not at all. On both engines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from factories import SENT_AT, a_report, body, parsed
from flask import Flask
from sqlalchemy.exc import DBAPIError

from reporter import report
from reporter.database import Database
from reporter.links import hash_token, receipt_token
from reporter.models import Message, Report
from reporter.reports import submission
from reporter.reports.submission import submit


@pytest.fixture
def app(request_on_both: Flask) -> Flask:
    return request_on_both


def send(draft_id: str = "draft", **changes: Any) -> str:
    return submit(draft_id, a_report(**changes))


def rows(app: Flask, table: type[Any]) -> Sequence[Any]:
    database: Database = app.extensions["sqlalchemy"]
    with database.read() as session:
        return session.scalars(sa.select(table).order_by(table.id)).all()


def is_kept(app: Flask, draft_id: str) -> bool:
    database: Database = app.extensions["sqlalchemy"]
    with database.read() as session:
        return submission.kept_hash(session, draft_id) is not None


def statement(app: Flask, text: str) -> None:
    database: Database = app.extensions["sqlalchemy"]
    with database.write() as session:
        session.execute(sa.text(text))


def test_a_report_is_kept_with_its_ticket_and_its_acknowledgement(app: Flask) -> None:
    token = send()
    (row,) = rows(app, Report)
    ticket, acknowledgement = rows(app, Message)
    assert row.saved_at == SENT_AT
    assert row.service == "web-hosting"
    assert (ticket.kind, ticket.recipient) == ("ticket", "support@example.com")
    assert (acknowledgement.kind, acknowledgement.recipient) == (
        "acknowledgement",
        "inigo@example.com",
    )
    assert {ticket.report_id, acknowledgement.report_id} == {row.id}
    assert {ticket.reference, acknowledgement.reference} == {row.reference}
    assert {ticket.state, acknowledgement.state} == {"queued"}
    assert ticket.due_at == SENT_AT
    assert f"https://incidents.example.com/r/{token}" in body(acknowledgement.content)


def test_the_acknowledgement_waits_for_the_ticket(app: Flask) -> None:
    send()
    ticket, acknowledgement = rows(app, Message)
    assert (ticket.after_id, acknowledgement.after_id) == (None, ticket.id)


def test_a_mail_is_stored_under_the_message_id_it_has(app: Flask) -> None:
    send()
    for message in rows(app, Message):
        assert parsed(message.content)["Message-ID"] == message.mime_id


def test_the_database_keeps_no_token(app: Flask) -> None:
    token = send()
    (row,) = rows(app, Report)
    assert row.token_hash == hash_token(token)
    assert token not in str(vars(row))


def test_what_is_kept_is_what_was_handed_in(app: Flask) -> None:
    sent = a_report(affected="\x00 \u202e \N{FIRE}")
    submit("draft", sent)
    (row,) = rows(app, Report)
    kept = report.Report.from_json(row.content)
    assert kept == replace(sent, reference=row.reference)


def test_sending_twice_gives_the_first_receipt_and_keeps_one_report(app: Flask) -> None:
    assert send() == send(summary="Something else") == receipt_token("draft")
    (row,) = rows(app, Report)
    assert report.Report.from_json(row.content).text("summary") == "La tienda no carga – error 502"
    assert len(rows(app, Message)) == 2


def test_two_drafts_are_two_reports(app: Flask) -> None:
    assert send("one") != send("two")
    first, second = rows(app, Report)
    assert first.reference != second.reference


def test_a_draft_is_known_to_be_kept_once_it_is(app: Flask) -> None:
    assert not is_kept(app, "draft")
    send()
    assert is_kept(app, "draft")
    assert not is_kept(app, "another")


def test_a_double_click_keeps_one_report(app: Flask) -> None:
    def click(_: int) -> str:
        with app.test_request_context():
            return send()

    with ThreadPoolExecutor(6) as pool:
        tokens = set(pool.map(click, range(6)))
    assert tokens == {receipt_token("draft")}
    assert len(rows(app, Report)) == 1
    assert [message.kind for message in rows(app, Message)] == ["ticket", "acknowledgement"]


def test_many_reports_at_once_are_all_kept(app: Flask) -> None:
    def click(number: int) -> str:
        with app.test_request_context():
            return send(f"draft{number}", email=f"ana{number}@example.com")

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(click, range(18)))) == 18
    assert len({row.reference for row in rows(app, Report)}) == 18
    assert Counter(row.kind for row in rows(app, Message)) == {
        "ticket": 18,
        "acknowledgement": 18,
        "surge": 1,
    }


def test_a_report_whose_mail_cannot_be_queued_is_not_kept(app: Flask) -> None:
    statement(app, "ALTER TABLE message RENAME TO elsewhere")
    with pytest.raises(DBAPIError):
        send()
    statement(app, "ALTER TABLE elsewhere RENAME TO message")
    assert (rows(app, Report), rows(app, Message)) == ([], [])
    assert not is_kept(app, "draft")
    send()
    assert len(rows(app, Report)) == 1


def test_a_report_whose_last_mail_cannot_be_queued_is_not_kept_either(app: Flask) -> None:
    statement(app, "CREATE UNIQUE INDEX one_each ON message (recipient)")
    with pytest.raises(DBAPIError):
        send(email="support@example.com")
    assert (rows(app, Report), rows(app, Message)) == ([], [])
