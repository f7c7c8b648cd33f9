"""Signing in and out, and the one-time link. No script is needed for it."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import (
    Blueprint,
    Response,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf import FlaskForm
from flask_wtf.csrf import CSRFError
from sqlalchemy.orm import Session

from reporter import models
from reporter.database import get_database
from reporter.models import Quota
from reporter.staff import accounts, passwords, sessions
from reporter.staff.forms import PasswordForm, SignInForm
from reporter.staff.signed_in import own_path, somebody
from reporter.web import quotas
from reporter.web.browser import Browser
from reporter.web.guards import limiter
from reporter.web.logs import tell_refusal, tell_signed_in

blueprint = Blueprint("staff", __name__)

WELCOME_LIMIT = "20 per minute"


@blueprint.route("/desk/sign-in", methods=["GET", "POST"])
def sign_in() -> ResponseReturnValue:
    """With address and password; then to `next`, where it is a page of the desk.

    Each try is counted before the password is looked at, in the database, so over all processes.
    Who is over waits minutes, and is never locked out: a browser in which the account has been
    signed in has a count of its own, and a one-time link signs in whatever the count.
    """
    form = SignInForm()
    there = own_path(request.args.get("next")) or url_for("desk.board")
    if not form.is_submitted():
        return redirect(there, 303) if somebody() else _sign_in_page(form, "", 200)
    if not form.validate():
        return _sign_in_page(form, "", 422)
    now = datetime.now(UTC)
    account = f"{form.email.data.lower()} {sessions.known_as(form.email.data.lower())}"
    with get_database().write() as db_session:
        may_try = quotas.count(db_session, Quota.SIGN_INS, now) and quotas.count(
            db_session, Quota.WRONG_PASSWORDS, now, account
        )
        row = accounts.by_email(db_session, form.email.data)
    if not may_try:
        return _please_wait()
    known = row.password_hash if row and row.disabled_at is None else None
    try:
        right = passwords.matches(known, form.password.data)
    except passwords.Busy:
        return _please_wait()
    if row and right:
        with get_database().write() as db_session:
            if accounts.is_unchanged(db_session, row):
                quotas.forgive(db_session, Quota.WRONG_PASSWORDS, now, account)
                return _signed_in(db_session, row, there, "password")
    tell_refusal("wrong password")
    return _sign_in_page(form, _("The address or the password is not right."), 422)


@blueprint.route("/desk/welcome/<token>", methods=["GET", "POST"])
@limiter.limit(WELCOME_LIMIT, methods=["POST"])
def welcome(token: str) -> ResponseReturnValue:
    """A one-time link: GET shows a form, whose POST uses it up and signs in."""
    now = datetime.now(UTC)
    with get_database().read() as db_session:
        link = accounts.find_link(db_session, token, now)
    if link is None:
        return _expired()
    form = PasswordForm() if link.asks_password else FlaskForm()
    if not form.validate_on_submit():
        return _welcome_page(form, link), (422 if form.errors else 200)
    try:
        password_hash = passwords.hashed(form.password.data) if link.asks_password else None
    except passwords.Busy:
        return _welcome_page(
            form, link, _("Too many attempts. Wait a few minutes and try again.")
        ), 429
    with get_database().write() as db_session:
        link = accounts.find_link(db_session, token, now, lock=True)
        if link is not None:  # nobody has used it meanwhile
            row = accounts.use_link(db_session, link, password_hash, now)
            return _signed_in(db_session, row, url_for("desk.board"), "one-time link")
    return _expired()


@blueprint.post("/desk/sign-out")
def sign_out() -> ResponseReturnValue:
    """End this browser's session, and the call it takes."""
    if not FlaskForm().validate():
        raise CSRFError
    with get_database().write() as db_session:
        sessions.end(db_session)
    Browser().leave_drafts()  # of a caller, perhaps
    response = make_response(redirect(url_for("staff.sign_in"), 303))
    sessions.take_cookie(response)
    return response


def _signed_in(db_session: Session, row: models.Staff, there: str, how: str) -> Response:
    tell_signed_in(how, row.id)
    sessions.end(db_session)  # the one that this browser had
    token = sessions.begin(db_session, row.id, datetime.now(UTC))
    response = make_response(redirect(there, 303))
    sessions.give_cookie(response, token)
    sessions.know_again(response, row.email)
    session.pop("csrf_token", None)  # a new one for whoever they are now
    return response


def _please_wait() -> Response:
    tell_refusal("too many sign-ins")
    return _sign_in_page(
        SignInForm(), _("Too many attempts. Wait a few minutes and try again."), 429
    )


def _sign_in_page(form: SignInForm, failure: str, status: int) -> Response:
    page = render_template("staff/sign_in.html", form=form, failure=failure)
    return make_response(page, status)


def _welcome_page(form: FlaskForm, link: models.StaffLink, failure: str = "") -> str:
    return render_template(
        "staff/welcome.html", form=form, asks_password=link.asks_password, failure=failure
    )


def _expired() -> ResponseReturnValue:
    tell_refusal("one-time link that is none, or no more")
    return render_template("staff/expired.html"), 404
