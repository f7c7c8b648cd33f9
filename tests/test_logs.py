"""A log holds no customer's word, name, address or number, and no secret link."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from conftest import claim, record
from customers import Customer
from factories import SENT_AT, SLUGS, an_app, parsed, values
from flask import Flask, request
from provider import a_picture, a_provider, link
from sqlalchemy.exc import OperationalError

from reporter.delivery.smtp import AttemptResult
from reporter.logs import Refusals
from reporter.web import bounds

MARKERS = {
    "affected": "marker-affected.example.com",
    "summary": "Marker summary",
    "error_message": "MARKER ERROR",
    "frequency": "marker frequency",
    "change_description": "marker change",
    "name": "Marker Name",
    "company": "Marker Company",
    "customer_number": "MARKER-77",
    "email": "marker@marker.example.com",
    "phone": "+34 655 555 555",
}
NEVER = ["marker", "655 55", "655555555", "tienda"]


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    with an_app(tmp_path, PROPAGATE_EXCEPTIONS=False) as app:

        @app.post("/report/breaks")
        def breaks() -> str:
            raise RuntimeError(request.form["name"])

        @app.get("/r/<token>/breaks")
        def breaks_too(token: str) -> str:
            raise KeyError(token)

        yield app


class Written:
    """Everything that was logged, by us or by what we use."""

    def __init__(self, streams: pytest.CaptureFixture[str], log: pytest.LogCaptureFixture) -> None:
        self.streams, self.log = streams, log

    def read(self) -> list[str]:
        out, err = self.streams.readouterr()
        return [*out.splitlines(), *err.splitlines(), *self.log.text.splitlines()]


@pytest.fixture
def written(capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Written:
    caplog.set_level(logging.DEBUG)
    return Written(capfd, caplog)


def clean(lines: list[str], *also: str) -> bool:
    text = "\n".join(lines).lower()
    return not any(word.lower() in text for word in (*NEVER, *also) if word)


def test_a_whole_report_leaves_no_word_of_it_in_the_log(app: Flask, written: Written) -> None:
    customer = Customer(app, "en", REMOTE_ADDR="198.51.100.99")
    customer.open("/?affected=marker&customer_number=marker")
    for slug in SLUGS:
        customer.open(f"/report/{slug}")
        customer.submit(**values(slug, **MARKERS), csrf_token="stale")
        customer.forge(impact="none", started="none", changed="none", email="marker@")
        customer.submit(**values(slug, **MARKERS))
    draft = customer.client.cookies["__Host-reporter"]
    page = customer.submit(follow=False)
    token = page.location.removeprefix("/r/")
    for end in ("", "/status.json", "/ticket.txt", "/ticket.json", "/nothing"):
        customer.open(f"/r/{token}{end}")
    lines = written.read()
    assert len(lines) > 20
    ours = [json.loads(line) for line in lines if line.startswith("{")]
    assert len(ours) > 20
    for line in ours:  # when, how grave, what, and where
        assert line["timestamp"].endswith("Z")
        assert {"level", "event", "endpoint"} <= {*line}
        assert line["event"] != "refused" or len(line["client"]) == 16
    assert draft
    assert clean(lines, token, draft, "198.51.100.99", "/r/")


def test_nothing_after_send_leaves_a_word_in_the_log(tmp_path: Path, written: Written) -> None:
    with a_provider(tmp_path) as provider:
        token = provider.report()
        customer = provider.customer(token)
        customer.submit("update", kind="worse", text="marker")
        for slug, key in (("impact", "business_impact"), ("evidence", "tests_done")):
            customer.open(f"/r/{token}/details/{slug}")
            files = [("marker.png", a_picture()), ("marker.exe", b"MZ\0")]
            customer.submit(files=[*files[: 2 * (slug == "evidence")]], **{key: "marker"})
        customer.open(f"/r/{token}/details/review")
        customer.submit()
        desk = provider.desk(token)
        desk.forge(action="message", name="Marker", text="marker")
        (new,) = [path for path in desk.page.links if "/desk/notices/new" in path]
        desk.open(new.removeprefix("https://incidents.example.com"))
        desk.submit(text="marker")
        (public,) = [path for path in desk.page.links if path.startswith("/notices/")]
        customer.open(public)
        customer.submit(name="Marker", contact="marker@example.com")
        (asked,) = provider.waiting(kind="confirmation")
        confirms = link(parsed(asked.content), "/notices/f/")
        customer.open(confirms)
        customer.submit(confirm="yes")
        assert "marker@example.com" in customer.page.text
        desk.submit(action="close", text="marker")
    lines = written.read()
    assert len(lines) > 20
    assert clean(lines, token, confirms.rpartition("/")[2], "/desk/")


def test_a_log_line_names_the_page_and_not_the_path(app: Flask, written: Written) -> None:
    Customer(app).open("/report/failure")
    (line,) = (json.loads(line) for line in written.read() if "request" in line)
    assert line.pop("milliseconds") >= 0
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "request",
        "level": "info",
        "method": "GET",
        "endpoint": "wizard.step",
        "status": 200,
    }


def test_an_error_is_logged_with_its_frames_and_without_its_message(
    app: Flask, written: Written
) -> None:
    customer = Customer(app)
    token = customer.open("/report/failure").fields["csrf_token"]
    customer.headers["Referer"] = "https://incidents.example.com/"
    sent = {**MARKERS, "csrf_token": token}
    assert customer.ask("POST", "/report/breaks", sent).status == 500
    assert customer.open("/r/marker-token/breaks").status == 500
    lines = written.read()
    assert clean(lines, token, "/r/")
    errors = [json.loads(line) for line in lines if "unhandled error" in line]
    assert [error["error"] for error in errors] == ["RuntimeError", "KeyError"]
    assert errors[0]["endpoint"] == "breaks"
    assert "breaks" in errors[0]["frames"][-1]


def test_a_failure_of_the_database_is_logged_without_what_it_should_have_kept(
    app: Flask, written: Written
) -> None:
    customer = Customer(app)
    customer.fill("failure", **MARKERS)
    with app.extensions["sqlalchemy"].engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE draft")
    page = customer.submit(**values("timing", **MARKERS))
    assert page.status == 503
    lines = written.read()
    assert clean(lines)
    (error,) = (json.loads(line) for line in lines if "unhandled error" in line)
    assert error["error"] == OperationalError.__name__


def test_delivery_logs_the_reference_and_not_the_address(app: Flask, written: Written) -> None:
    Customer(app).report(**MARKERS)
    database = app.extensions["sqlalchemy"]
    claimed = claim(database, datetime.now(UTC))
    assert claimed
    refused = AttemptResult("relay:25", "refused", 550, "no such user marker@example.com")
    record(database, claimed, [refused], datetime.now(UTC))
    record(database, claimed, [refused], datetime.now(UTC))
    lines = written.read()
    assert any("lease lost" in line and claimed.reference in line for line in lines)
    assert clean(lines)


def test_a_proxy_that_the_settings_know_nothing_of_is_told_once(
    tmp_path: Path, written: Written
) -> None:
    with an_app(tmp_path, TRUSTED_PROXIES=0) as app:
        for _ in range(3):
            app.test_client().get("/", headers={"X-Forwarded-For": "192.0.2.7"})
    lines = written.read()
    assert len([line for line in lines if "set TRUSTED_PROXIES" in line]) == 1
    assert "192.0.2.7" not in str(lines)


def test_one_too_many_at_once_is_logged_as_whose_it_was(
    tmp_path: Path, written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "UNDER_WAY", 0)
    monkeypatch.setattr(bounds, "UNDER_WAY_AT_LEAST", 0)
    with (
        an_app(tmp_path, RATELIMIT_ENABLED=True) as app,
        time_machine.travel(SENT_AT, tick=False),  # a client has another name each day
    ):
        assert app.test_client().get("/report/failure").status_code == 429
        (told,) = [json.loads(line) for line in written.read() if '"refused"' in line]
        assert told["reason"] == "too many at once"
        with app.app_context():
            assert told["client"] == bounds.client_hash(datetime.now(UTC), "127.0.0.1")


def test_what_may_be_an_attack_is_logged_with_its_reason_and_nobodys_name(
    tmp_path: Path, written: Written
) -> None:
    with (
        an_app(tmp_path, RATELIMIT_ENABLED=True, HOOK_SECRET="marker" * 8) as app,
        time_machine.travel(SENT_AT, tick=False) as clock,
    ):
        client = app.test_client()
        client.post("/report/whole", data={"summary": "marker"})
        client.post("/report/whole", headers={"Origin": "https://marker.example.com"})
        client.get("/r/marker-token")
        client.post("/report/whole", data={"a" * 9: "marker" * 400_000})
        client.post("/hooks/helpdesk", headers={"Authorization": "Bearer marker"})
        customer = Customer(app)
        customer.open("/report/failure")
        customer.submit(**values("failure"), topic="marker")
        asked = [client.get("/r/marker/status.json").status_code for _ in range(61)]
        assert asked[-1] == 429
        clock.shift(timedelta(days=1))
        client.get("/r/marker-token")
    lines = written.read()
    told = [json.loads(line) for line in lines if '"refused"' in line]
    reasons = list(dict.fromkeys(each["reason"] for each in told))
    assert reasons == [
        "stale token",
        "foreign origin",
        "unknown link",
        "too large",
        "hook without its secret",
        "hidden field",
        "over a limit",
    ]
    assert all(each["endpoint"] or each["reason"] == "foreign origin" for each in told)
    today, tomorrow = dict.fromkeys(each["client"] for each in told)  # and no third
    assert (told[0]["client"], told[-1]["client"]) == (today, tomorrow)
    assert {len(today), len(tomorrow)} == {16}
    assert "127.0.0.1" not in str(told)
    assert clean(lines, "marker")


def test_whoever_floods_us_fills_no_disk_with_the_log(
    app: Flask, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of what is refused of one client some is written, and then how much more there was."""
    seconds = 0.0
    monkeypatch.setitem(app.extensions, "refusals", Refusals(lambda: seconds))
    client = app.test_client()

    def refused(times: int, address: str) -> list[dict[str, object]]:
        for _ in range(times):
            client.get("/r/none", environ_base={"REMOTE_ADDR": address})
        return [json.loads(line) for line in capsys.readouterr().err.splitlines()]

    lines = refused(Refusals.TOLD + 500, "192.0.2.7")
    assert [line["event"] for line in lines] == ["refused", "request"] * Refusals.TOLD
    assert [line["event"] for line in refused(1, "192.0.2.8")] == ["refused", "request"]
    assert refused(10, "192.0.2.7") == []
    seconds = Refusals.WITHIN_SECONDS
    before, now, _ = refused(1, "192.0.2.7")
    assert (before["reason"], before["more"]) == ("unknown link", 510)
    assert "more" not in now
    assert before["client"] == now["client"] == lines[0]["client"]
    seconds *= 2
    assert len(refused(1, "192.0.2.7")) == 2
