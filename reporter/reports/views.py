"""The receipt: how far a report has come, and what is added to it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import (
    Blueprint,
    abort,
    flash,
    jsonify,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import refresh

from reporter.attachments import store as attachments
from reporter.database import get_database
from reporter.extensions import limiter
from reporter.formats.words import day_and_time
from reporter.mail.ticket_text import kind_in_words
from reporter.models import UpdateKind
from reporter.notices import store as notices
from reporter.notices.store import Notice
from reporter.report import StoredFile
from reporter.reports import store
from reporter.reports.forms import MineForm, NewsForm, UpdateForm
from reporter.reports.receipts import Receipt, find_or_404
from reporter.reports.subscriptions import say_mine, want_news
from reporter.reports.updates import add_update
from reporter.web.locale import choose_language, current_language

blueprint = Blueprint("reports", __name__)

UPDATE_LIMIT = "60 per minute"
STATUS_LIMIT = "60 per minute"


@blueprint.get("/r/<token>")
def receipt(token: str) -> ResponseReturnValue:
    """The reference, how far the ticket has come, what happens next, and what was said."""
    return _page(_look(token), UpdateForm()), 200


@blueprint.route("/r/<token>/updates", methods=["GET", "POST"])
@limiter.limit(UPDATE_LIMIT, methods=["POST"])
def updates(token: str) -> ResponseReturnValue:
    """Add one of updates.KINDS to the report: `kind` and `text`.

    POST with `lang` shows what was typed in that language; GET, as by a reload, the receipt.
    """
    if request.method != "POST":
        return _to_receipt(token)
    look = _look(token)
    if "lang" in request.form:
        choose_language(request.form["lang"])
        refresh()
        form = UpdateForm()
        typed = form.kind.data or form.text.data
        return _page(look, form) if typed else _to_receipt(token)
    form = UpdateForm()
    if not form.validate_on_submit():
        return _page(look, form), 422
    kind, text = UpdateKind(form.kind.data), form.text.data or ""
    add_update(look.receipt.report_id, kind, text, datetime.now(UTC))
    flash(_("It is saved and on its way to support."))
    return _to_receipt(token)


@blueprint.route("/r/<token>/news", methods=["GET", "POST"])
@limiter.limit(UPDATE_LIMIT, methods=["POST"])
def news(token: str) -> ResponseReturnValue:
    """Ask for mails when support has news (`wanted` = yes), or stop them (no).

    GET, as by a reload, shows the receipt.
    """
    form = NewsForm()
    wanted = form.validate_on_submit()
    with get_database().transaction(writes=wanted) as session:
        row = store.by_token(session, token) or abort(404)
        if wanted:
            row = store.lock(session, row.id)
            want_news(session, row, form.wanted.data == "yes", datetime.now(UTC))
    return _to_receipt(token)


@blueprint.route("/r/<token>/notice", methods=["GET", "POST"])
@limiter.limit(UPDATE_LIMIT, methods=["POST"])
def mine(token: str) -> ResponseReturnValue:
    """Say that it is the known incident `notice`; with `news` = yes, be mailed of it.

    GET, as by a reload, shows the receipt.
    """
    form = MineForm()
    said = form.validate_on_submit()
    with get_database().transaction(writes=said) as session:
        row = store.by_token(session, token) or abort(404)
        if said:
            row = store.lock(session, row.id)
            notice = notices.row_of(session, form.notice.data or "") or abort(404)
            say_mine(session, row, notice, form.news.data == "yes", datetime.now(UTC))
    return _to_receipt(token)


@blueprint.get("/r/<token>/status.json")
@limiter.limit(STATUS_LIMIT)
def status(token: str) -> ResponseReturnValue:
    """Times in ISO 8601, UTC, or null. The ETag tells also when a known incident has news."""
    look = _look(token)
    status = look.receipt.status(datetime.now(UTC))
    response = jsonify(status)
    told = [f"{notice.key} {len(notice.entries)}" for notice in look.notices]
    version = json.dumps([status, told])
    response.set_etag(hashlib.sha256(version.encode()).hexdigest()[:16])
    return response


@dataclass(frozen=True)
class _Look:
    """What one look at the database finds for a receipt's page."""

    token: str
    receipt: Receipt
    files: tuple[StoredFile, ...]
    notices: list[Notice]  # the one that it is linked to; else the open ones of its service


def _look(token: str) -> _Look:
    with get_database().read() as session:
        found = find_or_404(session, token)
        files = attachments.files_of(session, found.report_id)
        linked = notices.get(session, found.notice_id) if found.notice_id else None
        known = [linked] if linked else notices.active(session, found.report.text("service"))
    return _Look(token, found, files, known)


def _page(look: _Look, form: UpdateForm) -> str:
    found = look.receipt
    return render_template(
        "receipt/receipt.html",
        receipt=found,
        report=found.report,
        sections=found.report.sections[found.language(current_language())],
        files=look.files,
        notices=look.notices,
        linked=found.notice_id is not None,
        form=form,
        news=NewsForm(),
        mine=MineForm(),
        token=look.token,
        now=datetime.now(UTC),
        **_words(found),
    )


def _to_receipt(token: str) -> ResponseReturnValue:
    return redirect(url_for("reports.receipt", token=token), 303)


def _words(found: Receipt) -> dict[str, Any]:
    zone = found.report.zone
    return {
        "zone": zone,
        "at": lambda moment: day_and_time(moment.astimezone(zone)),
        "kind_in_words": kind_in_words,
    }
