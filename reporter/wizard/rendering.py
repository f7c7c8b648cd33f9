"""A step's page: filled into one that was rendered before, as far as nothing on it is unusual."""

from __future__ import annotations

from typing import Any

from flask import render_template, request
from markupsafe import escape

from reporter.web.fields import Files
from reporter.web.locale import current_language
from reporter.web.question import Question, questions
from reporter.web.signatures import csrf_token
from reporter.web.skeleton import Slot, skeleton
from reporter.wizard.calls import is_operator
from reporter.wizard.stage import Stage
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
