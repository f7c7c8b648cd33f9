"""Who of support asks for a page, and what happens to whoever is nobody of support."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from flask import g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from reporter.database import get_database
from reporter.staff import sessions, sign_on
from reporter.staff.accounts import Member
from reporter.web.logs import tell_refusal

# A page of the desk, and no other site: where one may land after signing in.
OWN_PATH = re.compile(r"/desk(?:[/?][!-\[\]-~]{0,500})?")


def somebody() -> Member | None:
    """Who of support asks, if it is somebody of support. Asked once in a request."""
    if "staff_member" not in g:
        g.staff_member = None
        if sessions.cookie_name() in request.cookies or sign_on.is_told():
            now = datetime.now(UTC)
            with get_database().read() as session:
                g.staff_member = sessions.find(session, now) or sign_on.find(session)
    found: Member | None = g.staff_member
    return found


def require() -> ResponseReturnValue | None:
    """Before a request for the desk: whoever is not signed in is asked to, whatever they ask for.

    So nobody learns from an answer whether there is such a report.
    """
    if somebody() is None:
        tell_refusal("not signed in")
        here = request.full_path if request.query_string else request.path
        return redirect(url_for("staff.sign_in", next=here if own_path(here) else None), 303)
    return None


def me() -> Member:
    """Who asks, in a view behind `require`."""
    found = somebody()
    assert found is not None
    return found


def acting(session: Session, at: datetime) -> str:
    """The name of who acts, written down in the transaction of what they do."""
    member = me()
    if member.session_id:
        sessions.used(session, member.session_id, at)
    return member.name


def own_path(path: str | None) -> str | None:
    """*path*, if it is one of the desk's."""
    return path if path and OWN_PATH.fullmatch(path) else None
