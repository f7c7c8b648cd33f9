"""The pages of every stage: ask a step, take its answers, review, send.

One function serves every step of every stage.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask, redirect, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from reporter.web.errors import field_names, gives_back
from reporter.web.fields import Files
from reporter.web.locale import choose_language
from reporter.web.logs import tell_refusal
from reporter.web.question import questions
from reporter.web.tokens import TokenForm
from reporter.wizard import answers, drafts
from reporter.wizard.detail_steps import DETAIL_STEPS
from reporter.wizard.draft import Raw, StoredStep
from reporter.wizard.journey import Journey
from reporter.wizard.rendering import review_html, step_html
from reporter.wizard.stage import Stage
from reporter.wizard.step import Step, StepForm
from reporter.wizard.steps import REPORT_STEPS

# A page that could not be sent is offered again for this long (reporter.js).
LONGEST_WAIT = timedelta(days=1)

# Answers that mean a time counted from when they were given.
TOLD_FROM_NOW = ("started", "started_at", "last_worked_at")
# What the pages send besides answers.
PAGE_FIELDS = ("draft_key", "age", "shown", "asked_again", "go", "lang")


class SendForm(TokenForm):
    """Nothing but the token: the answers are in the draft."""


def step_page(stage: Stage, slug: str) -> ResponseReturnValue:
    """Ask one page of questions: 422 with every error at once, or 303 to the next page."""
    journey = stage.journey()
    step = next(step for step in stage.steps if step.slug == slug)
    if request.method == "POST":  # also out of turn: what was typed in an old tab is kept
        return _submit(stage, step)
    if not journey.can_visit(slug):
        return redirect(stage.url(journey.first_open()), 303)
    return _show(stage, step)


def review_page(stage: Stage) -> ResponseReturnValue:
    """Show every answer; POST sends. Returns to the first step that is not valid any more."""
    journey = stage.journey()
    if journey.first_open() != Journey.REVIEW:
        return redirect(stage.url(journey.first_open()), 303)
    forms = {
        step.slug: answers.filled(step, stage.stored(step.slug), **stage.context())
        for step in stage.steps
    }
    for slug, form in forms.items():
        stored = stage.stored(slug)
        if not (stored and stored.is_valid()) and not form.validate():
            return redirect(stage.url(slug, check=1), 303)
    at = datetime.now(UTC)
    send = SendForm()
    changed = answers.changed(request.form.get("shown", ""), forms.values())
    if send.validate_on_submit() and not changed:
        return redirect(stage.send(forms, at), 303)
    page = review_html(stage, forms, at, send, changed)
    return page, (422 if send.errors or changed else 200)


def _show(stage: Stage, step: Step) -> ResponseReturnValue:
    stored = stage.stored(step.slug)
    raw = stored.raw if stored else stage.prefill(step)
    stale = stored is not None and stored.is_stale(datetime.now(UTC))
    if stale:
        raw = {key: values for key, values in raw.items() if key != "started"}
    form = step.form(
        MultiDict([(key, value) for key, values in raw.items() for value in values]),
        answered_at=stored.answered_at if stored else None,
        **stage.context(),
    )
    if stored and request.args.get("check"):
        form.validate()
        if "csrf_token" in form:
            form.csrf_token.errors = []  # what is stored has no token, and needs none
    if stale:
        form.asked_again = True
        form.started.errors = [_("You said “just now” more than an hour ago. When did it start?")]
    return _page(stage, step, form, 200)


def _submit(stage: Stage, step: Step) -> ResponseReturnValue:
    problems = stage.keep_files()
    form = step.form(**stage.context())
    form.asked_again = "asked_again" in request.form
    if not keep_step(stage, step, form, problems):
        return _page(stage, step, form, 422)  # everything typed, and a fresh token
    if problems:  # before any button: a file that is refused is told of
        return _page(stage, step, form, 422)
    if "keep" in request.form:  # by a script, as soon as a file is chosen
        return redirect(stage.url(step.slug, **changing()), 303)
    if "remove" in request.form:
        stage.remove_file(request.form.get("remove", 0, type=int))
        return redirect(f"{stage.url(step.slug, **changing())}#files", 303)  # where it stood
    if request.form.get("lang"):
        choose_language(request.form["lang"])
        return redirect(stage.url(step.slug, **changing()), 303)
    if request.form.get("go") == "back":
        return redirect(_before(stage, step), 303)
    if form.errors:
        return _page(stage, step, form, 422)
    before = stage.journey()
    journey = Journey(before.slugs, {*before.completed, step.slug})
    if stage.any_order and request.form.get("go") == "review":  # each page can be the last
        return redirect(stage.url(Journey.REVIEW), 303)
    if changing() and journey.first_open() == Journey.REVIEW:
        return redirect(stage.url(Journey.REVIEW), 303)
    return redirect(stage.url(journey.after(step.slug)), 303)


def keep_step(stage: Stage, step: Step, form: StepForm, file_problems: Sequence[str] = ()) -> bool:
    """Validate a submitted *form* and keep what it holds, valid or not.

    *file_problems*: what is wrong with the files that came with it. False when nothing was kept:
    its token is stale, or it is more than a draft should keep.
    """
    sent, asked = request.form, [q for q in questions(form) if not isinstance(q, Files)]
    raw = {each.name: sent.getlist(each.name) for each in asked if each.name in sent}
    form.answered_at = _anchor(stage.stored(step.slug), raw) or filled_in_at()
    form.validate()
    for question in questions(form):
        if isinstance(question, Files):
            question.errors = list(file_problems)
    if "csrf_token" in form.errors:
        return False
    if drafts.is_too_long(raw, sum(question.max_length for question in asked)):
        longest = form[max(raw, key=lambda name: sum(map(len, raw[name])))]
        told = _("This page was not saved: too much text. Shorten this and press the button again")
        longest.errors = [". ".join([*longest.errors, told])]
        return False
    flags = {"hidden_field"} if form.topic.data else set()
    if flags:
        tell_refusal("hidden field")
    stage.keep(step.slug, raw, None if form.errors else form.answered_at, flags)
    return True


def give_back(app: Flask) -> None:
    """Tell error pages which fields are those of a page of ours."""
    own = {step.slug: field_names(step.form) for step in (*REPORT_STEPS, *DETAIL_STEPS)}
    every = [name for names in own.values() for name in names]
    for endpoint in ("wizard.step", "details.step"):
        gives_back(app, endpoint, lambda slug, **_: {*own.get(slug, ()), *PAGE_FIELDS})
    for endpoint in ("wizard.review", "details.review"):
        gives_back(app, endpoint, lambda **_: PAGE_FIELDS)
    gives_back(app, "offline.whole", lambda: {*every, *PAGE_FIELDS})


def filled_in_at() -> datetime:
    """When the page was filled in: now, or `age` seconds ago, if it had to wait for us."""
    try:
        waited = timedelta(seconds=float(request.form.get("age", 0)))
    except (ValueError, OverflowError):
        waited = timedelta()
    return datetime.now(UTC) - min(max(waited, timedelta()), LONGEST_WAIT)


def _page(stage: Stage, step: Step, form: StepForm, status: int) -> ResponseReturnValue:
    return step_html(stage, step, form, stage.url(step.slug, **changing())), status


def _before(stage: Stage, step: Step) -> str:
    return stage.url(Journey.REVIEW if changing() else stage.journey().before(step.slug))


def _anchor(stored: StoredStep | None, raw: Raw) -> datetime | None:
    """When "just now" or an hour was said: the first time, while those answers stay the same."""
    same = stored and all(stored.raw.get(key) == raw.get(key) for key in TOLD_FROM_NOW)
    same = same and "asked_again" not in request.form
    return stored.answered_at if stored and same else None


def changing() -> dict[str, Any]:
    """Kept in links while somebody changes one page and returns to the review."""
    return {"change": 1} if request.args.get("change") else {}
