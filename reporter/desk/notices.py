"""Known incidents at the desk: opened, told about, closed, without a shell.

GET shows and changes nothing, as at the desk of a report.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, abort, current_app, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from flask_wtf.csrf import CSRFError
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from reporter.desk import linking, timeline
from reporter.desk.forms import NoticeForm, NoticeNewsForm, in_every_language
from reporter.desk.linking import Candidate
from reporter.desk.words import happened
from reporter.formats.support_times import parse_moment, support_zone
from reporter.formats.times import YEARS
from reporter.formats.words import elapsed
from reporter.links import notice_desk_url
from reporter.notices import followers, store, telling
from reporter.notices.notice import Notice
from reporter.staff import kept
from reporter.staff.signed_in import acting, look_or_change, support
from reporter.web.locale import current_language

blueprint = Blueprint("desk_notices", __name__)

LINK = "link"
LINE_WIDTH = 320
BLANK_FOR_PLUS = re.compile(r"(T\d\d:\d\d[\d:.]*) (\d\d:?\d\d)$")


@blueprint.route("/desk/notices/new", methods=["GET", "POST"])
def new() -> ResponseReturnValue:
    """Open a known incident: `?service=&since=`, as in the links of mails, fill it in. Without a
    service that there is, it is chosen first."""
    service, now, key = request.args.get("service", ""), datetime.now(UTC), store.new_key()
    since = _moment(request.args.get("since", "")) or now
    page = look_or_change(lambda db_session: _opening(db_session, service, since, now, key))
    if isinstance(page, str):
        return redirect(notice_desk_url(page), 303)
    if page is None:
        ids = [each["id"] for each in current_app.config["SERVICES"]]
        asked = {"since": since_asked} if (since_asked := request.args.get("since")) else {}
        status = 422 if request.method == "POST" else 200
        return render_template("desk/choose_service.html", services=ids, asked=asked), status
    return _page("desk/open_notice.html", page)


def _opening(
    db_session: Session, service: str, since: datetime, now: datetime, key: str
) -> dict[str, Any] | str | None:
    """What the page shows; or the key of the known incident, once it is open; None of no service
    that there is."""
    if service not in [each["id"] for each in current_app.config["SERVICES"]]:
        return None
    sent = kept.typed(db_session, now)
    form = in_every_language(NoticeForm)(
        formdata=sent,
        started_at=f"{since.astimezone(support_zone()):%Y-%m-%d %H:%M}",
    )
    if form.validate_on_submit():
        notice = store.open_notice(
            db_session,
            [service],
            form.texts(),
            form.started_at.moment or since,
            form.next_news_at.moment,
            now,
            key,
        )
        chosen = request.form.getlist("report")
        linking.link(db_session, notice, chosen, acting(db_session, now), now)
        kept.drop(db_session)
        return notice.key
    candidates = linking.candidates(db_session, [service], since)
    return {
        "form": form,
        "service": service,
        "active": store.active(db_session, service),
        "desk_url": notice_desk_url,
        "candidates": candidates,
        "left_out": _left_out(candidates, sent),
    }


@blueprint.route("/desk/notices/<key>", methods=["GET", "POST"])
def notice(key: str) -> ResponseReturnValue:
    """One known incident; POST with `action` tells what is known, closes it, or links reports."""
    now = datetime.now(UTC)
    page = look_or_change(lambda db_session: _show(db_session, key, now))
    return _page("desk/notice.html", page) if page else redirect(request.path, 303)


def _show(db_session: Session, key: str, now: datetime) -> dict[str, Any] | None:
    """What the page shows; None once what was pressed is done."""
    found = store.find(db_session, key) or abort(404)
    form = in_every_language(NoticeNewsForm)(formdata=kept.typed(db_session, now))
    if form.is_submitted() and _acted(db_session, found, form, now):
        kept.drop(db_session)
        return None
    moments, figures = timeline.of_notice(db_session, found, current_language())
    candidates = (
        [] if found.closed_at else linking.candidates(db_session, found.services, found.started_at)
    )
    return {
        "form": form,
        "notice": found,
        "moments": moments,
        "figures": figures,
        "unreachable": followers.unreachable(db_session, found.id),
        "places": timeline.positions(moments, LINE_WIDTH),
        "width": LINE_WIDTH,
        "happened": happened(),
        "elapsed": elapsed,
        "candidates": candidates,
        "left_out": set(),
    }


def _page(template: str, page: dict[str, Any]) -> ResponseReturnValue:
    form = page["form"]
    restored = not form.is_submitted() and bool(form.text.data)
    return render_template(template, restored=restored, **page), (422 if form.errors else 200)


def _acted(db_session: Session, found: Notice, form: NoticeNewsForm, now: datetime) -> bool:
    """Do what was pressed; False where the form has to be shown again."""
    links = form.action.data == LINK
    if links and not FlaskForm().validate():
        raise CSRFError
    if not links and (found.closed_at or not form.validate()):
        return False
    name = acting(db_session, now)
    if links:
        row = store.row_of(db_session, found.key) or abort(404)
        linking.link(db_session, row, request.form.getlist("report"), name, now)
        return True
    row = store.lock_to_tell(db_session, found.key) or abort(404)
    closes = form.action.data == NoticeNewsForm.CLOSE
    if store.tell(db_session, row, form.texts(), form.next_news_at.moment, now, close=closes):
        telling.tell(db_session, row, now)
    return True


@blueprint.get("/desk/notices/<key>/export.<any(json, csv):kind>")
def export(key: str, kind: str) -> ResponseReturnValue:
    """Its timeline and figures, for the review afterwards."""
    with support() as db_session:
        found = store.find(db_session, key) or abort(404)
        moments, figures = timeline.of_notice(db_session, found, current_language())
    if kind == "json":
        content, mimetype = timeline.as_json(found, moments, figures), "application/json"
    else:
        content, mimetype = timeline.as_csv(moments), "text/csv"
    response = Response(content, mimetype=mimetype)
    response.headers.set("Content-Disposition", "attachment", filename=f"{found.key}.{kind}")
    return response


def _left_out(candidates: list[Candidate], sent: MultiDict[str, str] | None) -> set[str]:
    """Those whose box was cleared on a form that comes back."""
    if not sent:
        return set()
    return {each.reference for each in candidates} - set(sent.getlist("report"))


def _moment(text: str) -> datetime | None:
    """A time as in our links, or in TIMEZONE, in UTC; None for any other text."""
    try:
        # A plus that a link did not escape arrives as a blank.
        moment = parse_moment(BLANK_FOR_PLUS.sub(r"\1+\2", text.strip())).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if moment.year in YEARS else None
