"""The first stage: whose draft it is, what sending does, and where a sent one is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import abort, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from reporter.attachments import store as attachments
from reporter.attachments.store import Owner, files_of_draft
from reporter.database import get_database
from reporter.links import receipt_token
from reporter.models import Channel
from reporter.notices import store
from reporter.notices.notice import Notice
from reporter.report import StoredFile
from reporter.reports.store import of_draft
from reporter.reports.submission import submit
from reporter.surge.statistics import WINDOW
from reporter.web.bounds import source_hashes
from reporter.web.browser import Browser
from reporter.web.fields import Files
from reporter.web.locale import current_language
from reporter.web.question import questions
from reporter.wizard import answers, chosen_files, drafts
from reporter.wizard.calls import is_operator
from reporter.wizard.draft import Raw
from reporter.wizard.draft_keys import key_in, new_key, posted_key
from reporter.wizard.journey import Journey
from reporter.wizard.pages import filled_in_at
from reporter.wizard.stage import Forms, Stage
from reporter.wizard.step import Step, StepForm
from reporter.wizard.steps import REPORT_STEPS


class ReportStage(Stage):
    """A new report: of the draft that the page belongs to, by the key in its form or its address;
    else of the first of this browser."""

    steps = REPORT_STEPS
    mirrored_as = "report"

    def __init__(self, session: Session, slug: str = "", *, key: str = "") -> None:
        """*slug*: of the step that is to be shown."""
        self.browser = Browser()
        known = self.browser.drafts[:1]
        found = key or posted_key() or key_in(request.args) or "".join(known)
        self.key = found or new_key()
        draft_id = self.browser.draft_id(self.key)
        first_id = self.browser.draft_id(known[0]) if known else None
        # There is nothing to look for where it is new.
        seen = drafts.look(session, draft_id, first_id) if found or known else drafts.NOTHING
        super().__init__(draft_id, seen.draft)
        self.kept_hash = seen.kept_hash
        self.is_sent = self.kept_hash is not None
        self.sent = of_draft(session, self.draft_id) if self.is_sent else None
        self._first_is_sent = seen.first_is_sent
        self.files = files_of_draft(session, self.draft_id) if seen.has_files else ()
        self._notices: Sequence[Notice] | None = None
        if request.method == "GET" and any(_asks(each) for each in self.steps if each.slug == slug):
            self._notices = store.shown(session)

    def url(self, slug: str | None, **query: Any) -> str:
        if slug is None:
            return url_for("wizard.start")
        if not self._is_first():
            query["draft"] = self.key
        if slug == Journey.REVIEW:
            return url_for("wizard.review", **query)
        return url_for("wizard.step", slug=slug, **query)

    def keep(self, slug: str, raw: Raw, answered_at: datetime | None, flags: set[str]) -> None:
        first = self._is_first()
        drafts.save(self.draft_id, slug, raw, answered_at, flags, filled_in_at(), self.draft)
        self.browser.remember_draft(self.key, first=first)

    def send(self, forms: Forms, at: datetime) -> str:
        draft = self.draft or abort(404)
        channel = Channel.PHONE if is_operator() else Channel.WEB
        report = answers.report(draft, forms, current_language(), at, channel)
        sources = source_hashes(report, WINDOW)
        token = submit(draft.id, report, sources, has_files=bool(self.files))
        self.browser.prefill = {}  # it was for this report, and not for the next caller's
        return receipt_url(token)

    def context(self) -> dict[str, Any]:
        return {"kept_files": self.files}

    def keep_files(self) -> list[str]:
        problems = chosen_files.keep("screenshots", self._begun)
        if problems is None:
            return []
        self._look_at_files()
        return problems

    def _begun(self) -> Owner:
        """The draft, which may not be kept yet."""
        first = self._is_first()
        drafts.begin(self.draft_id, filled_in_at())
        self.browser.remember_draft(self.key, first=first)
        return Owner(draft_id=self.draft_id)

    def remove_file(self, attachment_id: int) -> None:
        if any(file.id == attachment_id for file in self.files):
            attachments.remove(Owner(draft_id=self.draft_id), attachment_id)
        self._look_at_files()

    def _look_at_files(self) -> None:
        with get_database().read() as session:
            self.files = files_of_draft(session, self.draft_id)

    def picture_url(self, file: StoredFile) -> str:
        """Where a browser finds it, to show it small; empty for what it cannot show."""
        if not file.is_picture:
            return ""
        return url_for("wizard.picture", attachment_id=file.id, draft=self.key)

    def notices(self, step: Step) -> Sequence[Notice]:
        if self._notices is None and _asks(step):  # shown again, after it was sent
            with get_database().read() as session:
                self._notices = store.shown(session)
        return self._notices or ()

    def words(self) -> dict[str, str]:
        return {
            "title": _("Check your answers"),
            "lead": _("Nothing has been sent yet."),
            "button": _("Send the report"),
        }

    def prefill(self, step: Step) -> Raw:
        known = self.browser.prefill if self._is_first() else {}
        return {k: [v] for k, v in known.items() if hasattr(step.form, k)}

    def receipt(self) -> str | None:
        """Where the receipt is, when the draft was sent already."""
        return receipt_url(receipt_token(self.draft_id, self.kept_hash)) if self.is_sent else None

    def is_sent_as(self, form: StepForm) -> bool:
        """Whether what was sent says what *form*, which was submitted, says again."""
        form.validate()
        said = {q.name: q.value(form) for q in questions(form) if not isinstance(q, Files)}
        return self.sent is not None and said.items() <= self.sent.answers.items()

    def is_under_way(self) -> bool:
        """Whether something was answered and not sent."""
        return self.draft is not None and self.receipt() is None

    def about(self) -> str:
        """What it is about, in the customer's words, for the page that names it."""
        first = self.stored(REPORT_STEPS[0].slug)
        return " ".join(first.raw.get("summary", [])) if first else ""

    def restart(self) -> None:
        """Start another report: the next answer makes a new draft."""
        self.sent_before = self.receipt()
        self.key = new_key()
        self.draft_id = self.browser.draft_id(self.key)
        self.draft = self.sent = None
        self.is_sent = False
        self.files = ()

    def _is_first(self) -> bool:
        """Whether the addresses of its pages need not name it."""
        known = self.browser.drafts
        if not known or self.key in known:
            return known[:1] in ([], [self.key])
        return self._first_is_sent


def _asks(step: Step) -> bool:
    """Whether it asks what fails."""
    return hasattr(step.form, "service")


def under_way(session: Session) -> list[ReportStage]:
    """What was begun in this browser and not sent, the last touched first."""
    begun = [ReportStage(session, key=key) for key in Browser().drafts]
    return sorted(
        (stage for stage in begun if stage.is_under_way()),
        key=lambda stage: str(stage.draft and stage.draft.updated_at),
        reverse=True,
    )


def receipt_url(token: str) -> str:
    return url_for("reports.receipt", token=token)
