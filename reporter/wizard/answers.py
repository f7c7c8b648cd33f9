"""From filled forms to a `Report`: what every page, mail and file shows of the answers."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import current_app
from flask_babel import force_locale
from werkzeug.datastructures import MultiDict

from reporter.models import Channel
from reporter.report import Answer, Report, Section
from reporter.web.locale import current_language
from reporter.web.question import Question, questions
from reporter.wizard.detail_steps import DETAIL_STEPS
from reporter.wizard.draft import Draft, StoredStep
from reporter.wizard.started import Moment, Precision
from reporter.wizard.step import Given, Step, StepForm
from reporter.wizard.steps import MINIMUM_TIME


def filled(step: Step, answered: StoredStep | None, **context: Any) -> StepForm:
    """The form of a step as it was stored. It is not validated yet, and carries no token."""
    raw = answered.raw if answered else {}
    return step.form(
        MultiDict([(key, value) for key, values in raw.items() for value in values]),
        answered_at=answered.answered_at if answered else None,
        meta={"csrf": False},
        **context,
    )


@dataclass(frozen=True)
class Wording:
    """What a form says in one language, whatever is answered: its title, and of each question a
    blank answer and the `words`."""

    title: str
    blanks: Sequence[Answer]
    words: Sequence[Mapping[str, str]]


def sections(forms: Iterable[StepForm], at: datetime) -> tuple[Section, ...]:
    """Every answer of *forms* in the language in use, as read at the time *at*."""
    language = current_language()
    return tuple(_section(form, _wording(form, language), at) for form in forms)


def in_every_language(forms: Iterable[StepForm], at: datetime) -> dict[str, tuple[Section, ...]]:
    """`sections` in each of LANGUAGES."""
    forms = tuple(forms)
    found = {}
    for language in current_app.config["LANGUAGES"]:
        with force_locale(language):
            found[language] = sections(forms, at)
    return found


def _wording(form: StepForm, language: str) -> Wording:
    """In *language*, which is in use. Always the same, so made once."""
    made: dict[object, Wording] = current_app.extensions.setdefault("wording", {})
    key = type(form), language
    if key not in made:
        asked = questions(form)
        blanks = [_blank_answer(question) for question in asked]
        made[key] = Wording(str(form.title), blanks, [question.words() for question in asked])
    return made[key]


def _blank_answer(question: Question) -> Answer:
    return Answer(
        name=question.name,
        label=str(question.label.text),
        key=question.key,
        wanted=question.wanted,
        important=question.important,
        exact=question.exact,
    )


def _blank(language: str) -> tuple[Section, ...]:
    """The second stage as it stands in a report just sent; always the same, so made once."""
    made: dict[str, tuple[Section, ...]] = current_app.extensions.setdefault("blank_details", {})
    if language not in made:
        with force_locale(language):
            forms = [filled(step, None) for step in DETAIL_STEPS]
            made[language] = sections(forms, datetime.now(UTC))
    return made[language]


def _section(form: StepForm, wording: Wording, at: datetime) -> Section:
    rows = zip(form.given, wording.blanks, wording.words, strict=True)
    return Section(wording.title, tuple([_answer(*row, form, at) for row in rows]))


def _answer(
    given: Given, blank: Answer, words: Mapping[str, str], form: StepForm, at: datetime
) -> Answer:
    value = given.value
    if value is None:
        return blank if given.asked else blank.filled(None, "", asked=False)
    text = words.get(str(value), str(value)) if words else given.question.format(form, at)
    return blank.filled(value, text, asked=given.asked)


def digest(forms: Iterable[StepForm]) -> str:
    """What a review of *forms* shows, told by a few characters of each answer: a page is sent with
    it, so that what was confirmed is what was seen. It protects the customer from other tabs, and
    not us from the customer."""
    return ".".join([_short(given.value) for form in forms for given in form.given])


def changed(shown: str, forms: Iterable[StepForm]) -> tuple[str, ...]:
    """The questions whose answers are not any more what a page showed; *shown* is its digest.
    None without one."""
    if not shown:
        return ()
    asked = [given for form in forms for given in form.given]
    seen = shown.split(".")
    seen += [""] * (len(asked) - len(seen))
    return tuple(
        [
            str(given.question.label.text)
            for given, each in zip(asked, seen, strict=False)
            if _short(given.value) != each
        ]
    )


def _short(value: object) -> str:
    return f"{zlib.crc32(repr(value).encode()):x}"


def report(
    draft: Draft,
    forms: Mapping[str, StepForm],
    language: str,
    at: datetime,
    channel: Channel = Channel.WEB,
) -> Report:
    """What is handed in at the time *at*. *forms* are valid."""
    moment = started(forms.values())
    return Report(
        language=language,
        saved_at=at,
        started_at=moment.at if moment else None,
        started_precision=moment.precision if moment else Precision.UNKNOWN,
        # The second stage stands there too, blank: every report has every answer.
        sections={
            each: asked + _blank(each)
            for each, asked in in_every_language(forms.values(), at).items()
        },
        flags=flags(draft, at) if channel == Channel.WEB else (),
        channel=channel,
    )


def started(forms: Iterable[StepForm]) -> Moment | None:
    """When it started, from the form that asks it."""
    return next((form.moment() for form in forms if hasattr(form, "moment")), None)


def flags(draft: Draft, at: datetime) -> tuple[str, ...]:
    """What suggests that no person filled the form. It is told to support, nothing else."""
    fast = {"too_fast"} if at - draft.created_at < MINIMUM_TIME else set()
    return tuple(sorted({*draft.flags, *fast}))
