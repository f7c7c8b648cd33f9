"""The first stage's pages: the start page, four steps, the review and the sending."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, abort, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError

from reporter.attachments import store as attachments
from reporter.database import get_database
from reporter.formats.skeleton import skeleton
from reporter.notices import store
from reporter.notices.notice import Notice
from reporter.reports.downloads import as_picture
from reporter.web import bounds
from reporter.web.browser import Browser
from reporter.web.guards import limiter
from reporter.web.locale import current_language
from reporter.wizard import drafts
from reporter.wizard.calls import is_operator
from reporter.wizard.draft_keys import new_key
from reporter.wizard.pages import SendForm, review_page, step_page
from reporter.wizard.report_stage import ReportStage, under_way
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
FLASHES = "_flashes"  # where Flask keeps what `flash` says, until it is shown


@blueprint.get("/")
def start() -> ResponseReturnValue:
    """What will be asked, and one button. `?service=&affected=&customer_number=` prefill."""
    prefill = {k: request.args[k][:PREFILL_LENGTH] for k in PREFILLED if request.args.get(k)}
    browser = Browser()
    if is_operator():  # whose next caller is another customer
        browser.prefill = prefill
    elif prefill and prefill != browser.prefill:  # of something new
        browser.prefill = prefill
        browser.remember_draft(new_key(), first=True)
    # Both can be done without: this page is there whatever the database does.
    found = get_database().glances.look(lambda db: (under_way(db), store.active(db)))
    begun, notices = found or ([], [])
    if begun or notices or request.args or FLASHES in session or is_operator():
        return _start(begun, notices)
    return skeleton(("start", current_language()), lambda: _start([], [])).fill({})


def _start(begun: Sequence[ReportStage], notices: Sequence[Notice]) -> str:
    return render_template(
        "wizard/start.html",
        steps=REPORT_STEPS,
        notices=notices,
        under_way=[(stage, stage.about()) for stage in begun],
        another=url_for("wizard.step", slug=REPORT_STEPS[0].slug, draft=new_key()),
        forget=SendForm(),
    )


@blueprint.post("/report/forget")
def forget() -> ResponseReturnValue:
    """Forget what this browser has typed and not sent, here and, by the script, there."""
    if not SendForm().validate():
        raise CSRFError
    browser = Browser()
    drafts.remove([browser.draft_id(key) for key in browser.drafts])
    browser.forget()
    flash(_("We have deleted what you typed and had not sent."), "forgotten")
    response = redirect(url_for("wizard.start"), 303)
    # Not "cookies": that would sign customers out of whatever else the provider has on this site.
    response.headers["Clear-Site-Data"] = '"storage"'
    return response


@blueprint.route("/report/<slug>", methods=["GET", "POST"])
@limiter.limit(lambda: STAFF_LIMIT if is_operator() else STEP_LIMIT, methods=["POST"])
def step(slug: str) -> ResponseReturnValue:
    """One step. After sending, the first one begins another report, and the rest are over."""
    if request.mimetype == "multipart/form-data":  # whose text has its own limit
        request.max_content_length = bounds.FILES_BODY_BYTES
    with get_database().read() as session:
        stage = ReportStage(session, slug)
    slugs = stage.journey().slugs
    if slug not in slugs:
        abort(404)
    receipt = stage.receipt()
    if receipt and request.method == "POST":
        form = next(step.form for step in REPORT_STEPS if step.slug == slug)
        if stage.is_sent_as(form()):
            return redirect(receipt, 303)
    elif receipt and slug != slugs[0]:
        return redirect(receipt, 303)
    if receipt:  # what is typed now was not sent
        stage.restart()
    if request.method == "GET" and slug == slugs[0]:
        stage.is_new_call = stage.browser.take_new_call()
    return step_page(stage, slug)


@blueprint.get("/report/pictures/<int(max=2147483647):attachment_id>")
def picture(attachment_id: int) -> ResponseReturnValue:
    """A picture of a draft of this browser's, to be shown to it alone."""
    with get_database().read() as session:
        stage = ReportStage(session)
        found = attachments.read(session, None, attachment_id, stage.draft_id) or abort(404)
    return as_picture(*found)


@blueprint.route("/report/review", methods=["GET", "POST"])
@limiter.limit(lambda: STAFF_LIMIT if is_operator() else SEND_LIMIT, methods=["POST"])
def review() -> ResponseReturnValue:
    """Every answer; POST sends. Sending twice gives the same receipt."""
    with get_database().read() as session:
        stage = ReportStage(session)
    receipt = stage.receipt()
    return redirect(receipt, 303) if receipt else review_page(stage)
