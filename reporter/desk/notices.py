"""Known incidents at the desk: opened, told about, closed, without a shell.

GET shows and changes nothing, as at the desk of a report.
"""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, Response, abort, current_app, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from flask_wtf.csrf import CSRFError

from reporter.database import get_database
from reporter.desk import linking, timeline
from reporter.desk.forms import NoticeForm, NoticeNewsForm, in_every_language
from reporter.desk.linking import Candidate
from reporter.desk.words import happened
from reporter.formats.times import support_zone
from reporter.formats.words import elapsed
from reporter.links import notice_desk_url
from reporter.notices import followers, store
from reporter.staff.signed_in import acting, require
from reporter.web.locale import current_language

blueprint = Blueprint("desk_notices", __name__)
blueprint.before_request(require)

LINK = "link"
LINE_WIDTH = 320


@blueprint.route("/desk/notices/new", methods=["GET", "POST"])
def new() -> ResponseReturnValue:
    """Open a known incident: `?service=&since=`, as in the links of mails, fill it in."""
    service = request.args.get("service", "")
    if service not in [each["id"] for each in current_app.config["SERVICES"]]:
        abort(404)
    since = _moment(request.args.get("since", "")) or datetime.now(UTC)
    form = in_every_language(NoticeForm)(
        started_at=f"{since.astimezone(support_zone()):%Y-%m-%d %H:%M}"
    )
    if form.validate_on_submit():
        now = datetime.now(UTC)
        started_at = form.started_at.moment or since
        with get_database().write() as db_session:
            name = acting(db_session, now)
            notice = store.open_notice(
                db_session, [service], form.texts(), started_at, form.next_news_at.moment, now
            )
            linking.link(db_session, notice, request.form.getlist("report"), name, now)
            key = notice.key
        return redirect(notice_desk_url(key), 303)
    with get_database().read() as db_session:
        active = store.active(db_session, service)
        candidates = linking.candidates(db_session, [service], since)
    page = render_template(
        "desk/open_notice.html",
        form=form,
        service=service,
        active=active,
        desk_url=notice_desk_url,
        candidates=candidates,
        left_out=_left_out(candidates),
    )
    return page, (422 if form.errors else 200)


@blueprint.route("/desk/notices/<key>", methods=["GET", "POST"])
def notice(key: str) -> ResponseReturnValue:
    """One known incident; POST with `action` tells what is known, closes it, or links reports."""
    form = in_every_language(NoticeNewsForm)()
    with get_database().read() as db_session:
        found = store.find(db_session, key) or abort(404)
        moments, figures = timeline.of_notice(db_session, found, current_language())
        candidates = (
            []
            if found.closed_at
            else linking.candidates(db_session, found.services, found.started_at)
        )
    if form.action.data == LINK and form.is_submitted():
        return _link(found)
    if found.closed_at is None and form.validate_on_submit():
        now = datetime.now(UTC)
        with get_database().write() as db_session:
            acting(db_session, now)
            row = store.lock(db_session, found.key) or abort(404)
            closes = form.action.data == NoticeNewsForm.CLOSE
            if store.tell(
                db_session, row, form.texts(), form.next_news_at.moment, now, close=closes
            ):
                followers.tell(db_session, row, now)
        return redirect(request.path, 303)
    page = render_template(
        "desk/notice.html",
        form=form,
        notice=found,
        moments=moments,
        figures=figures,
        places=timeline.positions(moments, LINE_WIDTH),
        width=LINE_WIDTH,
        happened=happened(),
        elapsed=elapsed,
        candidates=candidates,
        left_out=set(),
    )
    return page, (422 if form.errors else 200)


@blueprint.get("/desk/notices/<key>/export.<any(json, csv):kind>")
def export(key: str, kind: str) -> ResponseReturnValue:
    """Its timeline and figures, for the review afterwards."""
    with get_database().read() as db_session:
        found = store.find(db_session, key) or abort(404)
        moments, figures = timeline.of_notice(db_session, found, current_language())
    if kind == "json":
        content, mimetype = timeline.as_json(found, moments, figures), "application/json"
    else:
        content, mimetype = timeline.as_csv(moments), "text/csv"
    response = Response(content, mimetype=mimetype)
    response.headers.set("Content-Disposition", "attachment", filename=f"{found.key}.{kind}")
    return response


def _link(found: store.Notice) -> ResponseReturnValue:
    if not FlaskForm().validate():
        raise CSRFError
    now = datetime.now(UTC)
    with get_database().write() as db_session:
        name = acting(db_session, now)
        row = store.lock(db_session, found.key) or abort(404)
        if row.closed_at is None:
            linking.link(db_session, row, request.form.getlist("report"), name, now)
    return redirect(request.path, 303)


def _left_out(candidates: list[Candidate]) -> set[str]:
    """Those whose box was cleared on a form that comes back."""
    if request.method != "POST":
        return set()
    return {each.reference for each in candidates} - set(request.form.getlist("report"))


def _moment(text: str) -> datetime | None:
    """A time as our links write it, in UTC; None for any other text."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None
