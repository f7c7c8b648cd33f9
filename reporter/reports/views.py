"""The receipt: how far a report has come, and what is added to it."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from flask import (
    Blueprint,
    abort,
    flash,
    jsonify,
    redirect,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import refresh
from flask_wtf import FlaskForm
from flask_wtf.csrf import CSRFError
from sqlalchemy.orm import Session

from reporter import models
from reporter.database import get_database
from reporter.delivery import beforehand
from reporter.links import hash_token, replaced_receipt_token
from reporter.models import UpdateKind
from reporter.notices import store as notices
from reporter.reports import store
from reporter.reports.forms import MineForm, NewsForm, UpdateForm
from reporter.reports.receipt_page import look_at, page
from reporter.reports.receipts import ALL_SHOWN, SHOWN
from reporter.reports.subscriptions import say_mine, want_news
from reporter.reports.updates import add_update
from reporter.web.guards import limiter
from reporter.web.locale import choose_language

blueprint = Blueprint("reports", __name__)

UPDATE_LIMIT = "60 per minute"
STATUS_LIMIT = "60 per minute"


# What ends a sentence, or encloses a link in it, and no token.
AFTER_A_LINK = re.compile(r"[^A-Za-z0-9_-]+$")


@blueprint.get("/r/<token>")
def receipt(token: str) -> ResponseReturnValue:
    """The reference, how far the ticket has come, what happens next, and what was said.

    A link that was copied with what stands behind it opens too. With `earlier`, all that was said.
    """
    bare = AFTER_A_LINK.sub("", token)
    if bare != token:
        return redirect(url_for("reports.receipt", token=bare or abort(404)))
    shown = ALL_SHOWN if "earlier" in request.args else SHOWN
    return page(look_at(token, shown), UpdateForm()), 200


@blueprint.route("/r/<token>/updates", methods=["GET", "POST"])
@limiter.limit(UPDATE_LIMIT, methods=["POST"])
def updates(token: str) -> ResponseReturnValue:
    """Add one of updates.KINDS to the report: `kind` and `text`.

    POST with `lang` shows what was typed in that language; GET, as by a reload, the receipt.
    """
    if request.method != "POST":
        return _to_receipt(token)
    look = look_at(token)
    if "lang" in request.form:
        choose_language(request.form["lang"])
        refresh()
        form = UpdateForm()
        typed = form.kind.data or form.text.data
        return page(look, form) if typed else _to_receipt(token)
    form = UpdateForm()
    if not form.validate_on_submit():
        return page(look, form), 422
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
        row = _lock(session, token)
        want_news(session, row, wanted, now)
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
        row = _lock(session, token)
        another = replaced_receipt_token(row.draft_id, row.token_hash)
        if another:
            row.token_hash = hash_token(another)
    if another is None:
        flash(_("The link has been replaced too many times. Call us instead."))
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

    def say(session: Session) -> tuple[bool, bool]:
        row = _lock(session, token)
        notice = notices.row_of(session, form.notice.data or "") or abort(404)
        say_mine(session, row, notice, form.news.data == "yes", now)
        return row.notice_id is not None, row.notice_id == notice.id

    is_linked, to_this_one = beforehand.write(get_database(), say)
    if is_linked:
        flash(_("We have linked your report to the known incident."))
    else:
        flash(_("That known incident is over, so your report is not linked to it."))
    if to_this_one and form.news.data == "yes":
        flash(_confirmation())
    return _to_receipt(token)


@blueprint.get("/r/<token>/status.json")
@limiter.limit(STATUS_LIMIT)
def status(token: str) -> ResponseReturnValue:
    """Times in ISO 8601, UTC, or null. The ETag is the version of the page it was asked from."""
    look, now = look_at(token), datetime.now(UTC)
    response = jsonify(look.receipt.status(now))
    response.set_etag(look.version(now))
    return response


def _confirmation() -> str:
    """The same for everybody: it tells nobody whether an address was confirmed before."""
    return str(
        _(
            "For the updates on the known incident, an email asks you to confirm your address, "
            "unless you have done so before."
        )
    )


def _lock(session: Session, token: str) -> models.Report:
    """The report of a receipt, which nobody else changes until the transaction ends."""
    row = store.by_token(session, token) or abort(404)
    return store.lock(session, row.id)


def _to_receipt(token: str) -> ResponseReturnValue:
    return redirect(url_for("reports.receipt", token=token), 303)
