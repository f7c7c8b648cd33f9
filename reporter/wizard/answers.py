"""From filled forms to a `Report`: what every page, mail and file shows of the answers."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from flask import current_app
from flask_babel import force_locale
from werkzeug.datastructures import MultiDict

from reporter.models import Channel
from reporter.report import Answer, Report, Section, Value
from reporter.web.locale import current_language
from reporter.web.question import Question, questions
from reporter.wizard.detail_steps import DETAIL_STEPS
from reporter.wizard.draft import Draft, StoredStep
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


@dataclass(frozen=True)
class Wording:
    """What a form says in one language, whatever is answered: its title, and of each question the
    label and the `words`."""

    title: str
    labels: Sequence[str]
    words: Sequence[Mapping[str, str]]


def sections(forms: Iterable[StepForm], at: datetime) -> tuple[Section, ...]:
    """Every answer of *forms* in the language in use, as read at the time *at*."""
    language = current_language()
    return tuple(_section(form, _wording(form, language), at) for form in forms)


def in_every_language(forms: Iterable[StepForm], at: datetime) -> dict[str, tuple[Section, ...]]:
    """`sections` in each of LANGUAGES."""
    forms = tuple(forms)
    first: tuple[Section, ...] = ()
    found = {}
    for language in current_app.config["LANGUAGES"]:
        with force_locale(language):
            # Of a question, only what is said of it is another in another language.
            found[language] = (
                tuple(
                    _reworded(form, known, _wording(form, language), at)
                    for form, known in zip(forms, first, strict=True)
                )
                if first
                else sections(forms, at)
            )
        first = first or found[language]
    return found


def _wording(form: StepForm, language: str) -> Wording:
    """In *language*, which is in use. Always the same, so made once."""
    made: dict[object, Wording] = current_app.extensions.setdefault("wording", {})
    key = type(form), language
    if key not in made:
        asked = questions(form)
        labels = [str(question.label.text) for question in asked]
        made[key] = Wording(str(form.title), labels, [question.words() for question in asked])
    return made[key]


def _reworded(form: StepForm, known: Section, wording: Wording, at: datetime) -> Section:
    """The section *known* of the same *form*, in the language in use."""
    rows = zip(known.answers, questions(form), wording.labels, wording.words, strict=True)
    return Section(
        wording.title,
        tuple(
            replace(answer, label=label, text=_text(answer.value, words, question, form, at))
            for answer, question, label, words in rows
        ),
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
    rows = zip(questions(form), wording.labels, wording.words, strict=True)
    return Section(wording.title, tuple(_answer(*row, form, at) for row in rows))


def _answer(
    question: Question, label: str, words: Mapping[str, str], form: StepForm, at: datetime
) -> Answer:
    value = question.value(form)
    return Answer(
        name=question.name,
        label=label,
        value=value,
        text=_text(value, words, question, form, at),
        asked=question.is_asked(form),
        key=question.key,
        wanted=question.wanted,
        important=question.important,
        exact=question.exact,
    )


def _text(
    value: Value, words: Mapping[str, str], question: Question, form: StepForm, at: datetime
) -> str:
    if value is None:
        return ""
    return words.get(str(value), str(value)) if words else question.format(form, at)


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
