"""Support fills the form during a call: somebody signed in takes calls in their browser, until
they end it, sign out, or their shift is over."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from flask_wtf.csrf import CSRFError

from reporter.staff import sessions, signed_in
from reporter.web.browser import Browser
from reporter.wizard.steps import REPORT_STEPS

blueprint = Blueprint("calls", __name__)


def is_operator() -> bool:
    """Whether support fills the form in this browser, during a call."""
    member = signed_in.somebody()
    return member is not None and member.in_call


@blueprint.post("/desk/call")
def begin() -> ResponseReturnValue:
    """A blank report for a caller; what was not sent of the last call is left."""
    _check()
    now, token = datetime.now(UTC), ""
    with signed_in.support(writes=True) as db_session:
        member = signed_in.me()
        session_id = member.session_id
        if session_id is None:  # signed in by the proxy, which may not stand before the form
            token = sessions.begin(db_session, member.id, now, sessions.SHIFT)
            session_id = sessions.id_of(db_session, token)
        sessions.set_call(db_session, session_id, now + sessions.SHIFT)
    browser = Browser()
    browser.begin_call()
    if "prefilled" not in request.form:  # from the board: that was for another caller
        browser.prefill = {}
    response = make_response(redirect(url_for("wizard.step", slug=REPORT_STEPS[0].slug), 303))
    if token:
        sessions.give_cookie(response, token, sessions.SHIFT)
    return response


@blueprint.post("/desk/call/end")
def end() -> ResponseReturnValue:
    """Back to the board, in a browser that is a customer's like any other."""
    _check()
    with signed_in.support(writes=True) as db_session:
        member = signed_in.me()
        if member.session_id:
            sessions.set_call(db_session, member.session_id, None)
    Browser().leave_drafts()
    return redirect(url_for("desk.board"), 303)


def _check() -> None:
    if not FlaskForm().validate():
        raise CSRFError
