"""Known incidents from signed links: opened, told about, closed, without a shell.

GET shows and changes nothing, as at the desk of a report.
"""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, abort, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from reporter import models
from reporter.database import get_database
from reporter.desk import actions
from reporter.desk.forms import NoticeForm, NoticeNewsForm, in_every_language
from reporter.formats.times import support_zone
from reporter.notices import followers, store
from reporter.notices.links import notice_desk_url, read_notice_desk, read_open_notice
from reporter.reports import desk_links
from reporter.reports import store as reports
from reporter.web.browser import Browser

blueprint = Blueprint("desk_notices", __name__)


@blueprint.route("/desk/notice/<signed>", methods=["GET", "POST"])
def open_notice(signed: str) -> ResponseReturnValue:
    """Open a known incident, filled in from a surge or a report; the report is linked to it."""
    found = read_open_notice(signed)
    if found is None:
        return render_template("desk/expired.html"), 404
    here = found.since.astimezone(support_zone())
    form = in_every_language(NoticeForm)(started_at=f"{here:%Y-%m-%d %H:%M}")
    if form.validate_on_submit():
        now = datetime.now(UTC)
        started_at = form.started_at.moment or found.since
        with get_database().write() as db_session:
            notice = store.open_notice(
                db_session, [found.service], form.texts(), started_at, form.next_news_at.moment, now
            )
            _link(db_session, found.report, notice, now)
            key = notice.key
        return redirect(notice_desk_url(key), 303)
    page = render_template(
        "desk/open_notice.html",
        form=form,
        service=found.service,
        active=store.active(found.service),
        desk_url=notice_desk_url,
    )
    return page, (422 if form.errors else 200)


@blueprint.route("/desk/known/<signed>", methods=["GET", "POST"])
def notice(signed: str) -> ResponseReturnValue:
    """One known incident; POST with `action` tells what is known now, or closes it."""
    key = read_notice_desk(signed)
    found = store.find(key) if key else None
    if found is None:
        return render_template("desk/expired.html"), 404
    form = in_every_language(NoticeNewsForm)()
    if found.closed_at is None and form.validate_on_submit():
        now = datetime.now(UTC)
        with get_database().write() as db_session:
            row = store.lock(db_session, found.key) or abort(404)
            closes = form.action.data == NoticeNewsForm.CLOSE
            if store.tell(
                db_session, row, form.texts(), form.next_news_at.moment, now, close=closes
            ):
                followers.tell(db_session, row, now)
        return redirect(request.path, 303)
    with get_database().read() as db_session:
        count = followers.count(db_session, found.id)
    page = render_template(
        "desk/notice.html",
        form=form,
        notice=found,
        count=count,
    )
    return page, (422 if form.errors else 200)


def _link(
    db_session: Session, report: tuple[str, int] | None, notice: models.Notice, at: datetime
) -> None:
    row = desk_links.report_of(db_session, *report) if report else None
    if row:
        name = Browser().desk_name
        actions.link_notice(db_session, reports.lock(db_session, row.id), notice, name, at)
