"""The wizard: one view serves every step, another the review and the sending."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict

from reporter.extensions import limiter
from reporter.links import receipt_token
from reporter.reports.submission import submit
from reporter.web.locale import choose_language, current_language
from reporter.wizard import answers, drafts
from reporter.wizard.cautions import cautions
from reporter.wizard.drafts import Draft
from reporter.wizard.fields import questions
from reporter.wizard.journey import Journey
from reporter.wizard.steps import REPORT_STEPS, Step, StepForm

blueprint = Blueprint("wizard", __name__)

STEPS: Mapping[str, Step] = {step.slug: step for step in REPORT_STEPS}
# A whole company may arrive from one address.
STEP_LIMIT = "600 per minute"
SEND_LIMIT = "120 per minute"


# What links from elsewhere may fill in, and how much of it.
PREFILLED = ("service", "affected", "customer_number")
PREFILL_LENGTH = 200


class SendForm(FlaskForm):
    """Nothing but the token: the answers are in the draft."""


@blueprint.get("/")
def start() -> ResponseReturnValue:
    """What will be asked, and one button. `?service=&affected=&customer_number=` prefill."""
    prefill = {k: request.args[k][:PREFILL_LENGTH] for k in PREFILLED if request.args.get(k)}
    if prefill:
        session["prefill"] = prefill
    return render_template("wizard/start.html", steps=REPORT_STEPS)


@blueprint.route("/report/<slug>", methods=["GET", "POST"])
@limiter.limit(STEP_LIMIT, methods=["POST"])
def step(slug: str) -> ResponseReturnValue:
    """Ask one page of questions: 422 with every error at once, or 303 to the next page."""
    if slug not in STEPS:
        abort(404)
    draft = drafts.current()
    journey = _journey(draft)
    if drafts.is_submitted(draft):
        if slug != journey.slugs[0]:
            return redirect(_receipt_url(draft), 303)
        drafts.forget()
        draft, journey = None, _journey(None)
    if not journey.can_visit(slug):
        return redirect(_url(journey.first_open()), 303)
    if request.method == "POST":
        return _answer(STEPS[slug], draft, journey)
    return _ask(STEPS[slug], draft, journey)


@blueprint.route("/report/review", methods=["GET", "POST"])
@limiter.limit(SEND_LIMIT, methods=["POST"])
def review() -> ResponseReturnValue:
    """Show every answer; POST sends. Sending twice gives the same receipt."""
    draft = drafts.current()
    journey = _journey(draft)
    if draft is None or drafts.is_submitted(draft):
        return redirect(_receipt_url(draft) if draft else _url(journey.first_open()), 303)
    if journey.first_open() != Journey.REVIEW:
        return redirect(_url(journey.first_open()), 303)
    forms = {slug: answers.filled(each, draft.steps[slug]) for slug, each in STEPS.items()}
    for slug, form in forms.items():
        if not form.validate():
            return redirect(_url(slug, check=1), 303)
    at = datetime.now(UTC)
    send = SendForm()
    if send.validate_on_submit():
        filing = answers.filing(draft, forms, current_language(), at)
        token = submit(draft.id, filing, lambda token: url_for("reports.receipt", token=token))
        return redirect(url_for("reports.receipt", token=token), 303)
    return render_template(
        "wizard/review.html",
        send=send,
        sections=zip(STEPS.values(), answers.sections(list(forms.values()), at), strict=True),
        cautions=cautions(forms.values()),
        back=_url(journey.slugs[-1]),
    ), (422 if send.errors else 200)


def _ask(step: Step, draft: Draft | None, journey: Journey) -> ResponseReturnValue:
    stored = draft.steps.get(step.slug) if draft else None
    raw = dict(stored.raw) if stored else _prefill(step)
    form = step.form(
        MultiDict([(key, value) for key, values in raw.items() for value in values]),
        answered_at=stored.answered_at if stored else None,
    )
    if stored and request.args.get("check"):
        form.validate()
    return _page(step, form, journey, 200)


def _answer(step: Step, draft: Draft | None, journey: Journey) -> ResponseReturnValue:
    stored = draft.steps.get(step.slug) if draft else None
    form = step.form()
    raw = {q.name: request.form.getlist(q.name) for q in questions(form) if q.name in request.form}
    form.answered_at = _anchor(stored, raw) or form.answered_at
    valid = form.validate()
    if "csrf_token" in form.errors:
        return _page(step, form, journey, 422)  # everything typed, and a fresh token
    flags = {"hidden_field"} if form.website.data else set()
    drafts.save(step.slug, raw, form.answered_at if valid else None, flags)
    if request.form.get("lang"):
        choose_language(request.form["lang"])
        return redirect(_url(step.slug, **_return()), 303)
    if request.form.get("go") == "back":
        return redirect(_url(Journey.REVIEW if _return() else journey.before(step.slug)), 303)
    if not valid:
        return _page(step, form, journey, 422)
    completed = Journey(journey.slugs, {*journey.completed, step.slug})
    if _return() and completed.first_open() == Journey.REVIEW:
        return redirect(_url(Journey.REVIEW), 303)
    return redirect(_url(completed.after(step.slug)), 303)


def _page(step: Step, form: StepForm, journey: Journey, status: int) -> ResponseReturnValue:
    return render_template(
        "wizard/step.html",
        step=step,
        form=form,
        questions=[q for q in questions(form) if q.asked_when is None or q.is_asked(form)],
        number=journey.number(step.slug),
        count=len(journey.slugs),
        action=_url(step.slug, **_return()),
        back=_url(Journey.REVIEW if _return() else journey.before(step.slug)),
    ), status


def _anchor(stored: drafts.Answered | None, raw: drafts.Raw) -> datetime | None:
    """When "just now" was said: the first time, while that answer stays the same."""
    same = stored and stored.raw.get("started") == raw.get("started")
    return stored.answered_at if stored and same else None


def _journey(draft: Draft | None) -> Journey:
    return Journey(tuple(STEPS), draft.completed() if draft else ())


def _prefill(step: Step) -> dict[str, list[str]]:
    prefill: dict[str, str] = session.get("prefill", {})
    return {key: [value] for key, value in prefill.items() if hasattr(step.form, key)}


def _return() -> dict[str, Any]:
    """Kept in links while somebody changes one page from the review."""
    return {"change": 1} if request.args.get("change") else {}


def _url(slug: str | None, **query: Any) -> str:
    if slug is None:
        return url_for("wizard.start")
    if slug == Journey.REVIEW:
        return url_for("wizard.review")
    return url_for("wizard.step", slug=slug, **query)


def _receipt_url(draft: Draft | None) -> str:
    return url_for("reports.receipt", token=receipt_token(draft.id)) if draft else _url(None)
