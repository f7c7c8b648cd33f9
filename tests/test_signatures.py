"""What is signed for a browser: known again while it is the same, and never beyond its time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from factories import SENT_AT, an_app
from flask import Flask, flash, session
from flask_wtf.csrf import validate_csrf
from itsdangerous import URLSafeTimedSerializer

from reporter.web import signatures
from reporter.web.signatures import Signer, csrf_token


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    with an_app(tmp_path) as app:
        _add_views(app)
        yield app


def _add_views(app: Flask) -> None:
    @app.get("/remember")
    def remember() -> str:
        session["drafts"], session.permanent = ["a"], True
        return ""

    @app.get("/add")
    def add() -> str:
        session["drafts"].append("b")  # and does not say so: it is not kept
        flash("once")
        session.modified = False
        return ",".join(session["drafts"])


def test_what_a_request_adds_to_a_cookie_is_not_in_the_next(app: Flask) -> None:
    client = app.test_client()
    client.get("/remember", base_url="https://localhost")
    answers = [client.get("/add", base_url="https://localhost").text for _ in range(3)]
    assert answers == ["a,b"] * 3


def test_a_cookie_that_is_known_ends_when_it_does(app: Flask) -> None:
    client = app.test_client()
    with time_machine.travel(SENT_AT, tick=False) as clock:
        client.get("/remember", base_url="https://localhost")
        with client.session_transaction(base_url="https://localhost") as kept:
            assert kept["drafts"] == ["a"]
        cookie = client.get_cookie("__Host-reporter")
        assert cookie
        clock.shift(app.permanent_session_lifetime + timedelta(seconds=2))
        headers = {"Cookie": f"__Host-reporter={cookie.value}"}
        with app.test_request_context(headers=headers, base_url="https://localhost"):
            assert "drafts" not in session


def test_one_sign_that_is_another_makes_a_cookie_nobodys(app: Flask) -> None:
    client = app.test_client()
    client.get("/remember", base_url="https://localhost")
    cookie = client.get_cookie("__Host-reporter")
    assert cookie
    for value, is_ours in ((cookie.value, True), (cookie.value[:-2] + "AA", False)) * 2:
        headers = {"Cookie": f"__Host-reporter={value}"}
        with app.test_request_context(headers=headers, base_url="https://localhost"):
            assert ("drafts" in session) is is_ours


def test_so_many_cookies_are_known(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signatures, "READ_AT_MOST", 3)
    for _ in range(8):
        client = app.test_client()
        client.get("/remember", base_url="https://localhost")
        client.get("/add", base_url="https://localhost")
    known = app.session_interface._read  # type: ignore[attr-defined]
    assert 0 < len(known) <= 3


def test_a_token_is_flask_wtfs(app: Flask) -> None:
    with app.test_request_context():
        token = csrf_token()
        validate_csrf(token)
        assert token == csrf_token()


@pytest.mark.parametrize("content", ["short", "long" * 500])
def test_what_is_signed_is_read_by_the_librarys_own(content: str) -> None:
    ours, theirs = Signer("key", salt="s"), URLSafeTimedSerializer("key", salt="s")
    signed = ours.dumps(content)
    assert theirs.loads(signed) == content
    assert ours.loads(theirs.dumps(content)) == content
    assert len(signed) < 200  # what is long is compressed
