"""More than a page takes: long texts, large requests, many of them, and programs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import time_machine
from customers import Customer
from factories import SENT_AT, SLUGS, a_form, an_app, everything, values
from flask import Flask
from typed_in import rows, the_report, ticket_of, typed

from reporter.models import Report
from reporter.web.bounds import GIVEN_BACK_BYTES
from reporter.web.fields import LOOKED_AT
from reporter.web.question import questions
from reporter.wizard.views import SEND_LIMIT, STEP_LIMIT


@pytest.mark.parametrize("length", [20_001, 40_000, 99_000, 150_000])
def test_a_text_that_is_too_long_comes_back_with_a_message_beside_it(
    app: Flask, length: int
) -> None:
    customer = Customer(app, "en")
    customer.open("/report/failure")
    text = "ñ" * length
    page = customer.submit(**values("failure", error_message=text))
    assert page.status == 422
    problem = f"Use 20000 characters or fewer; you have written {length}"
    told = "This page was not saved: too much text. Shorten this and press the button again"
    kept = length <= 40_000  # twice what a valid one may have
    whole = length <= 99_000  # of two bytes each
    rest = "Only its beginning fits here: go back with your browser to find all of it"
    assert page.errors == {
        "error_message": ". ".join([problem, *([] if whole else [rest]), *([] if kept else [told])])
    }
    shown = typed(page)["error_message"]
    assert text.startswith(shown)
    assert len(shown) == length if whole else 250_000 < len(shown.encode()) <= GIVEN_BACK_BYTES
    assert (typed(customer.open("/report/failure"))["error_message"] == text) is kept


@pytest.mark.parametrize("over", [0, 1])
def test_what_is_kept_of_a_step_is_twice_what_a_valid_one_may_hold(app: Flask, over: int) -> None:
    customer = Customer(app, "en")
    customer.open("/report/changes")
    customer.fill("failure")
    customer.fill("timing")
    customer.open("/report/changes")
    # What the description may hold, and every other answer of the step.
    with app.test_request_context():
        allowed = sum(question.max_length for question in questions(a_form("changes")))
    assert allowed >= 200 + 5_000
    text = "x" * (2 * allowed - len("yes") + over)
    page = customer.submit(changed="yes", change_description=text)
    assert page.status == 422
    assert ("This page was not saved" in page.errors["change_description"]) is bool(over)
    kept = typed(customer.open("/report/changes")).get("change_description")
    assert (kept == text) is not bool(over)


def test_of_a_line_that_is_far_too_long_only_a_part_is_looked_at(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it is made of, it costs what that part does, and is never taken for a blank."""
    looked_at: list[int] = []

    def watched(read: Callable[..., Any]) -> Callable[..., Any]:
        def reads(text: str, *more: Any) -> Any:
            looked_at.append(len(text))
            return read(text, *more)

        return reads

    for place in ("web.fields.short", "formats.times.plain", "formats.zones.plain"):
        module, _dot, name = f"reporter.{place}".rpartition(".")
        monkeypatch.setattr(f"reporter.{place}", watched(getattr(import_module(module), name)))
    customer = Customer(app, "en")
    customer.fill("failure")
    for field in ("started_at", "timezone", "frequency"):
        customer.open("/report/timing")
        for text in ("\x1b[" * 200_000, "\u200d" * 150_000 + "x"):
            page = customer.ask("POST", "/report/timing", values("timing") | {field: text})
            assert page.status == 422
            assert field in page.errors
    assert 0 < max(looked_at) <= LOOKED_AT


@pytest.mark.parametrize("button", [{"lang": "en"}, {"go": "back"}])
@pytest.mark.parametrize("length", [20_001, 150_000])
def test_no_button_loses_a_text_that_is_too_long(
    app: Flask, button: dict[str, str], length: int
) -> None:
    customer = Customer(app)
    text = "x" * length
    customer.open("/report/failure")
    page = customer.submit(**values("failure", error_message=text), **button)
    if page.status == 200:
        page = customer.open("/report/failure")
    assert typed(page)["error_message"] == text


def test_a_request_that_is_too_large_says_what_to_do_and_leaves_the_rest(app: Flask) -> None:
    customer = Customer(app, "en")
    customer.fill("failure")
    page = customer.submit(**values("timing", frequency="x" * 3_000_000))
    assert page.status == 413
    assert "That is too much text for one page" in page.text
    assert "Go back, shorten the longest text" in page.text
    assert page.links["/report/timing"] == "Go back to the page"
    assert typed(customer.open("/report/failure")) == values("failure")


