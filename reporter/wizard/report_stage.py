"""The first stage: whose draft it is, what sending does, and where a sent one is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import abort, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from reporter.links import hash_token, new_token, receipt_token
from reporter.models import Channel
from reporter.notices import store
from reporter.notices.store import Notice
from reporter.reports.submission import is_kept, submit
from reporter.web.browser import Browser
from reporter.web.locale import current_language
from reporter.wizard import answers, drafts
from reporter.wizard.calls import is_operator
from reporter.wizard.drafts import Raw
from reporter.wizard.journey import Journey
from reporter.wizard.pages import filled_in_at
from reporter.wizard.stage import Forms, Stage
from reporter.wizard.step import Step
from reporter.wizard.steps import REPORT_STEPS


class ReportStage(Stage):
    """A new report. The draft's secret is in the cookie, and nothing else is."""

    steps = REPORT_STEPS
    mirrored_as = "report"

    def __init__(self, session: Session, slug: str = "") -> None:
        """*slug*: of the step that is to be shown."""
        self.browser = Browser()
        self.token = self.browser.draft
        self.is_sent = _is_sent(session, self.token)
        key = posted_key()
        if key and (self.token is None or self.is_sent):
            self.token, self.is_sent = key, _is_sent(session, key)
        super().__init__(session, hash_token(self.token) if self.token else None)
        asks = any(step.slug == slug and "service" in vars(step.form) for step in self.steps)
        self.known_incidents = store.shown(session) if asks else []

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
        self.browser.draft = self.token

    def send(self, forms: Forms, at: datetime) -> str:
        draft = self.draft or abort(404)
        channel = Channel.PHONE if is_operator() else Channel.WEB
        token = submit(draft.id, answers.report(draft, forms, current_language(), at, channel))
        self.browser.prefill = {}  # it was for this report, and not for the next caller's
        return receipt_url(token)

    def notices(self, step: Step) -> Sequence[Notice]:
        return self.known_incidents

    def words(self) -> dict[str, str]:
        return {
            "title": _("Check your answers"),
            "lead": _("Nothing has been sent yet."),
            "button": _("Send the report"),
        }

    def prefill(self, step: Step) -> Raw:
        return {k: [v] for k, v in self.browser.prefill.items() if hasattr(step.form, k)}

    def receipt(self) -> str | None:
        """Where the receipt is, when the draft was sent already."""
        if self.token is None or not self.is_sent:
            return None
        return receipt_url(receipt_token(hash_token(self.token)))

    def is_under_way(self) -> bool:
        """Whether something was answered and not sent."""
        return self.draft is not None and self.receipt() is None

    def restart(self) -> None:
        """Begin another report: the next answer makes a new draft."""
        self.sent_before = self.receipt()
        self.browser.leave_draft()
        self.token = self.draft_id = self.draft = None
        self.is_sent = False


def _is_sent(session: Session, token: str | None) -> bool:
    return token is not None and is_kept(session, hash_token(token))


def posted_key() -> str | None:
    """The key a browser made for its draft, of 160 random bits: it stands for the draft's token,
    which it may become before the browser has had an answer of ours, so that what it sends twice
    is one report."""
    key = request.form.get("draft_key", "")
    return key if re.fullmatch(r"\d{1,10}(-\d{1,10}){4}", key) else None


def receipt_url(token: str) -> str:
    return url_for("reports.receipt", token=token)
