"""The way of a customer through the form. Nothing typed is ever lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from factories import ANSWERS, SENT_AT, SLUGS, Customer, Page, a_form, an_app, body, values
from flask import Flask

from reporter import report
from reporter.database import Database
from reporter.models import Draft, Follower, Message, Report, Update
from reporter.web.question import questions
from reporter.wizard.views import SEND_LIMIT, STEP_LIMIT

TOKENS = {"csrf_token", "topic", "draft_key", "asked_again", "shown"}
LAST = {"failure": "/report/timing", "timing": "/report/changes", "changes": "/report/contact"}


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    with an_app(tmp_path) as app:
        yield app


@pytest.fixture
def customer(app: Flask) -> Customer:
    return Customer(app)


def rows(app: Flask, table: type[Any]) -> Sequence[Any]:
    database: Database = app.extensions["sqlalchemy"]
    with database.read() as session:
        return session.scalars(sa.select(table)).all()


def the_report(app: Flask) -> report.Report:
    (row,) = rows(app, Report)
    return report.Report.from_json(row.content)


def ticket_of(app: Flask) -> str:
    (message,) = (message for message in rows(app, Message) if message.kind == "ticket")
    return body(message.content)


def typed(page: Page) -> dict[str, str]:
    """What stands in the fields, as somebody typed it."""
    return {key: value for key, value in page.fields.items() if key not in TOKENS}


# The whole path ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "titles", "receipt", "ticket"),
    [
        (
            "es",
            ["Qué falla", "Desde cuándo", "Qué ha cambiado", "Cómo contactar con usted",
             "Compruebe sus respuestas"],
            "Hemos guardado su aviso.",
            "\nlanguage: es\n",
        ),
        (
            "en",
            ["What is wrong", "When it started", "What changed", "How to reach you",
             "Check your answers"],
            "We have saved your report.",
            "\nlanguage: en\n",
        ),
    ],
)  # fmt: skip
def test_four_questions_a_review_and_a_receipt(
    app: Flask, language: str, titles: list[str], receipt: str, ticket: str
) -> None:
    customer = Customer(app, language)
    start = customer.open("/")
    assert start.status == 200
    assert all(title in start.text for title in titles[:-1])
    page = customer.open("/report/failure")
    seen = []
    for slug in SLUGS:
        seen.append(page.text)
        page = customer.submit(**values(slug))
    for title, text in zip(titles, [*seen, page.text], strict=True):
        assert title in text
    page = customer.submit()
    assert page.status == 200
    assert receipt in page.text
    assert the_report(app).reference in page.text
    assert the_report(app).language == language
    assert ticket in ticket_of(app)


def test_each_answer_leads_to_the_next_page_by_303(customer: Customer) -> None:
    for slug, after in {**LAST, "contact": "/report/review"}.items():
        page = customer.fill(slug, follow=False)
        assert (page.status, page.location) == (303, after)
    customer.open("/report/review")
    page = customer.submit(follow=False)
    assert page.status == 303
    assert page.location.startswith("/r/")


def test_the_steps_say_how_far_one_has_come(app: Flask) -> None:
    customer = Customer(app, "en")
    assert "Step 1 of 4" in customer.open("/report/failure").text
    customer.fill("failure")
    assert "Step 2 of 4" in customer.page.text


def test_what_was_sent_is_what_was_typed(app: Flask, customer: Customer) -> None:
    customer.report()
    kept = the_report(app).answers
    assert {key: kept[key] for key in ANSWERS} == {**ANSWERS, "phone": "+34 600 00 00 00"}


def test_the_review_has_every_answer_and_says_what_was_left_open(app: Flask) -> None:
    customer = Customer(app, "en")
    page = customer.fill_all(affected="", company="", error_message="<b>502</b>")
    text = " ".join(page.text.split())
    assert "Nothing has been sent yet." in text
    assert "What is affected? Not answered" in text
    assert "Company Not answered" in text
    assert "How often? cada 10 minutos" in text
    assert "The error message, exactly as it is shown <b>502</b>" in text
    assert "23 Nov 2026 02:40 (Europe/Madrid) · 01:40 UTC" in text
    assert "Which of the two?" not in text
    assert "<b>502" not in page.html


def test_a_secret_is_pointed_out_on_the_review_and_does_not_stop_it(app: Flask) -> None:
    customer = Customer(app, "en")
    page = customer.fill_all(error_message="password=letmein")
    assert "This looks like a password" in page.text
    assert page.links["#a-error_message"] == "The error message, exactly as it is shown"
    assert customer.submit().status == 200
    assert len(rows(app, Report)) == 1


# What is wrong ----------------------------------------------------------------------------


def test_every_error_is_shown_at_once_beside_its_question_and_above(app: Flask) -> None:
    customer = Customer(app, "en")
    customer.open("/report/failure")
    page = customer.submit(summary="x" * 121)
    wrong = {
        "service": "Choose the service that is failing",
        "summary": "Use 120 characters or fewer; you have written 121",
        "impact": "Say how serious it is for you",
    }
    assert page.status == 422
    assert page.errors == wrong
    assert page.listed == wrong
    assert "<title>Error: What is wrong" in page.html
    assert typed(page)["summary"] == "x" * 121


def test_an_error_above_leads_to_a_field_that_is_there(customer: Customer) -> None:
    for slug in SLUGS:
        customer.open(f"/report/{slug}")
        page = customer.submit()
        assert page.listed
        for name in page.listed:
            assert f'id="f-{name}"' in page.html
        customer.fill(slug)


def test_what_was_typed_stays_when_something_is_wrong(customer: Customer) -> None:
    text = "\r\n  <b>&amp;</b> \"'\r\n\r\n-- \N{FIRE}\r\n"
    customer.open("/report/failure")
    page = customer.submit(service="email", error_message=text, affected=text, summary="")
    assert page.status == 422
    assert typed(page) == {
        "service": "email",
        "error_message": text,
        "affected": text,
        "summary": "",
    }


def test_a_time_that_is_none_comes_back_with_a_message(customer: Customer) -> None:
    customer.fill("failure")
    page = customer.submit(**values("timing", started_at="ayer por la tarde"))
    assert page.status == 422
    assert page.errors == {"started_at": "Escriba la fecha y la hora, por ejemplo 2026-11-23 02:40"}


def test_a_time_the_clocks_showed_twice_is_asked_about_on_the_page(app: Flask) -> None:
    customer = Customer(app, "en")
    with time_machine.travel(SENT_AT, tick=False):
        page = customer.fill("failure")
        assert "Which of the two?" not in page.text
        page = customer.submit(**values("timing", started_at="2026-10-25T02:30"))
        assert page.errors == {"started_fold": "Say which of the two times it was"}
        assert "The clocks went back that night. Which of the two?" in page.text
        page = customer.submit(started_fold="later")
        assert "What changed" in page.text
        customer.fill("changes")
        page = customer.fill("contact")
        assert "The second time, after the change" in page.text
        customer.submit()
    assert "started_at: 2026-10-25T02:30:00+01:00" in ticket_of(app)


def test_answers_that_are_not_valid_any_more_are_asked_again_before_sending(
    app: Flask, tmp_path: Path
) -> None:
    customer = Customer(app, "en")
    customer.fill_all(service="email")
    services = [{"id": "cloud", "name": {"es": "Nube", "en": "Cloud"}}]
    with an_app(tmp_path, SERVICES=services) as changed:
        moved = moved_to(changed, customer)
        page = moved.open("/report/review")
        assert page.errors == {"service": "Choose one of the answers shown"}
        assert page.listed == page.errors
        assert typed(page)["summary"] == ANSWERS["summary"]
        assert rows(changed, Report) == []
        moved.submit(service="cloud")
        moved.open("/report/review")
        moved.submit()
        assert the_report(changed).text("service") == "cloud"


# Going about ------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/report/timing", "/report/contact", "/report/review"])
def test_nobody_gets_ahead_of_their_answers(customer: Customer, path: str) -> None:
    page = customer.peek(path)
    assert (page.status, page.location) == (303, "/report/failure")
    customer.fill("failure")
    page = customer.peek("/report/review")
    assert (page.status, page.location) == (303, "/report/timing")


def test_a_step_nobody_declared_is_not_found(customer: Customer) -> None:
    assert customer.open("/report/nothing").status == 404


def test_going_back_keeps_what_is_typed_valid_or_not(customer: Customer) -> None:
    customer.fill("failure")
    page = customer.submit(**values("timing", started_at="not yet", pattern=None), go="back")
    assert "Qué falla" in page.text
    assert typed(page) == values("failure")
    page = customer.open("/report/timing")
    assert typed(page)["started_at"] == "not yet"
    assert typed(page)["frequency"] == "cada 10 minutos"
    assert not page.errors


def test_going_back_from_the_first_step_leads_to_the_start(customer: Customer) -> None:
    customer.open("/report/failure")
    page = customer.submit(summary="no carga", go="back", follow=False)
    assert page.location == "/"
    assert typed(customer.open("/report/failure"))["summary"] == "no carga"


def test_another_language_keeps_what_is_typed_and_stays(customer: Customer) -> None:
    customer.fill("failure")
    page = customer.submit(**values("timing", started_at="not yet"), lang="en")
    assert "When it started" in page.text
    assert typed(page)["started_at"] == "not yet"
    page = customer.submit(**values("timing"))
    assert "What changed" in page.text


def test_changing_an_answer_returns_to_the_review(app: Flask, customer: Customer) -> None:
    page = customer.fill_all()
    assert {f"/report/{slug}?change=1" for slug in SLUGS} <= set(page.links)
    customer.open("/report/failure?change=1")
    page = customer.submit(summary="")
    assert page.status == 422
    page = customer.submit(summary="Ahora sí carga", follow=False)
    assert page.location == "/report/review"
    assert "Ahora sí carga" in customer.open("/report/review").text
    customer.submit()
    assert the_report(app).text("summary") == "Ahora sí carga"


def test_going_back_while_changing_returns_to_the_review(customer: Customer) -> None:
    customer.fill_all()
    customer.open("/report/contact?change=1")
    assert customer.submit(go="back", follow=False).location == "/report/review"


def test_another_language_while_changing_still_returns_to_the_review(customer: Customer) -> None:
    customer.fill_all()
    customer.open("/report/contact?change=1")
    customer.submit(lang="en")
    assert customer.submit(follow=False).location == "/report/review"


def test_a_change_that_asks_more_is_asked_before_the_review(customer: Customer) -> None:
    customer.fill_all(preferred_channel="email", phone="")
    customer.open("/report/contact?change=1")
    assert set(customer.submit(preferred_channel="phone").errors) == {"phone"}


def test_two_tabs_of_one_report_lose_nothing(app: Flask, customer: Customer) -> None:
    customer.fill("failure")
    first = customer.open("/report/timing")
    second = customer.open("/report/failure")
    customer.page = first
    customer.submit(**values("timing"))
    customer.page = second
    customer.submit(summary="Desde la otra")
    customer.fill("changes")
    customer.fill("contact")
    customer.submit()
    assert the_report(app).text("summary") == "Desde la otra"
    assert the_report(app).text("frequency") == "cada 10 minutos"


def test_an_answer_out_of_turn_is_kept_and_the_first_open_step_asked(customer: Customer) -> None:
    customer.fill("failure")
    customer.fill("timing")
    customer.fill("changes")
    page = customer.open("/report/contact")
    customer.client.delete_cookie("__Host-reporter", domain="incidents.example.com")
    customer.page = page
    page = customer.submit(**values("contact"))  # a token nobody knows any more
    assert page.status == 422
    assert typed(page) == values("contact")
    page = customer.submit()
    assert "Qué falla" in page.text
    for slug in ("failure", "timing", "changes"):
        page = customer.fill(slug)
    assert typed(page) == values("contact")


@pytest.mark.parametrize(
    ("query", "first", "last"),
    [
        (
            {"service": "email", "affected": "tienda.example.com", "customer_number": "C-1"},
            {"service": "email", "affected": "tienda.example.com"},
            "C-1",
        ),
        ({"service": "no such"}, {"affected": ""}, ""),
        ({"affected": "x" * 500, "impact": "minor"}, {"affected": "x" * 200}, ""),
        ({"affected": "<b>\N{FIRE}"}, {"affected": "<b>\N{FIRE}"}, ""),
    ],
)
def test_a_link_from_elsewhere_fills_in_what_it_knows(
    app: Flask, query: dict[str, str], first: dict[str, str], last: str
) -> None:
    customer = Customer(app)
    customer.client.get(
        "/", query_string=query, base_url=app.config["BASE_URL"], headers=customer.headers
    )
    shown = typed(customer.open("/report/failure"))
    assert {key: shown[key] for key in first} == first
    assert "impact" not in shown
    for slug in ("failure", "timing", "changes"):
        customer.fill(slug)
    assert typed(customer.page)["customer_number"] == last


def test_a_link_that_fills_in_begins_anew_over_an_older_draft_which_stays(
    customer: Customer,
) -> None:
    customer.fill("failure", affected="mine")
    start = customer.open("/?affected=theirs")
    assert typed(customer.open("/report/failure"))["affected"] == "theirs"
    customer.open("/?affected=theirs")  # once more
    customer.fill("failure", affected="theirs, and more")
    customer.open("/?affected=theirs")
    assert typed(customer.open("/report/failure"))["affected"] == "theirs, and more"
    older = next(link for link in start.links if "draft=" in link)
    page = customer.open(older.replace("timing", "failure"))
    assert typed(page)["affected"] == "mine"


# Sending ----------------------------------------------------------------------------------


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
            response = customer.client.post(
                path.replace("<slug>", slug),
                data={**(values(slug) if slug in SLUGS else {}), **forged, "summary": "forged"},
                base_url=customer.base_url,
            )
            assert response.status_code in {303, 400, 404, 422}, path
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


# Too much ---------------------------------------------------------------------------------


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
    told = "This page is not saved: it is too much. Shorten this and press the button again"
    kept = length <= 40_000  # twice what a valid one may have
    assert page.errors == {"error_message": problem if kept else f"{problem}. {told}"}
    assert typed(page)["error_message"] == text
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
    assert ("This page is not saved" in page.errors["change_description"]) is bool(over)
    kept = typed(customer.open("/report/changes")).get("change_description")
    assert (kept == text) is not bool(over)


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
            customer.client.post("/report/nothing", environ_overrides=customer.environment)
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


# Restarts and failures --------------------------------------------------------------------


def moved_to(app: Flask, customer: Customer) -> Customer:
    """The same browser, with its cookie and its page, before another application."""
    host = "incidents.example.com"
    cookie = customer.client.get_cookie("__Host-reporter", domain=host)
    assert cookie
    moved = Customer(app, customer.headers["Accept-Language"])
    moved.client.set_cookie("__Host-reporter", cookie.value, domain=host)
    moved.page = customer.page
    return moved


def test_a_restart_keeps_the_draft_and_the_page_that_is_open(app: Flask, tmp_path: Path) -> None:
    customer = Customer(app)
    customer.fill("failure")
    with an_app(tmp_path) as restarted:
        moved = moved_to(restarted, customer)
        page = moved.submit(**values("timing"))
        assert "Qué ha cambiado" in page.text
        assert typed(moved.open("/report/failure")) == values("failure")


def test_a_tab_that_only_looks_does_not_put_back_the_cookie_of_another_draft(app: Flask) -> None:
    customer = Customer(app)
    customer.fill_all()
    receipt = customer.submit(follow=False).location
    for path in (receipt, f"{receipt}/status.json", "/", "/report/contact"):
        assert "Set-Cookie" not in customer.peek(path).headers
    customer.open("/report/failure")  # begins another
    assert "Set-Cookie" not in customer.peek(receipt).headers


def test_the_cookie_holds_no_answer_and_stays_under_4_kb(app: Flask) -> None:
    customer = Customer(app)
    letters = Random(1).choices(range(0x10300, 0x1F400), k=900)
    query = {
        key: "".join(map(chr, letters[n * 300 : (n + 1) * 300]))
        for n, key in enumerate(("service", "affected", "customer_number"))
    }
    client = customer.client
    client.get("/", query_string=query, base_url=customer.base_url)
    customer.fill_all(error_message="".join(map(chr, letters)) * 20)
    cookie = client.get_cookie("__Host-reporter", domain="incidents.example.com")
    assert cookie
    assert len(f"{cookie.key}={cookie.value}") < 4_000


class Outage:
    """The database out of reach, as when its machine is down."""

    def __init__(self, app: Flask) -> None:
        self.app = app

    def __enter__(self) -> None:
        self.kept = self.app.extensions["sqlalchemy"]
        self.app.extensions["sqlalchemy"] = Database("postgresql://127.0.0.1:1/nowhere")

    def __exit__(self, *_: object) -> None:
        self.app.extensions["sqlalchemy"].close()
        self.app.extensions["sqlalchemy"] = self.kept


@pytest.mark.parametrize("slug", SLUGS)
def test_a_database_that_is_down_loses_nothing_that_was_typed(app: Flask, slug: str) -> None:
    customer = Customer(app, "en")
    for before in SLUGS[: SLUGS.index(slug)]:
        customer.fill(before)
    customer.open(f"/report/{slug}")
    text = "\r\n <b>x</b>\r\n"
    answers = values(slug, error_message=text, change_description=text)
    with Outage(app):
        page = customer.submit(**answers)
        assert page.status == 503
        assert "Something failed on our side" in page.text
        assert typed(page) == answers
        assert customer.submit().status == 503
    assert customer.submit(follow=False).status == 303
    assert typed(customer.open(f"/report/{slug}")) == answers


def test_a_report_that_could_not_be_kept_is_not_called_saved_and_can_be_sent_again(
    app: Flask,
) -> None:
    customer = Customer(app, "en")
    customer.fill_all()
    with Outage(app):
        page = customer.submit()
        assert page.status == 503
        assert "Send again" in page.text
    assert rows(app, Report) == []
    assert customer.submit().status == 200
    assert len(rows(app, Report)) == 1


def test_a_page_that_cannot_be_read_says_so_and_gives_the_phone_number(app: Flask) -> None:
    customer = Customer(app, "en")
    customer.fill("failure")
    with Outage(app):
        page = customer.open("/report/timing")
    assert page.status == 503
    assert "It is not your fault. Please try again in a minute." in page.text
    assert "+34 900 000 000" in page.text


def test_the_first_page_needs_no_database(app: Flask) -> None:
    with Outage(app):
        assert Customer(app).open("/").status == 200
        assert Customer(app).open("/report/failure").status == 200
