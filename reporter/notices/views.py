"""A known incident's page, "mine is this", and the feeds that a status page can follow."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session
from wtforms.validators import ValidationError

from reporter import models
from reporter.database import get_database
from reporter.delivery import beforehand
from reporter.formats import phones
from reporter.models import Quota
from reporter.notices import followers, store, telling
from reporter.notices.notice import Notice
from reporter.notices.telling import Person
from reporter.web import quotas
from reporter.web.fields import TextInput, line
from reporter.web.guards import limiter
from reporter.web.locale import current_language
from reporter.web.tokens import TokenForm

blueprint = Blueprint("notices", __name__)

FOLLOW_LIMIT = "120 per minute"


class FollowForm(TokenForm):
    """How to reach somebody whose incident is this one."""

    name = TextInput(
        _l("Your name"), required=_l("Enter your name"), filters=[line], autocomplete="name"
    )
    contact = TextInput(
        _l("Email address or phone number"),
        required=_l("Enter an email address or a phone number"),
        filters=[line],
        verbatim=True,
        autocomplete="email",
    )

    def validate_contact(self, field: TextInput) -> None:
        if not followers.is_email(field.data) and phones.parse(field.data) is None:
            raise ValidationError(_("Enter an email address or phone number in full"))


@blueprint.route("/notices/<key>", methods=["GET", "POST"])
@limiter.limit(FOLLOW_LIMIT, methods=["POST"])
def notice(key: str) -> ResponseReturnValue:
    """What is known; POST says "this is my incident".

    The answer is the same for everybody: it tells nobody who is on the list.
    """
    form = FollowForm()
    with get_database().read() as session:
        found = store.find(session, key) or abort(404)
    if found.closed_at is None and form.validate_on_submit():
        now = datetime.now(UTC)
        person = Person(form.name.data or "", form.contact.data or "", current_language())

        def follow(session: Session) -> None:
            quotas.take(session, Quota.FOLLOWERS, now)
            row = store.row_of(session, key) or abort(404)
            telling.follow(session, row, [person], now)

        beforehand.write(get_database(), follow)
        return redirect(url_for("notices.notice", key=found.key, counted="in"), 303)
    return _page(found, form=form, counted="counted" in request.args), (422 if form.errors else 200)


@blueprint.route("/notices/f/<token>", methods=["GET", "POST"])
def follower(token: str) -> ResponseReturnValue:
    """The page of somebody who is counted; POST with `confirm` has updates mailed to them, without
    it they are forgotten."""
    form = FlaskForm()
    writes = form.validate_on_submit()
    confirms = "confirm" in request.form
    with get_database().transaction(writes=writes) as session:
        row = followers.find(session, token) or abort(404)
        found = store.get(session, row.notice_id) or abort(404)
        if writes and confirms:
            followers.confirm(row, datetime.now(UTC))
        elif writes:
            session.delete(row)
    if writes and confirms:
        flash(_("Confirmed: we will email you every update."))
        return redirect(url_for("notices.follower", token=token), 303)
    if writes:
        flash(_("We will not email you about this incident again."))
        return redirect(url_for("notices.notice", key=found.key), 303)
    return _page(found, follower=row, stop=form, by_email=followers.is_email(row.contact))


@blueprint.post("/notices/f/<token>/stop")
def stop(token: str) -> ResponseReturnValue:
    """One click in a mail program (RFC 8058): no more mails. Also when it was done before."""
    if request.form.get("List-Unsubscribe") != "One-Click":
        abort(400)
    with get_database().write() as session:
        if row := followers.find(session, token):
            session.delete(row)
    return Response(status=200)


@blueprint.get("/notices/f/<token>/stop")
def ask_to_stop(token: str) -> ResponseReturnValue:
    """For a mail program that opens `List-Unsubscribe` (RFC 2369) and has no one click: a program
    that only follows links must change nothing."""
    return redirect(url_for("notices.follower", token=token), 303)


@blueprint.get("/notices.json")
def json_feed() -> ResponseReturnValue:
    """Open and lately closed, newest first."""
    from reporter.notices.feeds import as_json  # with the library for XML, for few pages

    with get_database().read() as session:
        found = store.recent(session)
    return {"notices": [as_json(each) for each in found]}


@blueprint.get("/notices.atom")
def atom_feed() -> ResponseReturnValue:
    """The same as Atom (RFC 4287)."""
    from reporter.notices.feeds import atom  # with the library for XML, for few pages

    with get_database().read() as session:
        found = store.recent(session)
    content = atom(found, current_language())
    return Response(content, mimetype="application/atom+xml")


def _page(
    found: Notice,
    form: FollowForm | None = None,
    counted: bool = False,
    follower: models.Follower | None = None,
    stop: FlaskForm | None = None,
    by_email: bool = False,
) -> str:
    return render_template(
        "notices/notice.html",
        notice=found,
        form=form,
        counted=counted,
        follower=follower,
        stop=stop,
        by_email=by_email,
    )
