"""The first stage's pages: the start page, four steps, the review and the sending."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, render_template, request
from flask.typing import ResponseReturnValue

from reporter.database import get_database
from reporter.extensions import limiter
from reporter.notices import store
from reporter.web.browser import Browser
from reporter.wizard.calls import is_operator
from reporter.wizard.pages import review_page, step_page
from reporter.wizard.report_stage import ReportStage, posted_key
from reporter.wizard.steps import REPORT_STEPS

blueprint = Blueprint("wizard", __name__)

# A whole company may arrive from one address.
STEP_LIMIT = "600 per minute"
SEND_LIMIT = "120 per minute"
# For support, which types what many callers say.
STAFF_LIMIT = "3000 per minute"
# What links from elsewhere may fill in, and how much of it.
PREFILLED = ("service", "affected", "customer_number")
PREFILL_LENGTH = 200


@blueprint.get("/")
def start() -> ResponseReturnValue:
    """What will be asked, and one button. `?service=&affected=&customer_number=` prefill."""
    prefill = {k: request.args[k][:PREFILL_LENGTH] for k in PREFILLED if request.args.get(k)}
    if prefill or is_operator():  # whose next caller is another customer
        Browser().prefill = prefill
    with get_database().read() as session:
        under_way = is_operator() and ReportStage(session).is_under_way()
        notices = store.shown(session)
    return render_template(
        "wizard/start.html", steps=REPORT_STEPS, notices=notices, under_way=under_way
    )


@blueprint.route("/report/<slug>", methods=["GET", "POST"])
@limiter.limit(lambda: STAFF_LIMIT if is_operator() else STEP_LIMIT, methods=["POST"])
def step(slug: str) -> ResponseReturnValue:
    """One step. After sending, the first one begins another report, and the rest are over."""
    with get_database().read() as session:
        stage = ReportStage(session, slug)
    slugs = stage.journey().slugs
    if slug not in slugs:
        abort(404)
    receipt = stage.receipt()
    if receipt and (slug != slugs[0] or posted_key()):
        return redirect(receipt, 303)
    if receipt:
        stage.restart()
    if request.method == "GET" and slug == slugs[0]:
        stage.is_new_call = stage.browser.take_new_call()
    return step_page(stage, slug)


@blueprint.route("/report/review", methods=["GET", "POST"])
@limiter.limit(lambda: STAFF_LIMIT if is_operator() else SEND_LIMIT, methods=["POST"])
def review() -> ResponseReturnValue:
    """Every answer; POST sends. Sending twice gives the same receipt."""
    with get_database().read() as session:
        stage = ReportStage(session)
    receipt = stage.receipt()
    return redirect(receipt, 303) if receipt else review_page(stage)
