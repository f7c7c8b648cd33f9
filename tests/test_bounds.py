"""What a stranger may ask: each bound is met by what is at it, and refuses what is over it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import Any
from unittest.mock import Mock

import pytest
from customers import Customer
from factories import an_app, values
from flask import Flask

from reporter.formats.networks import network_of
from reporter.web import bounds
from reporter.web.guards import asker

FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def limited(tmp_path: Path) -> Iterator[Flask]:
    with an_app(tmp_path, RATELIMIT_ENABLED=True) as app:
        yield app


def test_an_error_page_gives_back_the_fields_of_its_own_form_alone(app: Flask) -> None:
    customer = Customer(app, "en")
    customer.open("/report/failure")
    sent = values("failure") | {"draft_key": "1-2-3-4-5", "stranger": "<script>", "csrf_token": ""}
    page = customer.ask("POST", "/report/whole", sent)
    assert page.status in {400, 403}
    assert "stranger" not in page.html
    assert page.fields["summary"] == sent["summary"]


def bodies() -> Iterator[tuple[str, str, bytes]]:
    """Two megabytes of whatever takes long to read: a name, its type, the body."""
    most = bounds.BODY_BYTES - 20_000

    def fill(unit: bytes) -> bytes:
        return unit * (most // len(unit))

    units = [
        b"%41",
        b"%41a",
        b"%F0%9F%92%A9",
        b"%ff",
        b"%ffa",
        b"%",
        b"%z",
        b"%4",
        b"%%41",
        b"+",
        b";",
    ]
    units += [b"=", b"\xff", b"\\x", b'"', b"%22", b"%00", b"%cc%81", b"%0d%0a", b"&"]
    for unit in units:
        yield f"{unit!r} in a value", FORM, b"summary=" + fill(unit)
        yield f"{unit!r} in a name", FORM, fill(unit) + b"=1"
    for unit in (b"%41", b"%ff"):
        value = unit * (most // 199 // len(unit) - 10)
        yield f"{unit!r} in all fields", FORM, b"&".join([b"summary=" + value] * 199)

    def part(name: bytes, value: bytes, more: bytes = b"") -> bytes:
        told = b'--x\r\nContent-Disposition: form-data; name="' + name + b'"' + more
        return told + b"\r\n\r\n" + value + b"\r\n"

    parts = {
        "many parts": fill(part(b"a", b"1")),
        "many files": fill(part(b"screenshots", b"1", b'; filename="a.txt"')),
        "a part": part(b"summary", fill(b"\xff")),
        "half a boundary": part(b"a", fill(b"\r\n--x!")),
        "a long boundary": part(b"a", b"\r\n--x" + fill(b" ")),
        "ends of lines": part(b"a", fill(b"\n")),
        "nothing before": fill(b"--x "),
        "headers": b"--x\r\n" + fill(b"a:b\r\n"),
        "long headers": part(b"a", b"1", b"; a*0=b" * 1_000) * 199,
        "names in quotes": part(b'\\"' * 3_900, b"1") * 199,
        "charsets": part(b"a", b"ab" * 5_000, b"\r\nContent-Type: a/b; charset=utf-16") * 199,
    }
    for name, content in parts.items():
        yield name, "multipart/form-data; boundary=x", content[:most] + b"--x--\r\n"
    yield "deep JSON", "application/json", fill(b"[")
    yield "long JSON", "application/json", b'{"summary": "' + fill(b"\\u0041") + b'"}'


def test_no_shape_of_a_body_costs_more_than_another(app: Flask) -> None:
    """Counted in calls, of which two megabytes read piece by piece cost a million."""
    client = app.test_client()
    client.post("/report/failure", data={})
    calls = 0

    def count(_frame: FrameType, event: str, _what: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    for name, content_type, content in bodies():
        assert len(content) <= bounds.BODY_BYTES
        calls = 0
        sys.setprofile(count)
        try:
            answer = client.post("/report/failure", data=content, content_type=content_type)
        finally:
            sys.setprofile(None)
        assert answer.status_code in {400, 413, 422}, name
        assert calls < 250_000, name
        assert len(answer.data) < 6 * bounds.GIVEN_BACK_BYTES, name  # escaped


def test_every_route_has_a_limit_before_any_other_work(limited: Flask) -> None:
    """But for the files of pages and for health, which whoever watches asks for."""
    exempt = {"static", "health.healthz", "health.readyz"}
    client = limited.test_client()
    for rule in limited.url_map.iter_rules():
        if rule.endpoint in exempt:
            continue
        path = re.sub(r"<any\((\w+)[^>]*>", r"\1", rule.rule)
        path = re.sub(r"<[^>]+>", "1", path)
        answer = client.open(path, method="POST" if "POST" in rule.methods else "GET")
        assert "X-RateLimit-Limit" in answer.headers, rule


def test_a_client_is_an_ipv4_address_or_an_ipv6_64() -> None:
    assert network_of("192.0.2.7") == "192.0.2.7"
    assert network_of("::ffff:192.0.2.7") == "192.0.2.7"
    assert (
        network_of("2001:db8:1:2::1") == network_of("2001:db8:1:2:ffff::9") == "2001:db8:1:2::/64"
    )
    assert network_of("2001:db8:1:3::1") != network_of("2001:db8:1:2::1")
    assert network_of("fe80::1%eth0") == "fe80::/64"
    assert network_of("") == ""


def test_receipts_of_one_address_ask_each_for_itself(limited: Flask) -> None:
    client = limited.test_client()
    asked = [client.get(f"/r/{number}/status.json").status_code for number in range(700)]
    assert set(asked) == {404}
    one = [client.get("/r/one/status.json").status_code for _ in range(61)]
    assert one[:60] == [404] * 60
    assert one[60] == 429


def test_what_leads_nowhere_is_limited_whatever_it_is_called(limited: Flask) -> None:
    """No route is asked for, so that none has a limit."""
    client = limited.test_client()
    for number in range(200):
        assert client.get(f"/{number}").status_code == 404
        assert client.get(f"/static/{number}.js").status_code == 404
        assert client.open("/report/failure", method=f"FOO{number}").status_code == 405
    assert client.get("/more").status_code == 429
    assert client.get("/static/more.js").status_code == 429
    assert client.get("/static/icon.svg").status_code == 200
    assert client.open("/report/failure", method="ANY").status_code == 429
    assert client.get("/").status_code == 200


def test_paths_that_somebody_makes_up_are_not_remembered_one_by_one(limited: Flask) -> None:
    askers = set()
    for number in range(3000):
        with limited.test_request_context(f"/r/{number}/status.json"):
            askers.add(asker())
    assert 500 < len(askers) <= 1024


def test_the_default_limit_is_the_one_that_is_told(limited: Flask) -> None:
    assert limited.config["RATELIMIT_APPLICATION"] == bounds.REQUESTS
    assert limited.config["MAX_FORM_PARTS"] == bounds.FIELDS
    assert limited.config["MAX_CONTENT_LENGTH"] == bounds.BODY_BYTES


def test_the_documentation_has_every_bound_as_it_is() -> None:
    page = Path(__file__).parent.parent / "docs" / "security.md"
    rows = re.findall(r"^\| `([A-Z_]+)` \| ([^|]+) \|", page.read_text("utf-8"), re.MULTILINE)
    found = {name: re.findall(r"\d+", words) for name, words in rows}
    bound = {
        name: value
        for name, value in vars(bounds).items()
        if name.isupper() and isinstance(value, int | str | timedelta)
    }
    within = {name: bound.pop(name) for name in list(bound) if name.endswith("_WITHIN")}
    assert list(found) == list(bound)
    for name, value in bound.items():
        numbers = [value.partition(" ")[0] if isinstance(value, str) else str(value)]
        if span := within.get(name.removesuffix("_BYTES") + "_WITHIN"):
            numbers.append(str(int(span.total_seconds() // 60)))
        assert found[name][: len(numbers)] == numbers, name


def test_the_server_ends_headers_where_it_is_told() -> None:
    from reporter.serving import server

    assert server.HEADER_BYTES == bounds.HEADER_BYTES


@pytest.mark.parametrize(("hard", "most"), [(4096, 2048), (-1, 8192), (10**6, 8192)])
def test_connections_never_take_every_file_that_a_process_may_open(
    app: Flask, monkeypatch: pytest.MonkeyPatch, hard: int, most: int
) -> None:
    """Told by what the server is started with: a limit once lowered stays low for every test."""
    from reporter.serving import server

    told: dict[str, int] = {}
    raised: list[tuple[int, int]] = []

    def granian(_target: str, **settings: Any) -> Mock:
        told.update(settings)
        return Mock()

    monkeypatch.setattr(server.resource, "getrlimit", lambda _which: (1024, hard))
    monkeypatch.setattr(server.resource, "setrlimit", lambda _which, limits: raised.append(limits))
    monkeypatch.setattr(server.os, "register_at_fork", Mock())
    monkeypatch.setattr(server, "_share", Mock())
    monkeypatch.setattr(server.signal, "pthread_sigmask", Mock())
    monkeypatch.setattr(server, "_Server", granian)
    with pytest.raises(AssertionError, match="became its keeper"):
        server.run(app, "127.0.0.1", 0, 1)
    assert (told["backpressure"], raised) == (most, [(2 * most, hard)])