def limit(text: str) -> int:
    return int(text.split()[0])


def test_too_many_requests_are_asked_to_wait_and_lose_nothing(tmp_path: Path) -> None:
    with an_app(tmp_path, RATELIMIT_ENABLED=True) as app:
        customer = Customer(app, "en", REMOTE_ADDR="203.0.113.7")
        customer.fill("failure")
        for _ in range(limit(STEP_LIMIT)):
            customer.ask("POST", "/report/nothing")
        page = customer.submit(**values("timing"))
        assert page.status == 429
        assert int(page.headers["Retry-After"]) <= 61
        assert "Please wait a moment" in page.text
        assert "What you typed is kept in this page." in page.text
        assert typed(page) == values("timing")
        elsewhere = Customer(app, "en", REMOTE_ADDR="203.0.113.8")
        assert elsewhere.fill("failure", follow=False).status == 303
        assert customer.open("/report/timing").status == 200
        customer.page = page
        with time_machine.travel(timedelta(minutes=2)):
            assert "What changed" in customer.submit().text


def test_too_many_reports_are_asked_to_wait_and_can_be_sent_again(tmp_path: Path) -> None:
    with an_app(tmp_path, RATELIMIT_ENABLED=True) as app:
        customer = Customer(app, "en")
        review = customer.fill_all()
        for _ in range(limit(SEND_LIMIT)):
            app.test_client().post("/report/review")
        page = customer.submit()
        assert page.status == 429
        assert rows(app, Report) == []
        assert page.action == review.action
        with time_machine.travel(timedelta(minutes=2)):
            assert customer.submit().status == 200
        assert len(rows(app, Report)) == 1


def test_the_form_without_a_connection_is_asked_to_wait_and_can_be_sent_again(
    tmp_path: Path,
) -> None:
    """With the key that it was sent under, or it would be refused."""
    with an_app(tmp_path, RATELIMIT_ENABLED=True) as app:
        customer = Customer(app, "en")
        token = customer.ask("GET", "/report/token").response.json["csrf_token"]
        key = {"draft_key": "4022250974-7-1906892053-3-2718281828", "csrf_token": token}
        for _ in range(limit(SEND_LIMIT)):
            app.test_client().post("/report/whole")
        page = customer.page = customer.ask("POST", "/report/whole", everything() | key)
        assert page.status == 429
        assert rows(app, Report) == []
        with time_machine.travel(timedelta(minutes=2)):
            assert customer.submit().status == 200
        assert the_report(app).text("summary") == values("failure")["summary"]


def test_a_request_that_is_too_large_and_one_too_many_is_still_answered(tmp_path: Path) -> None:
    with an_app(tmp_path, RATELIMIT_ENABLED=True) as app:
        client = app.test_client()
        for _ in range(limit(SEND_LIMIT)):
            client.post("/report/review")
        response = client.post("/report/review", data={"x": "x" * 3_000_000})
    assert response.status_code == 429


# Programs ---------------------------------------------------------------------------------


def test_a_program_that_fills_every_field_is_flagged_and_never_discarded(app: Flask) -> None:
    customer = Customer(app)
    with time_machine.travel(SENT_AT, tick=False) as clock:
        customer.open("/report/failure")
        customer.submit(**values("failure"), topic="https://spam.example")
        for slug in SLUGS[1:]:
            clock.shift(timedelta(minutes=1))
            customer.fill(slug)
        page = customer.submit()
    assert page.status == 200
    assert the_report(app).flags == ("hidden_field",)
    assert "\nflags: hidden_field\n" in ticket_of(app)
    assert "spam.example" not in ticket_of(app)


@pytest.mark.parametrize(("seconds", "flags"), [(4, ("too_fast",)), (6, ())])
def test_a_report_too_fast_for_a_person_is_flagged_and_never_discarded(
    app: Flask, seconds: int, flags: tuple[str, ...]
) -> None:
    customer = Customer(app)
    with time_machine.travel(SENT_AT, tick=False) as clock:
        customer.fill_all()
        clock.shift(timedelta(seconds=seconds))
        page = customer.submit()
    assert page.status == 200
    assert the_report(app).flags == flags
    assert ("\nflags: too_fast\n" in ticket_of(app)) is bool(flags)
