"""The first stage: the start page, four steps, the review and the sending."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError

from reporter.extensions import limiter
from reporter.links import hash_token, new_token, receipt_token
from reporter.notices import store
from reporter.notices.store import Notice
from reporter.reports.report import PHONE, WEB
from reporter.reports.submission import is_kept, submit
from reporter.web.locale import current_language
from reporter.wizard import answers, drafts
from reporter.wizard.drafts import Raw
from reporter.wizard.journey import Journey
from reporter.wizard.pages import SendForm, filled_in_at, review_page, step_page
from reporter.wizard.stage import Forms, Stage
from reporter.wizard.step import Step
from reporter.wizard.steps import REPORT_STEPS

blueprint = Blueprint("wizard", __name__)

# A whole company may arrive from one address.
STEP_LIMIT = "600 per minute"
SEND_LIMIT = "120 per minute"
# What links from elsewhere may fill in, and how much of it.
PREFILLED = ("service", "affected", "customer_number")
PREFILL_LENGTH = 200


def is_operator() -> bool:
    """Whether support fills the form in this browser, during a call."""
    until: float = session.get("operator_until", 0)
    return until > datetime.now(UTC).timestamp()


class ReportStage(Stage):
    """A new report. The draft's secret is in the cookie, and nothing else is.

    A cookie session that outgrows 4 KB is dropped in silence.
    """

    steps = REPORT_STEPS
    mirrored_as = "report"

    def __init__(self) -> None:
        self.token: str | None = session.get("draft")
        key = posted_key()
        if key and (self.token is None or is_kept(hash_token(self.token))):
            self.token = key
        super().__init__(hash_token(self.token) if self.token else None)

    def url(self, slug: str | None, **query: Any) -> str:
        if slug is None:
            return url_for("wizard.start")
        if slug == Journey.REVIEW:
            return url_for("wizard.review")
        return url_for("wizard.step", slug=slug, **query)

    def keep(self, slug: str, raw: Raw, answered_at: datetime | None, flags: set[str]) -> None:
        self.token = self.token or new_token()
        self.draft_id = hash_token(self.token)
        drafts.save(self.draft_id, slug, raw, answered_at, flags, filled_in_at())
        session["draft"] = self.token
        session.permanent = True

    def send(self, forms: Forms, at: datetime) -> str:
        draft = self.draft or abort(404)
        channel = PHONE if is_operator() else WEB
        filing = answers.filing(draft, forms, current_language(), at, channel)
        token = submit(draft.id, filing, receipt_url)
        session.pop("prefill", None)  # it was for this report, and not for the next caller's
        return receipt_url(token)

    def notices(self, step: Step) -> Sequence[Notice]:
        return store.shown() if "service" in vars(step.form) else ()

    def words(self) -> dict[str, str]:
        return {
            "title": _("Check your answers"),
            "lead": _("Nothing has been sent yet."),
            "button": _("Send the report"),
        }

    def prefill(self, step: Step) -> Raw:
        asked: dict[str, str] = session.get("prefill", {})
        return {key: [value] for key, value in asked.items() if hasattr(step.form, key)}

    def receipt(self) -> str | None:
        """Where the receipt is, when the draft was sent already."""
        if self.draft_id is None or not is_kept(self.draft_id):
            return None
        return receipt_url(receipt_token(self.draft_id))

    def is_under_way(self) -> bool:
        """Whether something was answered and not sent."""
        return self.draft is not None and self.receipt() is None

    def restart(self) -> None:
        """Begin another report: the next answer makes a new draft."""
        self.sent_before = self.receipt()
        session.pop("draft", None)
        self.token = self.draft_id = self.draft = None


@blueprint.get("/")
def start() -> ResponseReturnValue:
    """What will be asked, and one button. `?service=&affected=&customer_number=` prefill."""
    prefill = {k: request.args[k][:PREFILL_LENGTH] for k in PREFILLED if request.args.get(k)}
    if prefill or is_operator():  # whose next caller is another customer
        session["prefill"] = prefill
    under_way = is_operator() and ReportStage().is_under_way()
    return render_template("wizard/start.html", steps=REPORT_STEPS, under_way=under_way)


@blueprint.post("/operator/call")
def new_call() -> ResponseReturnValue:
    """Begin a blank report for another caller; what was not sent of the last call is left."""
    if not SendForm().validate():
        raise CSRFError
    if is_operator():
        session.pop("draft", None)
        session["new_call"] = True
    return redirect(url_for("wizard.step", slug=REPORT_STEPS[0].slug), 303)


@blueprint.route("/report/<slug>", methods=["GET", "POST"])
@limiter.limit(STEP_LIMIT, methods=["POST"], exempt_when=is_operator)
def step(slug: str) -> ResponseReturnValue:
    """One step. After sending, the first one begins another report, and the rest are over."""
    stage = ReportStage()
    slugs = stage.journey().slugs
    if slug not in slugs:
        abort(404)
    receipt = stage.receipt()
    if receipt and (slug != slugs[0] or posted_key()):
        return redirect(receipt, 303)
    if receipt:
        stage.restart()
    if request.method == "GET" and slug == slugs[0]:
        stage.is_new_call = session.pop("new_call", False)
    return step_page(stage, slug)


@blueprint.route("/report/review", methods=["GET", "POST"])
@limiter.limit(SEND_LIMIT, methods=["POST"], exempt_when=is_operator)
def review() -> ResponseReturnValue:
    """Every answer; POST sends. Sending twice gives the same receipt."""
    stage = ReportStage()
    receipt = stage.receipt()
    return redirect(receipt, 303) if receipt else review_page(stage)


def posted_key() -> str | None:
    """The key a browser made for its draft, of 160 random bits: it stands for the draft's token,
    which it may become before the browser has had an answer of ours, so that what it sends twice
    is one report."""
    key = request.form.get("draft_key", "")
    return key if re.fullmatch(r"\d{1,10}(-\d{1,10}){4}", key) else None


def receipt_url(token: str) -> str:
    return url_for("reports.receipt", token=token)
