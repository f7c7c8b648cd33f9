"""Sending: once however often it is pressed, and never without a token."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from customers import Customer
from factories import SENT_AT, SLUGS, values
from flask import Flask
from typed_in import rows, ticket_of, typed

from reporter.models import Draft, Follower, Message, Report, Update


@pytest.fixture
def customer(app: Flask) -> Customer:
    return Customer(app)


def test_sending_twice_gives_the_same_receipt(app: Flask, customer: Customer) -> None:
    review = customer.fill_all()
    first = customer.submit(follow=False).location
    customer.page = review
    assert customer.submit(follow=False).location == first
    assert customer.peek("/report/review").location == first
    assert len(rows(app, Report)) == 1
    assert len(rows(app, Message)) == 2


def test_after_sending_the_steps_lead_to_the_receipt_and_the_first_begins_another(
    app: Flask, customer: Customer
) -> None:
    customer.fill_all()
    receipt = customer.submit(follow=False).location
    for slug in SLUGS[1:]:
        assert customer.peek(f"/report/{slug}").location == receipt
    assert typed(customer.open("/report/failure"))["summary"] == ""
    customer.report(summary="Otra cosa")
    assert len(rows(app, Report)) == 2


def test_what_is_typed_in_an_old_tab_after_sending_begins_another_report(
    app: Flask, customer: Customer
) -> None:
    customer.fill_all()
    tab = customer.open("/report/failure")
    customer.open("/report/review")
    customer.submit()
    customer.page = tab
    page = customer.submit(summary="Otra cosa")
    assert "Desde cuándo" in page.text
    assert typed(customer.open("/report/failure"))["summary"] == "Otra cosa"
    assert len(rows(app, Report)) == 1


def test_just_now_is_when_it_was_said_and_not_when_it_was_sent(app: Flask) -> None:
    customer = Customer(app)
    with time_machine.travel(SENT_AT, tick=False) as clock:
        customer.fill("failure")
        customer.submit(**values("timing", started="just_now"))
        clock.shift(timedelta(minutes=20))
        customer.fill("changes")
        customer.fill("contact")
        customer.open("/report/timing?change=1")
        page = customer.submit(pattern="continuous")
        assert "20 minutos antes de este aviso" in page.text
        clock.shift(timedelta(minutes=5))
        customer.submit()
    assert "started_at: 2026-11-23T03:22:00+01:00\n" in ticket_of(app)
    assert "25 minutos antes de este aviso" in ticket_of(app)


def test_another_answer_to_when_counts_from_the_time_it_is_given(app: Flask) -> None:
    customer = Customer(app)
    with time_machine.travel(SENT_AT, tick=False) as clock:
        customer.fill("failure")
        customer.submit(**values("timing", started="just_now"))
        clock.shift(timedelta(minutes=20))
        customer.fill("timing", started="minutes_15")
        customer.fill("changes")
        customer.fill("contact")
        customer.submit()
    assert "started_at: 2026-11-23T03:27:00+01:00\n" in ticket_of(app)


# Tokens -----------------------------------------------------------------------------------


@pytest.mark.parametrize("token", ["", "stale", None])
@pytest.mark.parametrize("slug", SLUGS)
def test_a_stale_token_loses_nothing_and_is_replaced(
    app: Flask, slug: str, token: str | None
) -> None:
    customer = Customer(app, "en")
    for before in SLUGS[: SLUGS.index(slug)]:
        customer.fill(before)
    customer.open(f"/report/{slug}")
    page = customer.submit(**values(slug), csrf_token=token)
    assert page.status == 422
    assert "Please press the button again" in page.text
    assert typed(page) == values(slug)
    assert customer.submit(follow=False).status == 303


@pytest.mark.parametrize("slug", SLUGS)
def test_a_browser_that_forgot_its_cookie_loses_nothing(app: Flask, slug: str) -> None:
    customer = Customer(app, "en")
    for before in SLUGS[: SLUGS.index(slug)]:
        customer.fill(before)
    page = customer.open(f"/report/{slug}")
    stranger = Customer(app, "en")
    stranger.page = page
    page = stranger.submit(**values(slug))
    assert page.status == 422
    assert typed(page) == values(slug)
    assert stranger.submit(follow=False).status == 303


@pytest.mark.parametrize("token", ["", "stale", None])
def test_a_stale_token_on_the_review_sends_nothing_and_is_replaced(
    app: Flask, token: str | None
) -> None:
    customer = Customer(app, "en")
    customer.fill_all()
    page = customer.submit(csrf_token=token)
    assert page.status == 422
    assert "Please press the button again" in page.text
    assert "La tienda no carga" in page.text
    assert rows(app, Report) == []
    assert customer.submit().status == 200
    assert len(rows(app, Report)) == 1


def test_no_page_takes_anything_without_a_token(app: Flask, customer: Customer) -> None:
    other = Customer(app)
    other.fill_all()
    receipt = other.submit(follow=False).location
    in_url = {
        "<token>": receipt.rpartition("/")[2],
        "<reference>": rows(app, Report)[0].reference,
        "<key>": opened_notice(app),
    }
    customer.fill_all()
    kept = state(app)
    taking = [rule for rule in app.url_map.iter_rules() if "POST" in (rule.methods or ())]
    assert taking
    forged = {"kind": "worse", "text": "forged", "action": "solve", "wanted": "yes"}
    for rule in taking:
        path = rule.rule
        for name, value in in_url.items():
            path = path.replace(name, value)
        for slug in (*SLUGS, "impact", "evidence", "authorisation"):
            sent = {**(values(slug) if slug in SLUGS else {}), **forged, "summary": "forged"}
            assert customer.ask("POST", path.replace("<slug>", slug), sent).status in {
                303,
                400,
                404,
                422,
            }, path
    assert state(app) == kept


def state(app: Flask) -> list[Any]:
    """All that a form could have changed."""
    return [
        [draft.steps for draft in rows(app, Draft)],
        [(row.seen_at, row.solved_at, row.news_wanted) for row in rows(app, Report)],
        [row.id for model in (Update, Follower, Message) for row in rows(app, model)],
    ]


def opened_notice(app: Flask) -> str:
    arguments = ["notice", "open", "--service", "web-hosting", "--text", "Trabajamos en ello."]
    return app.test_cli_runner().invoke(args=arguments).output.strip()


def test_the_token_of_another_browser_is_not_taken(app: Flask) -> None:
    mine, theirs = Customer(app), Customer(app)
    token = theirs.open("/report/failure").fields["csrf_token"]
    mine.open("/report/failure")
    assert mine.submit(**values("failure"), csrf_token=token).status == 422


def test_a_page_can_be_left_open_for_weeks(app: Flask) -> None:
    customer = Customer(app)
    with time_machine.travel(SENT_AT, tick=False) as clock:
        customer.fill("failure")
        clock.shift(timedelta(days=29))
        assert customer.submit(**values("timing"), follow=False).status == 303
