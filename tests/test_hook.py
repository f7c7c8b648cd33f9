"""The helpdesk's hook: who may call it, what it takes, and what a receipt makes of it."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from provider import Provider, a_provider, to_support

from reporter import models
from reporter.inbound.hook import read
from reporter.inbound.signature import sign
from reporter.web import bounds

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
pytestmark = pytest.mark.settings(HOOK_SECRET=SECRET, HELPDESK_PROFILE="rt")
BEARER = {"Authorization": f"Bearer {SECRET}"}
AT = "2026-11-23T02:30:00Z"


@pytest.fixture
def token(provider: Provider) -> str:
    token = provider.report()
    provider.work()
    provider.later(minutes=10)
    return token


def reference(provider: Provider, token: str) -> str:
    return provider.receipt(token).report.reference


def call(provider: Provider, told: Any, headers: dict[str, str] | None = None) -> int:
    body = told if isinstance(told, bytes) else json.dumps(told).encode()
    response = provider.app.test_client().post(
        "/hooks/helpdesk", data=body, headers=BEARER if headers is None else headers
    )
    return response.status_code


def kinds(provider: Provider) -> list[str]:
    """What was kept as said, oldest first."""
    with provider.database.read() as session:
        return list(session.scalars(sa.select(models.Update.kind).order_by(models.Update.id)))


def support_time(moment: datetime) -> datetime:
    return moment.astimezone(ZoneInfo("Europe/Madrid"))


def signed(provider: Provider, body: bytes, **changes: str) -> dict[str, str]:
    timestamp = changes.get("timestamp", str(int(provider.now.timestamp())))
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": timestamp,
        "webhook-signature": changes.get("signature", sign(SECRET, "msg_1", timestamp, body)),
    }


def test_a_signature_is_as_standard_webhooks_has_it() -> None:
    """The example of its specification."""
    body = b'{"test": 2432232314}'
    assert sign(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body) == (
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )


def test_it_is_not_there_without_a_secret(tmp_path: Path) -> None:
    with a_provider(tmp_path) as provider:
        assert call(provider, {"reference": "INC-AAAAAA", "event": "answered"}) == 404


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {SECRET}"},
     {"Authorization": "Bearer "}, {"Authorization": "Bearer ñ"}],
)  # fmt: skip
def test_who_cannot_prove_it_changes_nothing(
    provider: Provider, token: str, headers: dict[str, str]
) -> None:
    told = {"reference": reference(provider, token), "event": "answered"}
    assert call(provider, told, headers) == 401
    assert provider.receipt(token).seen_at is None


def test_a_signature_is_as_good_as_the_secret(provider: Provider, token: str) -> None:
    body = json.dumps({"reference": reference(provider, token), "event": "answered"}).encode()
    assert call(provider, body, signed(provider, body)) == 202
    assert provider.receipt(token).seen_at == provider.now


def test_a_signature_is_of_this_body_and_of_this_time(provider: Provider, token: str) -> None:
    body = json.dumps({"reference": reference(provider, token), "event": "answered"}).encode()
    now = int(provider.now.timestamp())
    for headers in (
        signed(provider, b"another"),
        signed(provider, body, timestamp=str(now - 301)),
        signed(provider, body, timestamp=str(now + 301)),
        signed(provider, body, timestamp="soon"),
        signed(provider, body, signature="v1,"),
        signed(provider, body, signature=""),
    ):
        assert call(provider, body, headers) == 401
    assert call(provider, body, signed(provider, body, timestamp=str(now - 300))) == 202


@pytest.mark.parametrize(
    "told",
    [b"", b"{", b"[]", b"[" * 60_000, {"event": "answered"}, {"reference": "INC-AAAAAA"},
     {"reference": "INC-AAAAAA", "event": "deleted"}, {"reference": ["x"], "event": "answered"},
     {"reference": "INC-AAAAAA", "event": "created", "number": "1]\r\nBcc: x"},
     {"reference": "INC-AAAAAA", "event": "solved", "at": "soon"}],
)  # fmt: skip
def test_what_cannot_be_read_is_refused(provider: Provider, told: Any) -> None:
    assert call(provider, told) == 400


def test_a_body_has_a_bound(provider: Provider) -> None:
    told = {"reference": "INC-AAAAAA", "event": "answered", "more": ""}
    room = bounds.HOOK_BYTES - len(json.dumps(told))
    assert call(provider, {**told, "more": "x" * room}) == 202
    assert call(provider, {**told, "more": "x" * (room + 1)}) == 413


def test_a_ticket_that_is_none_of_ours_is_taken_and_left(provider: Provider) -> None:
    assert call(provider, {"subject": "Consulta de facturas", "event": "solved"}) == 202


@pytest.mark.parametrize("by", ["reference", "as_heard", "message_id", "subject", "bare_id"])
def test_a_ticket_may_be_named_in_three_ways(provider: Provider, token: str, by: str) -> None:
    ticket = to_support(provider.mails_of(token))[0]
    named = {
        "reference": {"reference": reference(provider, token)},
        "as_heard": {"reference": reference(provider, token).lower().removeprefix("inc-")},
        "message_id": {"message_id": ticket["Message-ID"]},
        "bare_id": {"message_id": ticket["Message-ID"].strip("<>")},
        "subject": {"subject": f"[example.com #7] INC-ZZZZZZ {ticket['Subject']}"},
    }[by]
    assert call(provider, {**named, "event": "answered"}) == 202
    assert provider.receipt(token).seen_at == provider.now


def test_solved_and_reopened_are_supports_word_on_the_receipt(
    provider: Provider, token: str
) -> None:
    told = {"reference": reference(provider, token), "event": "solved"}
    assert call(provider, told) == 202
    receipt = provider.receipt(token)
    assert (receipt.solved_at, receipt.messages) == (provider.now, ())
    page = provider.customer(token).page.text
    assert "El equipo de soporte da la incidencia por solucionada." in page
    assert "trabajará en él" not in page  # which was promised until then
    assert provider.work() == []  # nothing is written to anybody
    assert call(provider, {**told, "event": "reopened"}) == 202
    assert provider.receipt(token).solved_at is None


def test_support_may_say_what_the_customer_has_said_before(provider: Provider, token: str) -> None:
    provider.customer(token).submit("update", kind="solved", text="")
    told = {"reference": reference(provider, token), "event": "solved"}
    provider.later(minutes=5)
    for _ in range(2):
        assert call(provider, told) == 202
    receipt = provider.receipt(token)
    assert receipt.solved_by_support
    assert receipt.solved_at == provider.now - timedelta(minutes=5)
    assert kinds(provider) == ["solved", "solve"]


@pytest.mark.parametrize(("minutes", "kept"), [(9, False), (10, True), (20, True)])
def test_an_answer_keeps_the_promise_that_support_was_reminded_of(
    provider: Provider, token: str, minutes: int, kept: bool
) -> None:
    promised = f"{support_time(provider.now + timedelta(minutes=15)):%H:%M}"
    provider.desk(token).submit(action="message", text="En ello", next_news_at=promised)
    provider.later(minutes=minutes)
    told = {"reference": reference(provider, token), "event": "answered"}
    assert call(provider, told) == 202
    assert (provider.receipt(token).next_news_at is None) == kept


def test_the_same_call_twice_makes_one_change(provider: Provider, token: str) -> None:
    told = {"reference": reference(provider, token), "at": AT}
    for event in ("answered", "solved", "reopened"):
        for _ in range(2):
            assert call(provider, {**told, "event": event}) == 202
    assert call(provider, {**told, "event": "solved"}) == 202  # it comes late once more
    assert provider.receipt(token).solved_at is None
    assert kinds(provider) == ["answered", "solve", "reopen"]


@pytest.mark.parametrize(
    ("came", "is_solved"),
    [
        ([("reopened", "02:29"), ("solved", "02:28")], False),
        ([("solved", "02:27"), ("solved", "02:29"), ("reopened", "02:28")], True),
        ([("solved", "02:27"), ("reopened", "02:28"), ("solved", "02:29")], True),
        ([("solved", "02:28"), ("reopened", "02:28")], False),
        ([("reopened", "02:29"), ("solved", "")], True),  # without a time it is of now
    ],
)
def test_a_call_that_another_has_overtaken_changes_no_state(
    provider: Provider, token: str, came: list[tuple[str, str]], is_solved: bool
) -> None:
    for event, time in came:
        at = f"2026-11-23T{time}:00Z" if time else ""
        told = {"reference": reference(provider, token), "event": event, "at": at}
        assert call(provider, told) == 202
    assert (provider.receipt(token).solved_at is not None) == is_solved


def test_calls_at_the_same_moment_are_each_heard_once(on_both_engines: Provider) -> None:
    provider = on_both_engines
    tokens = [provider.report(f"draft{number}") for number in range(4)]
    told = [{"reference": reference(provider, token), "event": "answered"} for token in tokens]
    with ThreadPoolExecutor(8) as pool:
        assert {*pool.map(partial(call, provider), told * 3)} == {202}
    assert kinds(provider) == ["answered"] * 4
    with provider.database.read() as session:
        heard = session.scalars(sa.select(models.HeardCount.count)).all()
    assert heard == [12]


def test_a_time_before_the_report_is_when_it_was_saved(provider: Provider, token: str) -> None:
    """A helpdesk's clock may be wrong; a receipt says nothing impossible, and opens."""
    told = {"reference": reference(provider, token), "event": "answered"}
    assert call(provider, told | {"at": "0001-01-01T00:00:00Z"}) == 202
    with provider.database.read() as session:
        row = session.scalars(sa.select(models.Report)).one()
        assert row.seen_at == row.saved_at
    assert provider.customer(token).open(f"/r/{token}").status == 200


