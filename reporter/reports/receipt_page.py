"""The page of a receipt: one look at the database, and what is shown of it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import current_app, render_template, url_for
from markupsafe import Markup, escape

from reporter.attachments import store as attachments
from reporter.database import get_database
from reporter.formats.skeleton import Slot, skeleton
from reporter.formats.words import day_and_time
from reporter.links import full_url
from reporter.mail.kind_words import kind_in_words
from reporter.notices import store as notices
from reporter.notices.notice import Notice
from reporter.report import Receipt, StoredFile
from reporter.reports.forms import MineForm, NewsForm, UpdateForm
from reporter.reports.receipts import SHOWN, find_or_404
from reporter.web.locale import current_language
from reporter.web.signatures import csrf_token


@dataclass(frozen=True)
class Look:
    """What one look at the database finds for a receipt's page."""

    token: str
    receipt: Receipt
    files: tuple[StoredFile, ...]
    notices: list[Notice]  # the one that it is linked to; else the open ones of its service

    def version(self, now: datetime) -> str:
        """Of what the page shows by itself: another one when there is something to see."""
        found = self.receipt
        told_at = [each.update.at.isoformat() for each in found.told[:1]]
        shown = [
            found.status(now),
            found.news_wanted,
            found.notice_id,
            found.solved_by_support,
            [found.report.text(name) for name in ("email", "phone")],
            found.answered_at and found.answered_at.isoformat(),
            found.unreachable_at is None,
            [[notice.key, len(notice.entries)] for notice in self.notices],
            [[mail.form, mail.is_late(now)] for mail in found.mails],
            told_at,
        ]
        return hashlib.sha256(json.dumps(shown).encode()).hexdigest()[:16]


def look_at(token: str, shown: int = SHOWN) -> Look:
    """A request for a receipt that is not there is answered 404."""
    with get_database().read() as session:
        found = find_or_404(session, token, shown)
        files = attachments.files_of(session, found.report_id)
        linked = notices.get(session, found.notice_id) if found.notice_id else None
        known = [linked] if linked else notices.active(session, found.report.text("service"))
    return Look(token, found, files, known)


def page(look: Look, form: UpdateForm) -> str:
    found, now = look.receipt, datetime.now(UTC)
    return render_template(
        "receipt/receipt.html",
        receipt=found,
        report=found.report,
        sections=found.report.sections[found.report.asked_in(current_language())],
        files=look.files,
        notices=look.notices,
        linked=found.notice_id is not None,
        form=form,
        update_form=_update_form(look.token, found.report.reference, form),
        news=NewsForm(),
        mine=MineForm(),
        token=look.token,
        link=full_url("reports.receipt", token=look.token),
        now=now,
        version=look.version(now),
        **_words(found),
    )


def _update_form(token: str, reference: str, form: UpdateForm) -> Markup:
    """The form that adds to a report: while nothing was typed, the same but for where it goes."""
    macros: Any = current_app.jinja_env.get_template("receipt/_update.html").module
    own = {"action": url_for("reports.updates", token=token), "reference": reference}
    language = current_language()
    if form.is_submitted():
        return Markup(macros.update(form, **own, language=language))  # noqa: S704 (a macro's)

    def render_open() -> str:
        form.csrf_token.current_token = Slot("csrf_token")
        return str(macros.update(form, **{name: Slot(name) for name in own}, language=language))

    values = {"csrf_token": csrf_token()} | {name: escape(value) for name, value in own.items()}
    filled = skeleton(("update", language), render_open).fill(values)
    return Markup(filled)  # noqa: S704 (what is filled in is escaped)


def _words(found: Receipt) -> dict[str, Any]:
    zone = found.report.zone
    return {
        "zone": zone,
        "at": lambda moment: day_and_time(moment.astimezone(zone)),
        "kind_in_words": kind_in_words,
    }
