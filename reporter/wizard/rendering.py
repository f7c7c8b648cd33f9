"""The pages of a step and of the review: filled into one that was rendered before, as far as
nothing on them is unusual."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from flask import current_app, render_template, request
from markupsafe import escape

from reporter.formats.skeleton import Slot, skeleton
from reporter.report import Section
from reporter.web.fields import Files
from reporter.web.locale import current_language
from reporter.web.question import Question, questions
from reporter.web.signatures import csrf_token
from reporter.web.tokens import TokenForm
from reporter.wizard import answers
from reporter.wizard.calls import is_operator
from reporter.wizard.journey import Journey
from reporter.wizard.review_warnings import review_warnings
from reporter.wizard.stage import Forms, Stage
from reporter.wizard.step import Step, StepForm


def step_html(stage: Stage, step: Step, form: StepForm, action: str) -> str:
    """The page that asks *step*, with what *form* holds. *action*: where it is sent to."""
    shown = [q for q in questions(form) if q.asked_when is None or q.is_asked(form)]
    answered = stage.stored(step.slug) is not None or form.is_submitted()
    notices = stage.notices(step)
    told = {"stage": stage, "step": step, "notices": notices, "answered": answered}
    if notices or not _is_plain(stage, form, shown):
        return _render(told, form, shown, action, stage.key)
    names = tuple(question.name for question in shown)
    key = "step", type(stage), step.slug, names, answered, current_language()
    values = {"csrf_token": csrf_token(), "action": escape(action), "key": escape(stage.key)}
    for question in shown:
        values |= question.filling()
    return skeleton(key, lambda: _render_open(told, names)).fill(values)


def _is_plain(stage: Stage, form: StepForm, shown: list[Question]) -> bool:
    """Whether its page is that of everybody who asks for this step, but for the answers."""
    return (
        not form.errors
        and not form.asked_again
        and not form.kept_files
        and not stage.is_unusual()
        and "lang" not in request.args  # which its links may carry on
        and not is_operator()
        and all(question.is_plain() for question in shown)
    )


def _render_open(told: dict[str, Any], names: tuple[str, ...]) -> str:
    """With a place to fill in for each answer, and for whatever else is of one page alone."""
    form = told["step"].form(None)
    for question in questions(form):
        question.leave_open()
    form.csrf_token.current_token = Slot("csrf_token")
    return _render(told, form, [form[name] for name in names], Slot("action"), Slot("key"))


def _render(
    told: dict[str, Any], form: StepForm, shown: list[Question], action: str, key: str
) -> str:
    stage, journey = told["stage"], told["stage"].journey()
    return render_template(
        "wizard/step.html",
        **told,
        form=form,
        questions=shown,
        action=action,
        draft_key=key,
        optional=stage.any_order,
        multipart=any(isinstance(question, Files) for question in questions(form)),
        number=journey.number(told["step"].slug),
        count=len(journey.slugs),
    )


def review_html(
    stage: Stage, forms: Forms, at: datetime, send: TokenForm, changed: Sequence[str]
) -> str:
    """The page that shows every answer, as of the time *at*, and is sent with the form *send*."""
    sections = answers.sections(list(forms.values()), at)
    warnings = tuple(review_warnings(forms.values()))
    own = {
        "action": stage.url(Journey.REVIEW),
        "back": stage.url(stage.steps[-1].slug),
        "key": stage.key,
        "shown": answers.digest(forms.values()),
    }
    for step, section in zip(stage.steps, sections, strict=True):
        own[f"answers {step.slug}"] = _answers_html(stage, section)
        own[f"change {step.slug}"] = stage.url(step.slug, change=1)

    def render(own: Mapping[str, str]) -> str:
        return render_template(
            "wizard/review.html",
            stage=stage,
            send=send,
            sections=zip(stage.steps, sections, strict=True),
            warnings=warnings,
            changed=changed,
            own=own,
            **stage.words(),
        )

    def render_open() -> str:
        send.csrf_token.current_token = Slot("csrf_token")
        return render({name: Slot(name) for name in own})

    if send.errors or changed or warnings or not _is_plain_review(stage):
        return render(own)
    values = {"csrf_token": csrf_token()} | {name: escape(value) for name, value in own.items()}
    return skeleton(("review", type(stage), current_language()), render_open).fill(values)


def _is_plain_review(stage: Stage) -> bool:
    """As `_is_plain`: links to a page with arguments carry them on."""
    return not (stage.any_order or stage.is_unusual() or request.args or is_operator())


def _answers_html(stage: Stage, section: Section) -> str:
    macros: Any = current_app.jinja_env.get_template("_answers.html").module
    found: str = macros.answers(
        section,
        blanks=not stage.any_order,
        apart="files",
        files=stage.files,
        picture_url=stage.picture_url,
    )
    return found