@pytest.mark.parametrize("name", ["<\\ud800@example.com>", "<\\u0000@example.com>", "<a\\u0007@b>"])
def test_a_name_that_no_database_keeps_names_nothing(name: str) -> None:
    body = b'{"event": "answered", "message_id": "' + name.encode() + b'"}'
    assert read(body).mime_id == ""


def test_a_time_to_come_is_now(provider: Provider, token: str) -> None:
    told = {"reference": reference(provider, token), "event": "answered"}
    assert call(provider, {**told, "at": "2031-01-01T00:00:00+01:00"}) == 202
    assert provider.receipt(token).seen_at == provider.now


@pytest.mark.parametrize(
    ("number", "tag"),
    [
        (42, " [example.com #42]"),
        ("42", " [example.com #42]"),
        ("rt.ejemplo #42", " [rt.ejemplo #42]"),
    ],
)
def test_a_number_stands_in_the_subjects_that_follow(
    provider: Provider, token: str, number: object, tag: str
) -> None:
    told = {"reference": reference(provider, token), "event": "created", "number": number}
    assert call(provider, told) == 202
    assert call(provider, {**told, "number": 77}) == 202  # of what had left before
    provider.customer(token).submit("update", kind="worse", text="")
    provider.later(minutes=1)
    (followup,) = provider.work()
    ticket = to_support(provider.mails_of(token))[0]
    assert followup["Subject"] == f"Re: {ticket['Subject']}{tag}"
    assert provider.receipt(token).seen_at is None  # that a ticket is there is not that it is read
    at_the_desk = provider.desk(token).page.text
    assert re.search(rf"Ticket en el sistema de tickets\s*{number}\s", at_the_desk)
    shown = provider.command("report", "show", reference(provider, token))
    assert f"ticket {number} in the helpdesk" in shown


def test_a_helpdesk_that_needs_no_number_gets_none(tmp_path: Path) -> None:
    with a_provider(tmp_path, HOOK_SECRET=SECRET, HELPDESK_PROFILE="zammad") as provider:
        token = provider.report()
        told = {"reference": reference(provider, token), "event": "created", "number": 42}
        assert call(provider, told) == 202
        provider.customer(token).submit("update", kind="worse", text="")
        ticket, _, followup = provider.mails_of(token)
        assert followup["Subject"] == f"Re: {ticket['Subject']}"
