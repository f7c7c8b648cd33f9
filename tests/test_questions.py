"""A question is declared once and arrives everywhere: page, review, mail, JSON, schema, words.

The last test adds one; `test_guides` follows the page that tells how.
"""

from __future__ import annotations

import json
import re
from typing import Any

import catalogues
import polib
import pytest
import time_machine
from customers import Customer
from factories import ANSWERS, LANGUAGES, SENT_AT, SLUGS, a_report, body, parsed, values
from flask import Flask
from flask_babel import force_locale
from jsonschema import Draft202012Validator, ValidationError
from wtforms import SelectChoice

from reporter.mail.ticket import compose_ticket
from reporter.mail.ticket_json import schema, trouble_ticket
from reporter.mail.ticket_text import ticket_text
from reporter.models import Message
from reporter.web.fields import Files, Radios, TextArea
from reporter.web.question import Question, questions
from reporter.wizard.detail_steps import DETAIL_STEPS
from reporter.wizard.report_stage import ReportStage
from reporter.wizard.step import Step
from reporter.wizard.steps import REPORT_STEPS, ChangesForm

# Reports in which, all together, every question is answered.
REPORTS: list[dict[str, str]] = [
    {},
    {"started": "just_now"},
    {"started_at": "2026-10-25T02:30", "started_fold": "later", "approximate": "yes"},
]
# What the block of a ticket says by itself.
OUR_KEYS = {
    "reference", "update", "severity", "started_at", "started_precision", "language", "flags",
    "missing",
}  # fmt: skip


@pytest.fixture
def asked(app: Flask) -> dict[str, Question]:
    """Every question there is, by its name."""
    with app.test_request_context():
        return {q.name: q for step in REPORT_STEPS for q in questions(step.form())}


@pytest.fixture
def asked_later(app: Flask) -> list[str]:
    """The questions of the second stage, which stand blank in every first ticket."""
    with app.test_request_context():
        return [q.name for step in DETAIL_STEPS for q in questions(step.form())]


def words(question: Question) -> list[str]:
    """All that a question says, as it stands in the code."""
    said: list[Any] = [question.label.text, question.hint, question.required]
    said += question.required_with.values()
    if question.name != "service":  # whose choices are settings
        said += [choice.label for choice in getattr(question, "iter_choices", list)()]
    with force_locale(catalogues.SOURCE):
        return [str(each) for each in said if each]


@pytest.mark.usefixtures("inside_a_request")
def test_a_name_is_asked_once_and_is_snake_case() -> None:
    names = [question.name for step in REPORT_STEPS for question in questions(step.form())]
    assert len(names) == len(set(names))
    assert set(ANSWERS) <= set(names)
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", name) for name in names)


def typed(asked: dict[str, Question]) -> set[str]:
    """Those that are answered with words: files are kept apart."""
    return {name for name, question in asked.items() if not isinstance(question, Files)}


@pytest.mark.usefixtures("inside_a_request")
def test_the_reports_of_these_tests_answer_every_question(asked: dict[str, Question]) -> None:
    answered = [
        {k for k, v in a_report(others=True, **each).answers.items() if v} for each in REPORTS
    ]
    assert typed(asked) == set().union(*answered)


def test_every_question_stands_on_the_review(app: Flask, asked: dict[str, Question]) -> None:
    shown: set[str] = set()
    with time_machine.travel(SENT_AT, tick=False):
        for each in REPORTS:
            customer = Customer(app)
            for slug in SLUGS:  # the hour that the clocks showed twice is told unasked
                customer.open(f"/report/{slug}")
                page = customer.forge(**values(slug, **each))
            assert page.action == "/report/review"
            shown |= set(re.findall(r'<div id="a-(\w+)"', page.html))
    assert shown == set(asked)


@pytest.mark.usefixtures("inside_a_request")
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_question_stands_in_a_section_of_the_ticket(
    asked: dict[str, Question], language: str
) -> None:
    for report in (a_report(others=True, **each) for each in REPORTS):
        text = ticket_text(report, language)
        for answer in report.each(language):
            told = f"\n{answer.label}\n| {answer.text.splitlines()[0]}" if answer.text else None
            assert told is None or told in text, answer.name
    told_somewhere = {
        a.name for each in REPORTS for a in a_report(others=True, **each).each() if a.text
    }
    assert told_somewhere == typed(asked)


@pytest.mark.usefixtures("inside_a_request")
def test_every_question_is_in_the_json(asked: dict[str, Question], asked_later: list[str]) -> None:
    for each in REPORTS:
        assert list(trouble_ticket(a_report(others=True, **each), "es")["answers"]) == [
            *asked,
            *asked_later,
        ]


