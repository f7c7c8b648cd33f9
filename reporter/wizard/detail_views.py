"""The second stage: what helps more in an important incident, from the receipt."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from reporter.attachments import store as attachments
from reporter.attachments.store import Owner
from reporter.database import get_database
from reporter.report import StoredFile
from reporter.reports.receipts import find_or_404
from reporter.reports.updates import add_details
from reporter.web import bounds
from reporter.web.guards import limiter
from reporter.wizard import answers, chosen_files, drafts
from reporter.wizard.detail_steps import ASKED_DETAIL_STEPS, DETAIL_STEPS
from reporter.wizard.draft import Raw
from reporter.wizard.journey import Journey
from reporter.wizard.pages import SendForm, review_page, step_page
from reporter.wizard.stage import Forms, Stage

blueprint = Blueprint("details", __name__, url_prefix="/r/<token>/details")

STEP_LIMIT = "600 per minute"


class DetailsStage(Stage):
    """More about a report. No question must be answered, so its pages come in any order."""

    steps = ASKED_DETAIL_STEPS
    any_order = True

    def __init__(self, session: Session, token: str) -> None:
        receipt = find_or_404(session, token)
        self.token = token
        self.receipt = receipt
        draft_id = f"details-{receipt.draft_id}"
        super().__init__(draft_id, drafts.load(session, draft_id))
        self.reference = receipt.report.reference
        self.mirrored_as = f"details-{self.reference}"
        self.owner = Owner(receipt.report_id, reference=self.reference)
        self.files = _of_details(session, receipt.report_id)

    def url(self, slug: str | None, **query: Any) -> str:
        if slug is None:
            return url_for("reports.receipt", token=self.token)
        if slug == Journey.REVIEW:
            return url_for("details.review", token=self.token)
        return url_for("details.step", token=self.token, slug=slug, **query)

    def context(self) -> dict[str, Any]:
        return {
            "report_zone": self.receipt.report.zone,
            "report_saved_at": self.receipt.saved_at,
            "kept_files": self.files,
        }

    def words(self) -> dict[str, str]:
        return {
            "title": _("Check the details"),
            "lead": _("None of this has been sent yet. You can also add more later."),
            "button": _("Send the details"),
        }

    def keep(self, slug: str, raw: Raw, answered_at: datetime | None, flags: set[str]) -> None:
        drafts.save(self.draft_id, slug, raw, answered_at, flags, seen=self.draft)

    def keep_files(self) -> list[str]:
        problems = chosen_files.keep("files", lambda: self.owner)
        if problems is None:
            return []
        self._look_at_files()
        return problems

    def picture_url(self, file: StoredFile) -> str:
        if not file.is_picture:
            return ""
        return url_for("downloads.picture", token=self.token, attachment_id=file.id)

    def remove_file(self, attachment_id: int) -> None:
        if any(file.id == attachment_id for file in self.files):
            attachments.remove(self.owner, attachment_id)
        self._look_at_files()

    def _look_at_files(self) -> None:
        with get_database().read() as session:
            self.files = _of_details(session, self.receipt.report_id)

    def send(self, forms: Forms, at: datetime) -> str:
        in_order = [forms[step.slug] for step in DETAIL_STEPS]
        sections = answers.in_every_language(in_order, at)
        if add_details(self.receipt.report_id, sections, at):
            flash(_("Your details are saved and on their way to support."))
        else:
            flash(_("There is nothing new to send."))
        return self.url(None)


def _of_details(session: Session, report_id: int) -> tuple[StoredFile, ...]:
    """Without those that came with the report itself."""
    files = attachments.files_of(session, report_id)
    return tuple(file for file in files if file.question == "files")


@blueprint.route("/<slug>", methods=["GET", "POST"])
@limiter.limit(STEP_LIMIT, methods=["POST"])
def step(token: str, slug: str) -> ResponseReturnValue:
    """One step. POST with `remove` forgets a file that was not sent yet."""
    if request.mimetype == "multipart/form-data":  # whose text has its own limit
        request.max_content_length = bounds.FILES_BODY_BYTES
    stage = _stage(token)
    if slug not in stage.journey().slugs:
        abort(404)
    return step_page(stage, slug)


@blueprint.route("/review", methods=["GET", "POST"])
@limiter.limit(STEP_LIMIT, methods=["POST"])
def review(token: str) -> ResponseReturnValue:
    """Every answer; POST sends what is new. POST with `remove` forgets a file."""
    stage = _stage(token)
    if "remove" in request.form and SendForm().validate():
        stage.remove_file(request.form.get("remove", 0, type=int))
        return redirect(f"{stage.url(Journey.REVIEW)}#s-evidence", 303)  # where it stood
    return review_page(stage)


def _stage(token: str) -> DetailsStage:
    with get_database().read() as session:
        return DetailsStage(session, token)
