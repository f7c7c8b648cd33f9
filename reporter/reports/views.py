"""The receipt: how far a report has come, and what is added to it."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import (
    Blueprint,
    abort,
    current_app,
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
from flask_wtf import FlaskForm
from flask_wtf.csrf import CSRFError
from markupsafe import Markup, escape
from sqlalchemy.orm import Session

from reporter.attachments import store as attachments
from reporter.database import get_database
from reporter.delivery import beforehand
from reporter.formats.words import day_and_time
from reporter.links import full_url, hash_token, replaced_receipt_token
from reporter.mail.ticket_text import kind_in_words
from reporter.models import UpdateKind
from reporter.notices import store as notices
from reporter.notices.store import Notice
from reporter.report import Receipt, StoredFile
from reporter.reports import store
from reporter.reports.forms import MineForm, NewsForm, UpdateForm
from reporter.reports.receipts import ALL_SHOWN, SHOWN, find_or_404
from reporter.reports.subscriptions import say_mine, want_news
from reporter.reports.updates import add_update
from reporter.web.guards import limiter
from reporter.web.locale import choose_language, current_language
from reporter.web.signatures import csrf_token
from reporter.web.skeleton import Slot, skeleton

blueprint = Blueprint("reports", __name__)

UPDATE_LIMIT = "60 per minute"
STATUS_LIMIT = "60 per minute"


# What ends a sentence, or encloses a link in it, and no token.
AFTER_A_LINK = re.compile(r"[^A-Za-z0-9_-]+$")


@blueprint.get("/r/<token>")
@blueprint.get("/r/<token>/", endpoint="receipt_with_slash")
def receipt(token: str) -> ResponseReturnValue:
    """The reference, how far the ticket has come, what happens next, and what was said.

    A link that was copied with what stands behind it opens too. With `earlier`, all that was said.
    """
    bare = AFTER_A_LINK.sub("", token)
    if bare != token or request.path.endswith("/"):
        return redirect(url_for("reports.receipt", token=bare or abort(404)))
    shown = ALL_SHOWN if "earlier" in request.args else SHOWN
    return _page(_look(token, shown), UpdateForm()), 200


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
    flash(_("It is saved and on its way to support."), "add")
    return _to_receipt(token)


@blueprint.route("/r/<token>/news", methods=["GET", "POST"])
@limiter.limit(UPDATE_LIMIT, methods=["POST"])
def news(token: str) -> ResponseReturnValue:
    """Ask for mails when support has news (`wanted` = yes), or stop them (no).

    GET, as by a reload, shows the receipt.
    """
    form, now = NewsForm(), datetime.now(UTC)
    if not form.validate_on_submit():
        return _to_receipt(token)
    wanted = form.wanted.data == "yes"

    def want(session: Session) -> bool:
        row = store.by_token(session, token) or abort(404)
        want_news(session, store.lock(session, row.id), wanted, now)
        return row.notice_id is not None

    linked = beforehand.write(get_database(), want)
    if wanted:
        flash(_("We will email you when there is an update."))
        if linked:
            flash(_confirmation())
    else:
        flash(_("We will not email you updates any more."))
    return _to_receipt(token)


@blueprint.route("/r/<token>/replace", methods=["GET", "POST"])
@limiter.limit(UPDATE_LIMIT, methods=["POST"])
def replace(token: str) -> ResponseReturnValue:
    """Give the page another link: the one that came into wrong hands opens nothing any more.

    GET, as by a reload, shows the receipt.
    """
    if request.method != "POST":
        return _to_receipt(token)
    if not FlaskForm().validate():
        raise CSRFError
    with get_database().write() as session:
        row = store.by_token(session, token) or abort(404)
        row = store.lock(session, row.id)
        another = replaced_receipt_token(row.draft_id, row.token_hash)
        if another:
            row.token_hash = hash_token(another)
    if another is None:
        flash(_("The link has been replaced too often. Call us instead."))
        return _to_receipt(token)
    flash(_("This page has a new link now, and the old one no longer works. Keep this one."))
    return _to_receipt(another)


@blueprint.route("/r/<token>/notice", methods=["GET", "POST"])
@limiter.limit(UPDATE_LIMIT, methods=["POST"])
def mine(token: str) -> ResponseReturnValue:
    """Say that it is the known incident `notice`; with `news` = yes, be mailed of it.

    GET, as by a reload, shows the receipt.
    """
    form, now = MineForm(), datetime.now(UTC)
    if not form.validate_on_submit():
        return _to_receipt(token)

    def say(session: Session) -> bool:
        row = store.by_token(session, token) or abort(404)
        notice = notices.row_of(session, form.notice.data or "") or abort(404)
        row = store.lock(session, row.id)
        say_mine(session, row, notice, form.news.data == "yes", now)
        return row.notice_id == notice.id

    if beforehand.write(get_database(), say):
        flash(_("We have linked your report to the known incident."))
        if form.news.data == "yes":
            flash(_confirmation())
    return _to_receipt(token)


@blueprint.get("/r/<token>/status.json")
@limiter.limit(STATUS_LIMIT)
def status(token: str) -> ResponseReturnValue:
    """Times in ISO 8601, UTC, or null. The ETag is the version of the page it was asked from."""
    look, now = _look(token), datetime.now(UTC)
    response = jsonify(look.receipt.status(now))
    response.set_etag(look.version(now))
    return response


@dataclass(frozen=True)
class _Look:
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
            found.answered_at and found.answered_at.isoformat(),
            found.unreachable_at is None,
            [[notice.key, len(notice.entries)] for notice in self.notices],
            [[mail.form, mail.is_late(now)] for mail in found.mails],
            told_at,
        ]
        return hashlib.sha256(json.dumps(shown).encode()).hexdigest()[:16]


def _look(token: str, shown: int = SHOWN) -> _Look:
    with get_database().read() as session:
        found = find_or_404(session, token, shown)
        files = attachments.files_of(session, found.report_id)
        linked = notices.get(session, found.notice_id) if found.notice_id else None
        known = [linked] if linked else notices.active(session, found.report.text("service"))
    return _Look(token, found, files, known)


def _page(look: _Look, form: UpdateForm) -> str:
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
    page = skeleton(("update", language), render_open).fill(values)
    return Markup(page)  # noqa: S704 (what is filled in is escaped)


def _confirmation() -> str:
    """The same for everybody: it tells nobody whether an address was confirmed before."""
    return str(
        _(
            "For the updates on the known incident, an email asks you to confirm your address, "
            "unless you have done so before."
        )
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