def test_every_question_is_in_the_schema_in_the_same_order(
    asked: dict[str, Question], asked_later: list[str]
) -> None:
    answers = schema()["properties"]["answers"]
    assert list(answers["properties"]) == [*asked, *asked_later]
    assert answers["required"] == [*asked, *asked_later]


@pytest.mark.usefixtures("inside_a_request")
def test_every_choice_is_in_the_schema(asked: dict[str, Question]) -> None:
    known = schema()["properties"]["answers"]["properties"]
    for name, question in asked.items():
        if isinstance(question, Radios) and name != "service":
            values = [choice.value for choice in question.iter_choices()]
            assert [value for value in known[name]["enum"] if value] == values, name


@pytest.mark.usefixtures("inside_a_request")
@pytest.mark.parametrize("language", catalogues.languages())
def test_every_word_of_a_question_is_in_the_catalogue(
    asked: dict[str, Question], language: str
) -> None:
    entries = polib.pofile(str(catalogues.catalogue_path(language)))
    known = {entry.msgid: entry.msgstr for entry in entries}
    for name, question in asked.items():
        for said in words(question):
            assert said in known, (name, said)
            assert known[said] or language == catalogues.SOURCE, (name, said)


def test_a_key_of_the_block_stands_for_one_question_and_is_none_of_ours(
    asked: dict[str, Question],
) -> None:
    keys = [question.key for question in asked.values() if question.key]
    assert len(keys) == len(set(keys))
    assert not OUR_KEYS & set(keys)
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", key) for key in keys)


def test_nothing_required_is_called_missing(asked: dict[str, Question]) -> None:
    assert [q.name for q in asked.values() if q.wanted and q.required and not q.asked_with] == []


def test_a_question_that_depends_on_another_stands_after_it(asked: dict[str, Question]) -> None:
    order = list(asked)
    for name, question in asked.items():
        for pair in (question.asked_with, question.shown_with):
            assert pair is None or order.index(pair[0]) < order.index(name)


def test_a_question_that_is_added_arrives_everywhere(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    class LongerChangesForm(ChangesForm):
        reverted = Radios(
            "Have you reverted it?",
            hint="If it can be reverted",
            choices=[
                SelectChoice("yes", "Yes, it is reverted"),
                SelectChoice("no", "No, it stays"),
            ],
            asked_with=("changed", "yes"),
            required="Say whether you have reverted it",
            key="change_reverted",
        )
        who = TextArea("Who changed it?", wanted=True)

    steps = [
        Step("changes", LongerChangesForm) if step.slug == "changes" else step
        for step in REPORT_STEPS
    ]
    monkeypatch.setattr(ReportStage, "steps", steps)
    customer = Customer(app, "en")
    customer.fill("failure")
    customer.fill("timing")

    # the form, with its error
    page = customer.open("/report/changes")
    assert "Have you reverted it?" in page.text
    assert "If it can be reverted" in page.text
    page = customer.submit(**values("changes"))
    assert page.errors == {"reverted": "Say whether you have reverted it"}
    page = customer.submit(reverted="no")
    assert "How to reach you" in page.text

    # the review
    text = " ".join(customer.fill("contact").text.split())
    assert "Have you reverted it? No, it stays" in text
    assert "Who changed it? Not answered" in text

    # the receipt
    text = " ".join(customer.submit().text.split())
    assert "Have you reverted it? No, it stays" in text

    # the mail: section, block, and what is missing
    with app.extensions["sqlalchemy"].read() as session:
        ticket = next(m.content for m in session.query(Message) if m.kind == "ticket")
    assert "\nHave you reverted it?\n| No, it stays\n" in body(ticket)
    block = body(ticket).partition("\npreferred_channel: phone\n")[2]
    assert "change_reverted: no\n" in block.partition("language: en\n")[0]
    assert "\nmissing: who, users affected, tests done, allowed actions\n" in body(ticket)

    # the JSON, whose schema demands its line
    (attachment,) = parsed(ticket).iter_attachments()
    content = json.loads(attachment.get_content())
    assert (content["answers"]["reverted"], content["answers"]["who"]) == ("no", None)
    validator = Draft202012Validator(schema())
    with pytest.raises(ValidationError, match="reverted"):
        validator.validate(content)
    lines = {"reverted": {"enum": ["yes", "no", None]}, "who": {"type": ["string", "null"]}}
    longer = schema()
    longer["properties"]["answers"]["properties"] |= lines
    Draft202012Validator(longer).validate(content)


def test_the_ticket_of_a_step_without_questions_left_is_still_one(app: Flask) -> None:
    with app.test_request_context():
        report = a_report(changed="no", change_description=None)
        assert "\nQUÉ HA CAMBIADO\n¿Cambiaron algo poco antes?\n| No\n\n" in body(
            compose_ticket(report)
        )
    assert [step.slug for step in REPORT_STEPS] == SLUGS
