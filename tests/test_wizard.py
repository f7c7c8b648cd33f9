"""A report from the first question to the receipt: the path, what is wrong, and going about."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlencode

import pytest
import time_machine
from customers import Customer
from factories import ANSWERS, LANGUAGES, SENT_AT, SLUGS, an_app, values
from flask import Flask
from typed_in import moved_to, rows, the_report, ticket_of, typed
from wtforms import SelectChoice as Option

from reporter.models import Report
from reporter.web.fields import Radios, TextInput
from reporter.wizard import rules
from reporter.wizard.step import StepForm
from reporter.wizard.steps import REPORT_STEPS, ChangesForm

LAST = {"failure": "/report/timing", "timing": "/report/changes", "changes": "/report/contact"}


@pytest.fixture
def customer(app: Flask) -> Customer:
    return Customer(app)


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
    assert "Which of the two times" not in text
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
    summary = f"What is happening, in one line? {wrong['summary']}"
    assert page.listed == wrong | {"summary": summary}
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
        assert "Which of the two times" not in page.text
        page = customer.submit(**values("timing", started_at="2026-10-25T02:30"))
        assert page.errors == {"started_fold": "Say which of the two times it was"}
        assert "The clocks went back that night. Which of the two times was it?" in page.text
        page = customer.submit(started_fold="later")
        assert "What changed" in page.text
        customer.fill("changes")
        page = customer.fill("contact")
        assert "The second time, after the change" in page.text
        customer.submit()
    assert "started_at: 2026-10-25T02:30:00+01:00" in ticket_of(app)


@pytest.mark.parametrize("offset", ["+02:00", "+01:00"])
def test_which_of_them_is_not_asked_where_the_offset_says_it(app: Flask, offset: str) -> None:
    customer = Customer(app, "en")
    with time_machine.travel(SENT_AT, tick=False):
        customer.fill("failure")
        page = customer.submit(**values("timing", started_at=f"2026-10-25T02:30{offset}"))
        assert page.errors == {}
        for slug in ("changes", "contact"):
            customer.fill(slug)
        customer.submit()
    assert f"started_at: 2026-10-25T02:30:00{offset}" in ticket_of(app)


def test_answers_that_are_not_valid_any_more_are_asked_again_before_sending(
    app: Flask, tmp_path: Path
) -> None:
    customer = Customer(app, "en")
    customer.fill_all(service="email")
    services = [{"id": "cloud", "name": dict.fromkeys(LANGUAGES, "Cloud")}]
    with an_app(tmp_path, SERVICES=services) as changed:
        moved = moved_to(changed, customer)
        page = moved.open("/report/review")
        assert page.errors == {"service": "Choose one of the answers shown"}
        assert page.listed == {
            "service": "Which service is failing? Choose one of the answers shown"
        }
        assert typed(page)["summary"] == ANSWERS["summary"]
        assert rows(changed, Report) == []
        moved.submit(service="cloud")
        moved.open("/report/review")
        moved.submit()
        assert the_report(changed).text("service") == "cloud"


def test_what_was_found_valid_is_not_checked_again(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer = Customer(app, "en")
    customer.fill_all()
    monkeypatch.setattr(StepForm, "validate", None)
    assert "Check your answers" in customer.open("/report/review").text
    customer.submit()
    assert the_report(app).text("summary") == ANSWERS["summary"]


# Going about ------------------------------------------------------------------------------


class AsksMore(ChangesForm):
    ticket = TextInput("Ticket", required="Enter the ticket")


class OffersLess(ChangesForm):
    changed = Radios("Changed", choices=[Option("unknown", "Unknown")], required="Say it")


@pytest.mark.parametrize(("form", "name"), [(AsksMore, "ticket"), (OffersLess, "changed")])
def test_answers_are_checked_again_by_questions_that_changed(
    app: Flask, customer: Customer, form: type[StepForm], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer.fill_all()
    (changes,) = [step for step in REPORT_STEPS if step.slug == "changes"]
    monkeypatch.setitem(vars(changes), "form", form)
    app.extensions.pop("rules")  # as when it is started again
    page = customer.open("/report/review")
    assert (page.path.partition("?")[0], list(page.errors)) == ("/report/changes", [name])


@pytest.mark.parametrize("package", ["tzdata", "phonenumbers", "email-validator", "idna"])
def test_answers_are_checked_again_by_another_release_of_what_checks_them(
    app: Flask, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        before = rules.rules()
        app.extensions.pop("rules")
        monkeypatch.setattr(
            rules, "version", lambda name: "9" if name == package else version(name)
        )
        assert rules.rules() != before


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
    customer.client.cookiejar.clear()
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
    customer.open(f"/?{urlencode(query)}")
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
