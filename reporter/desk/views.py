"""The desk: one report on one page, opened by the link in its ticket.

GET shows and changes nothing, so that programs that follow the links of mails do no harm.
"""

from __future__ import annotations

from datetime import UTC, datetime

from flask import (
    Blueprint,
    abort,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from reporter import models
from reporter.database import get_database
from reporter.desk import actions, operators
from reporter.desk.forms import DeskForm, notice_options
from reporter.mail.ticket_text import kind_in_words
from reporter.models import UpdateKind
from reporter.notices import store as notices
from reporter.notices.links import notice_desk_url, open_notice_url
from reporter.reports import desk_links, store
from reporter.web.browser import Browser
from reporter.web.locale import current_language

blueprint = Blueprint("desk", __name__)


@blueprint.route("/desk/<signed>", methods=["GET", "POST"])
def desk(signed: str) -> ResponseReturnValue:
    """Everything about one report; POST with `action` does one of actions.ACTIONS."""
    form = DeskForm(name=Browser().desk_name)
    valid = form.validate_on_submit()
    with get_database().write() as db_session:
        row = desk_links.find(db_session, signed)
        if row is None:
            return render_template("desk/expired.html"), 404
        form.notice.choices = notice_options(row.service)
        if valid:
            Browser().desk_name = form.name.data
            _act(db_session, row, form)
            if not form.has_unsent_words():
                return redirect(url_for("desk.desk", signed=signed), 303)
        return _page(row, form), (422 if form.errors else 200)


@blueprint.get("/operator/<signed>")
def operator(signed: str) -> ResponseReturnValue:
    """Take reports by phone in this browser, until the end of the shift."""
    if not operators.begin(signed):
        return render_template("desk/expired.html"), 404
    return redirect(url_for("wizard.start"), 303)


@blueprint.post("/operator/end")
def end_operator() -> ResponseReturnValue:
    """Back to an ordinary browser."""
    operators.end()
    return redirect(url_for("wizard.start"), 303)


def _act(db_session: Session, row: models.Report, form: DeskForm) -> None:
    row = store.lock(db_session, row.id)  # two may press at once, and the customer too
    name, text, now = form.name.data, form.text.data, datetime.now(UTC)
    match UpdateKind(form.action.data):
        case UpdateKind.ACKNOWLEDGE:
            actions.mark_seen(db_session, row, name, now)
        case UpdateKind.MESSAGE:
            actions.message(db_session, row, name, text, form.next_news_at.moment, now)
        case UpdateKind.SOLVE:
            actions.solve(db_session, row, name, text, now)
        case UpdateKind.REOPEN:
            actions.reopen(db_session, row, name, text, form.next_news_at.moment, now)
        case UpdateKind.LINK_NOTICE:
            notice = notices.row_of(db_session, form.notice.data) or abort(404)
            actions.link_notice(db_session, row, notice, name, now)


def _page(row: models.Report, form: DeskForm) -> str:
    report = store.to_value(row)
    language = current_language()
    form.text.hint = _reach(row)
    notice = notices.get(row.notice_id) if row.notice_id else None
    return render_template(
        "desk/desk.html",
        row=row,
        report=report,
        sections=report.sections.get(language) or report.sections[report.language],
        form=form,
        updates=list(reversed(row.updates)),
        notice=notice,
        notice_desk=notice and notice_desk_url(notice.key),
        open_notice=open_notice_url(
            row.service, report.started_at or row.saved_at, (row.reference, row.desk_epoch)
        ),
        action=request.path,
        unsent=form.is_submitted() and form.has_unsent_words(),
        kind_in_words=kind_in_words,
    )


def _reach(row: models.Report) -> str:
    """How a message gets to the customer."""
    if row.news_wanted:
        return str(_("It is shown on the receipt and goes out by email."))
    return str(
        _(
            "It is shown on the receipt. No email goes out: the customer did not ask for any. "
            "To reach them now, reply to the ticket or call."
        )
    )
