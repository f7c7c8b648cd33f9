"""The desk: the board, and one report on one page.

GET shows and changes nothing, so that programs that follow the links of mails do no harm.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from reporter import models
from reporter.attachments.store import files_of
from reporter.attachments.store import read as read_file
from reporter.desk import actions, contact, mails
from reporter.desk.asked import Asked
from reporter.desk.board import PAGE
from reporter.desk.board import known as board_known
from reporter.desk.board import latest as board_latest
from reporter.desk.board import lines as board_lines
from reporter.desk.forms import DeskForm, notice_options
from reporter.desk.words import age, clock, promised, state_names
from reporter.formats.reference import parse_reference
from reporter.links import new_notice_url, notice_desk_url
from reporter.mail.kind_words import kind_in_words
from reporter.models import UpdateKind
from reporter.notices import store as notices
from reporter.report import Report
from reporter.reports import store
from reporter.reports.receipts import ALL_SHOWN, SHOWN
from reporter.staff import kept
from reporter.staff.signed_in import acting, look_or_change, support
from reporter.web.locale import current_language

blueprint = Blueprint("desk", __name__)


@blueprint.get("/desk")
def board() -> ResponseReturnValue:
    """The open reports: `?state=&service=&severity=&q=&page=`."""
    services = [each["id"] for each in current_app.config["SERVICES"]]
    asked, now = Asked.of(request.args, services), datetime.now(UTC)
    with support() as db_session:
        lines = board_lines(db_session, asked, now)
        known = board_known(db_session)
        latest = board_latest(db_session, services, now)
    return render_template(
        "desk/board.html",
        asked=asked,
        lines=lines[:PAGE],
        more=len(lines) > PAGE,
        known=known,
        latest=latest,
        services=services,
        states=state_names(),
        now=now,
        clock=clock,
        promised=promised,
        age=age,
    )


@blueprint.route("/desk/<reference>", methods=["GET", "POST"])
def report(reference: str) -> ResponseReturnValue:
    """Everything about one report; POST with `action` does one of actions.ACTIONS."""
    now = datetime.now(UTC)
    page = look_or_change(lambda db_session: _show(db_session, reference, now))
    if page is None:
        return redirect(url_for("desk.report", reference=parse_reference(reference)), 303)
    return render_template("desk/desk.html", **page), (422 if page["form"].errors else 200)


@blueprint.get("/desk/<reference>/files/<int(max=2147483647):attachment_id>")
def file(reference: str, attachment_id: int) -> ResponseReturnValue:
    """A file of the customer's, as a download and as no type that a browser would show."""
    with support() as db_session:
        row = _row(db_session, reference)
        stored, content = read_file(db_session, row.id, attachment_id) or abort(404)
    response = Response(content, mimetype="application/octet-stream")
    response.headers.set("Content-Disposition", "attachment", filename=stored.filename)
    return response


def _row(db_session: Session, reference: str) -> models.Report:
    try:
        wanted = parse_reference(reference)
    except ValueError:
        abort(404)
    return store.by_reference(db_session, wanted) or abort(404)


def _show(db_session: Session, reference: str, now: datetime) -> dict[str, Any] | None:
    """What the page shows, once what was pressed is done; None where nothing is left to show."""
    row = _row(db_session, reference)
    form = DeskForm(formdata=kept.typed(db_session, now))
    form.notice.choices = notice_options(db_session, row.service)
    if form.validate_on_submit():
        _act(db_session, row, form, now)
        kept.drop(db_session)
        if not form.has_unsent_words():
            return None
    return _page(db_session, row, form)


def _act(db_session: Session, row: models.Report, form: DeskForm, now: datetime) -> None:
    row = store.lock(db_session, row.id)  # two may press at once, and the customer too
    name, text = acting(db_session, now), form.text.data
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
            actions.link_notice(db_session, [row], notice, name, now)
        case UpdateKind.CONTACT:
            phone = form.phone.value(form)
            contact.mend(db_session, row, name, form.email.data, str(phone or ""), now)


def _page(db_session: Session, row: models.Report, form: DeskForm) -> dict[str, Any]:
    report = store.to_value(db_session, row)
    form.text.hint = _reach(row, report)
    if form.action.data != UpdateKind.CONTACT:
        form.email.data, form.phone.data = report.text("email"), report.text("phone")
    notice = notices.get(db_session, row.notice_id) if row.notice_id else None
    shown = ALL_SHOWN if "earlier" in request.args else SHOWN
    updates = store.latest_updates(db_session, row, shown + 1)
    return {
        "row": row,
        "report": report,
        "sections": report.sections[report.asked_in(current_language())],
        "form": form,
        "mails": mails.of_report(db_session, row.id),
        "files": files_of(db_session, row.id),
        "now": datetime.now(UTC),
        "updates": updates[:shown],
        "has_earlier": len(updates) > shown,
        "notice": notice,
        "notice_desk": notice and notice_desk_url(notice.key),
        "open_notice": new_notice_url(row.service, report.started_at or row.saved_at),
        "action": request.path,
        "unsent": form.is_submitted() and form.has_unsent_words(),
        "restored": not form.is_submitted() and form.has_words(),
        "kind_in_words": kind_in_words,
    }


def _reach(row: models.Report, report: Report) -> str:
    """How a message gets to the customer."""
    if row.news_wanted:
        return str(_("It is shown on the receipt and goes out by email."))
    if report.wants_cause:
        return str(
            _(
                "It is shown on the receipt. The customer asked for the cause: what you write when "
                "you solve it goes out by email, and nothing before."
            )
        )
    return str(
        _(
            "It is shown on the receipt. No email goes out: the customer did not ask for any. "
            "To reach them now, reply to the ticket or call."
        )
    )
