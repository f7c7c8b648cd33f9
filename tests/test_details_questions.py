"""Each question of the second stage, everywhere it shows; times by the clock of the report."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import polib
import pytest
from catalogues import catalogue_path, languages
from customers import Customer
from details_of import answer, followups, send
from factories import SENT_AT
from flask_babel import force_locale
from jsonschema import Draft202012Validator, FormatChecker
from provider import Provider, a_picture, block_of, text_of, twin_of
from wtforms import Form

from reporter.mail import ticket_json
from reporter.web.fields import Checkboxes, Files, Radios
from reporter.web.question import Question, questions
from reporter.wizard.detail_steps import DETAIL_STEPS
from reporter.wizard.steps import REPORT_STEPS
from reporter.wizard.time_fields import PastTime

pytestmark = pytest.mark.ticket_sent


@pytest.mark.parametrize(
    ("zone", "typed", "told"),
    [
        (
            "Europe/Madrid",
            "2026-11-23T01:22",
            "23 nov 2026 01:22 (Europe/Madrid) · 00:22 UTC · 2 horas antes de este aviso",
        ),
        (
            "America/Bogota",
            "2026-11-22T19:22",
            "22 nov 2026 19:22 (America/Bogota) · 23 nov 2026 00:22 UTC"
            " · 2 horas antes de este aviso",
        ),
        (
            "Europe/Madrid",
            "22/11/2026 18:00",
            "22 nov 2026 18:00 (Europe/Madrid) · 17:00 UTC · 9 horas y 22 minutos antes"
            " de este aviso",
        ),
        # It was 2:30 twice that night: the earlier is meant, at 0:30 UTC.
        (
            "Europe/Madrid",
            "2026-10-25T02:30",
            "25 oct 2026 02:30 (Europe/Madrid) · 00:30 UTC · 29 días y 1 hora antes de este aviso",
        ),
    ],
)
def test_when_it_last_worked_is_told_in_the_zone_of_the_report(
    provider: Provider, zone: str, typed: str, told: str
) -> None:
    token = provider.report(timezone=zone, started="just_now")
    customer = provider.customer(token)
    page = answer(customer, token, "evidence", last_worked_at=typed)
    assert page.status == 200
    send(customer, token)
    (mail,) = followups(provider, token)
    assert f"¿Cuándo le consta que funcionó por última vez? (nuevo)\n| {told}\n" in text_of(mail)


@pytest.mark.parametrize(
    ("zone", "typed", "message"),
    [
        (
            "Europe/Madrid",
            "2026-03-29T02:30",
            "That time did not exist: the clocks went forward. Check the hour",
        ),
        ("Europe/Madrid", "2026-11-23T03:25", "That time is in the future. Check the date"),
        ("America/Bogota", "2026-11-22T21:25", "That time is in the future. Check the date"),
        ("Europe/Madrid", "ayer", "Enter the date and the time, for example 2026-11-23 02:40"),
        (
            "Europe/Madrid",
            "0001-01-01T00:00",
            "Enter the date and the time, for example 2026-11-23 02:40",
        ),
        ("America/Bogota", "2026-03-29T02:30", None),
        ("America/Bogota", "2026-11-22T21:23", None),
        ("Europe/Madrid", "2026-11-23T03:24", None),
    ],
)
def test_a_time_that_cannot_be_is_refused_in_the_zone_of_the_report(
    provider: Provider, zone: str, typed: str, message: str | None
) -> None:
    token = provider.report(timezone=zone, started="just_now")
    page = answer(provider.customer(token, "en"), token, "evidence", last_worked_at=typed)
    assert page.errors.get("last_worked_at") == message
    assert page.status == (422 if message else 200)


def test_the_browser_of_another_zone_changes_nothing(provider: Provider) -> None:
    """The zone is the report's, whatever the provider's is."""
    token = provider.report(timezone="Asia/Tokyo", started="just_now")
    customer = provider.customer(token)
    answer(customer, token, "evidence", last_worked_at="2026-11-23T11:00")
    send(customer, token)
    (mail,) = followups(provider, token)
    assert "23 nov 2026 11:00 (Asia/Tokyo) · 02:00 UTC" in text_of(mail)


# Each question, everywhere


def some_answer(question: Question) -> Any:
    """An answer that any question of its kind takes; None for files."""
    if isinstance(question, Files):
        return None
    if isinstance(question, PastTime):
        return "2026-11-22T18:00"
    if isinstance(question, Checkboxes):
        return [choice.value for choice in question.iter_choices()][:2]
    if isinstance(question, Radios):
        return next(choice.value for choice in question.iter_choices())
    return f"Respuesta a {question.name}"


def forms(provider: Provider) -> dict[str, Form]:
    with provider.app.test_request_context():
        return {step.slug: step.form(meta={"csrf": False}) for step in DETAIL_STEPS}


def test_each_question_is_on_the_review_in_the_mail_in_the_json_and_in_the_schema(
    provider: Provider, customer: Customer, token: str
) -> None:
    given: dict[str, Any] = {}
    for slug, form in forms(provider).items():
        answers = {q.name: some_answer(q) for q in questions(form) if not isinstance(q, Files)}
        given |= answers
        answer(customer, token, slug, **answers)
    customer.open(f"/r/{token}/details/evidence")
    customer.submit(files=[("captura.png", a_picture())])
    given["files"] = ["captura.png"]
    review = customer.open(f"/r/{token}/details/review")
    send(customer, token)
    (mail,) = followups(provider, token)
    told = provider.receipt(token).report
    answers = {answer.name: answer for answer in told.each("es")}
    properties = ticket_json.schema()["properties"]["answers"]["properties"]
    for name, value in given.items():
        label, text = answers[name].label, answers[name].text
        assert text, name
        if name != "files":
            assert f'id="a-{name}"' in review.html
            assert all(line in review.text.replace("\xa0", " ") for line in text.splitlines()), name
        assert f"{label} (nuevo)\n" in text_of(mail), name
        assert all(f"\n| {line}\n" in text_of(mail) for line in text.splitlines()), name
        if name == "last_worked_at":
            value += ":00+01:00"
        assert twin_of(mail)["answers"][name] == value
        assert name in properties
        if answers[name].key:
            assert block_of(mail)[answers[name].key]
    assert "captura.png" in review.text
    checker = Draft202012Validator(ticket_json.schema(), format_checker=FormatChecker())
    assert list(checker.iter_errors(twin_of(mail))) == []


def test_the_schema_asks_for_the_questions_of_both_stages_and_no_others(
    provider: Provider,
) -> None:
    with provider.app.test_request_context():
        names = [
            question.name
            for step in (*REPORT_STEPS, *DETAIL_STEPS)
            for question in questions(step.form())
        ]
    answers = ticket_json.schema()["properties"]["answers"]
    assert list(answers["properties"]) == names
    assert answers["required"] == names


@pytest.mark.parametrize("language", languages())
def test_each_question_is_in_the_catalogue_of_every_language(
    provider: Provider, language: str
) -> None:
    """Its label, its hint, its choices, and the title of its page."""
    catalogue = {entry.msgid: entry for entry in polib.pofile(str(catalogue_path(language)))}
    with provider.app.test_request_context(), force_locale("en"):
        for step in DETAIL_STEPS:
            form = step.form()
            words = [str(form.title), str(form.about), str(form.lead)]
            for question in questions(form):
                words += [str(question.label.text), str(question.hint)]
                words += [str(c.label) for c in getattr(question, "iter_choices", tuple)()]
            for word in filter(None, words):
                assert word in catalogue
                assert language == "en" or catalogue[word].translated(), word


def test_a_moment_is_that_of_the_customers_clock(provider: Provider) -> None:
    """A time that was fine when it was typed is not refused when it is sent."""
    token = provider.report(started="just_now")
    customer = provider.customer(token)
    typed = (SENT_AT + timedelta(hours=1, minutes=2)).replace(tzinfo=None)
    answer(customer, token, "evidence", last_worked_at=f"{typed:%Y-%m-%dT%H:%M}")
    provider.at(datetime(2026, 11, 23, 2, 30, tzinfo=SENT_AT.tzinfo))
    assert "Hemos guardado sus detalles" in send(customer, token).text
