"""From filled forms to a `Report`: what every page, mail and file shows of the answers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
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
from reporter.wizard.drafts import Draft, StoredStep
from reporter.wizard.started import Moment, Precision
from reporter.wizard.step import Step, StepForm
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


def sections(forms: Sequence[StepForm], at: datetime) -> tuple[Section, ...]:
    """Every answer of *forms* in the language in use, as read at the time *at*."""
    return tuple(Section(str(form.title), _answers(form, at)) for form in forms)


def in_every_language(forms: Iterable[StepForm], at: datetime) -> dict[str, tuple[Section, ...]]:
    """`sections` in each of LANGUAGES."""
    forms = tuple(forms)
    first: tuple[Section, ...] = ()
    found = {}
    for language in current_app.config["LANGUAGES"]:
        with force_locale(language):
            # Of a question, only what is said of it is another in another language.
            found[language] = _reworded(forms, first, at) if first else sections(forms, at)
        first = first or found[language]
    return found


def _reworded(
    forms: Sequence[StepForm], known: Sequence[Section], at: datetime
) -> tuple[Section, ...]:
    """The sections *known* of the same *forms*, in the language in use."""
    return tuple(
        Section(
            str(form.title),
            tuple(
                replace(
                    answer,
                    label=label,
                    text="" if answer.value is None else question.format(form, at),
                )
                for label, question, answer in zip(
                    _labels(form).values(), questions(form), section.answers, strict=True
                )
            ),
        )
        for form, section in zip(forms, known, strict=True)
    )


def _blank(language: str) -> tuple[Section, ...]:
    """The second stage as it stands in a report just sent; always the same, so made once."""
    made: dict[str, tuple[Section, ...]] = current_app.extensions.setdefault("blank_details", {})
    if language not in made:
        with force_locale(language):
            forms = [filled(step, None) for step in DETAIL_STEPS]
            made[language] = sections(forms, datetime.now(UTC))
    return made[language]


def _answers(form: StepForm, at: datetime) -> tuple[Answer, ...]:
    labels = _labels(form)
    return tuple(_answer(question, labels, form, at) for question in questions(form))


def _labels(form: StepForm) -> Mapping[str, str]:
    """What each question is called in the language in use; always the same, so made once."""
    made: dict[object, Mapping[str, str]] = current_app.extensions.setdefault("labels", {})
    key = type(form), current_language()
    if key not in made:
        made[key] = {question.name: str(question.label.text) for question in questions(form)}
    return made[key]


def _answer(question: Question, labels: Mapping[str, str], form: StepForm, at: datetime) -> Answer:
    value = question.value(form)
    return Answer(
        name=question.name,
        label=labels[question.name],
        value=value,
        text="" if value is None else question.format(form, at),
        asked=question.is_asked(form),
        key=question.key,
        wanted=question.wanted,
        important=question.important,
        exact=question.exact,
    )


def digest(forms: Iterable[StepForm]) -> str:
    """What a review of *forms* shows, told by a few characters of each answer: a page is sent with
    it, so that what was confirmed is what was seen. It protects the customer from other tabs, and
    not us from the customer."""
    return ".".join(_short(question.value(form)) for form in forms for question in questions(form))


def changed(shown: str, forms: Iterable[StepForm]) -> tuple[str, ...]:
    """The questions whose answers are not any more what a page showed; *shown* is its digest.
    None without one."""
    if not shown:
        return ()
    asked = [(question, form) for form in forms for question in questions(form)]
    seen = shown.split(".")
    seen += [""] * (len(asked) - len(seen))
    return tuple(
        str(question.label.text)
        for (question, form), each in zip(asked, seen, strict=False)
        if _short(question.value(form)) != each
    )


def _short(value: object) -> str:
    return hashlib.sha256(repr(value).encode()).hexdigest()[:8]


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
