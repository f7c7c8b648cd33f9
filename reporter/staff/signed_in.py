"""Who of support asks for a page, and what happens to whoever is nobody of support."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import NoReturn, TypeVar

from flask import abort, g, redirect, request, url_for
from sqlalchemy.orm import Session

from reporter.database import get_database
from reporter.delivery import beforehand
from reporter.staff import kept, sessions, sign_on
from reporter.staff.accounts import Member
from reporter.web.logs import tell_refusal

T = TypeVar("T")

# A page of the desk, and no other site: where one may land after signing in.
OWN_PATH = re.compile(r"/desk(?:[/?][!-\[\]-~]{0,500})?")


@contextmanager
def support(*, writes: bool = False) -> Iterator[Session]:
    """The one transaction of a page of the desk, to read or, with *writes*, to write.

    Whoever is not signed in does not get into it: they are asked to sign in, whatever they ask
    for, so that nobody learns from an answer whether there is such a report. What they typed is
    kept for them.
    """
    member = None
    if _claims_to_be_somebody():
        with get_database().transaction(writes=writes) as session:
            member = g.staff_member = _find(session)
            if member:
                yield session
    if member is None:
        _turn_away()


def change(make: Callable[[Session], T]) -> T:
    """As `support`, for a change that causes mails: `beforehand.write` makes it."""

    def known(session: Session) -> T:
        g.staff_member = _find(session)
        if g.staff_member is None:
            raise _Stranger
        return make(session)

    if not _claims_to_be_somebody():
        _turn_away()
    try:
        return beforehand.write(get_database(), known)
    except _Stranger:
        _turn_away()


def look_or_change(show: Callable[[Session], T]) -> T:
    """What *show* finds, in the one transaction of a page that can be pressed on."""
    if request.method == "POST":
        return change(show)
    with support() as session:
        return show(session)


class _Stranger(Exception):
    """Nobody of support."""


def _turn_away() -> NoReturn:
    tell_refusal("not signed in")
    kept.keep(datetime.now(UTC))
    abort(redirect(url_for("staff.sign_in", next=_here()), 303))


def somebody() -> Member | None:
    """Who of support asks, if it is somebody of support. Asked once in a request."""
    if "staff_member" not in g:
        g.staff_member = None
        if _claims_to_be_somebody():
            with get_database().read() as session:
                g.staff_member = _find(session)
    found: Member | None = g.staff_member
    return found


def me() -> Member:
    """Who asks, inside of `support`."""
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


def _claims_to_be_somebody() -> bool:
    """Whether there is anything to look up: a stranger's request takes no transaction."""
    return sessions.cookie_name() in request.cookies or sign_on.is_told()


def _find(session: Session) -> Member | None:
    return sessions.find(session, datetime.now(UTC)) or sign_on.find(session)


def _here() -> str | None:
    """The page that was asked for, to land there once signed in; None where it can be no page."""
    if "GET" not in (getattr(request.url_rule, "methods", None) or ()):
        return None
    return own_path(request.full_path if request.query_string else request.path)
