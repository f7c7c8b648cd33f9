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
from flask_limiter import RequestLimit
from flask_wtf import FlaskForm
from flask_wtf.csrf import CSRFError

from reporter import models
from reporter.database import get_database
from reporter.extensions import limiter
from reporter.links import sign
from reporter.staff import accounts, passwords, sessions
from reporter.staff.forms import PasswordForm, SignInForm
from reporter.staff.signed_in import own_path, somebody
from reporter.web.browser import Browser
from reporter.web.logs import tell_refusal, tell_signed_in

blueprint = Blueprint("staff", __name__)

# Tries from one address, and wrong ones for one account from everywhere. Whoever is over waits
# minutes, and is never locked out: a one-time link signs in whatever the count.
ADDRESS_LIMIT = "20 per minute"
ACCOUNT_LIMIT = "10 per 5 minutes"


def account_key() -> str:
    """The account that somebody tries, without its address standing in a list of counts.

    A browser in which it has been signed in before has a count of its own: strangers who try
    without end keep nobody out.
    """
    email = request.form.get("email", "").strip().lower()[:254]
    return sign("sign-in", f"{email} {sessions.known_as(email)}").hex()


def please_wait(limit: RequestLimit | None = None) -> Response:
    tell_refusal("too many sign-ins")
    form = SignInForm()
    text = _("Too many tries. Wait a few minutes and try again.")
    return _sign_in_page(form, text, 429)


@blueprint.route("/desk/sign-in", methods=["GET", "POST"])
@limiter.limit(ADDRESS_LIMIT, methods=["POST"], on_breach=please_wait)
@limiter.limit(
    ACCOUNT_LIMIT,
    methods=["POST"],
    key_func=account_key,
    on_breach=please_wait,
    deduct_when=lambda response: response.status_code == 422,
)
def sign_in() -> ResponseReturnValue:
    """With address and password; then to `next`, where it is a page of the desk."""
    form = SignInForm()
    there = own_path(request.args.get("next")) or url_for("desk.board")
    if not form.is_submitted():
        return redirect(there, 303) if somebody() else _sign_in_page(form, "", 200)
    if not form.validate():
        return _sign_in_page(form, "", 422)
    with get_database().read() as db_session:
        row = accounts.by_email(db_session, form.email.data)
    known = row.password_hash if row and row.disabled_at is None else None
    try:
        right = passwords.matches(known, form.password.data)
    except passwords.Busy:
        return please_wait()
    if row is None or not right:
        tell_refusal("wrong password")
        return _sign_in_page(form, _("The address or the password is not right."), 422)
    return _signed_in(row, there, "password")


@blueprint.route("/desk/welcome/<token>", methods=["GET", "POST"])
@limiter.limit(ADDRESS_LIMIT, methods=["POST"])
def welcome(token: str) -> ResponseReturnValue:
    """A one-time link: GET shows a form, whose POST uses it up and signs in."""
    now = datetime.now(UTC)
    with get_database().read() as db_session:
        link = accounts.find_link(db_session, token, now)
    if link is None:
        tell_refusal("one-time link that is none, or no more")
        return render_template("staff/expired.html"), 404
    form = PasswordForm() if link.asks_password else FlaskForm()
    if not form.validate_on_submit():
        page = render_template("staff/welcome.html", form=form, asks_password=link.asks_password)
        return page, (422 if form.errors else 200)
    password_hash = passwords.hashed(form.password.data) if link.asks_password else None
    with get_database().write() as db_session:
        link = accounts.find_link(db_session, token, now, lock=True)
        row = accounts.use_link(db_session, link, password_hash, now) if link else None
    if row is None:  # another has used it meanwhile
        return render_template("staff/expired.html"), 404
    return _signed_in(row, url_for("desk.board"), "one-time link")


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


def _signed_in(row: models.Staff, there: str, how: str) -> Response:
    tell_signed_in(how, row.id)
    with get_database().write() as db_session:
        sessions.end(db_session)  # the one that this browser had
        token = sessions.begin(db_session, row.id, datetime.now(UTC))
    response = make_response(redirect(there, 303))
    sessions.give_cookie(response, token)
    sessions.know_again(response, row.email)
    session.pop("csrf_token", None)  # a new one for whoever they are now
    return response


def _sign_in_page(form: SignInForm, failure: str, status: int) -> Response:
    page = render_template("staff/sign_in.html", form=form, failure=failure)
    return make_response(page, status)
