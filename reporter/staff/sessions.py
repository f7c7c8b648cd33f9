"""Browsers that are signed in: a row each, and a cookie with the secret of it.

A session ends by signing out, by a new password, when its person is disabled, and after a while.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask import Response, current_app, request
from sqlalchemy.orm import Session

from reporter import models
from reporter.links import hash_token, new_token, seal, unseal
from reporter.staff.accounts import Member

LASTS = timedelta(days=30)
KNOWN, KNOWN_FOR = "known", timedelta(days=365)
SHIFT = timedelta(hours=12)  # of taking calls; and of a session begun by the proxy's login
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("Chrome", "Chrome"),
    ("CriOS", "Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS = ("Android", "iPhone", "iPad", "Windows", "Mac OS", "CrOS", "Linux")


def cookie_name(name: str = "staff") -> str:
    """Under https one that a sibling host cannot set (RFC 6265bis, section 4.1.3.2)."""
    return f"__Host-{name}" if _is_https() else name


def begin(session: Session, staff_id: int, at: datetime, lasts: timedelta = LASTS) -> str:
    """Sign this browser in; the token for its cookie."""
    token = new_token()
    session.execute(sa.delete(models.StaffSession).where(models.StaffSession.expires_at <= at))
    session.add(
        models.StaffSession(
            staff_id=staff_id,
            token_hash=hash_token(token),
            created_at=at,
            used_at=at,
            expires_at=at + lasts,
            browser=in_words(request.user_agent.string),
        )
    )
    session.flush()
    return token


def find(session: Session, at: datetime) -> Member | None:
    """Who is signed in in the browser that asks."""
    token = request.cookies.get(cookie_name())
    if not token:
        return None
    own, staff = models.StaffSession, models.Staff
    query = (
        sa.select(own, staff.name)
        .join(staff, staff.id == own.staff_id)
        .where(
            own.token_hash == hash_token(token), own.expires_at > at, staff.disabled_at.is_(None)
        )
    )
    found = session.execute(query).one_or_none()
    if found is None:
        return None
    row, name = found
    in_call = row.call_until is not None and row.call_until > at
    return Member(row.staff_id, name, row.id, in_call)


def end(session: Session) -> None:
    """Sign this browser out."""
    token = request.cookies.get(cookie_name(), "")
    own = models.StaffSession
    session.execute(sa.delete(own).where(own.token_hash == hash_token(token)))


def id_of(session: Session, token: str) -> int:
    own = models.StaffSession
    return session.scalars(sa.select(own.id).where(own.token_hash == hash_token(token))).one()


def used(session: Session, session_id: int, at: datetime) -> None:
    row = session.get(models.StaffSession, session_id)
    if row:
        row.used_at = at


def set_call(session: Session, session_id: int, until: datetime | None) -> None:
    """Have this browser take calls until then; None: no longer."""
    session.execute(
        sa.update(models.StaffSession)
        .where(models.StaffSession.id == session_id)
        .values(call_until=until)
    )


def give_cookie(response: Response, token: str, lasts: timedelta = LASTS) -> None:
    _set_cookie(response, "staff", token, lasts)


def know_again(response: Response, email: str) -> None:
    """Mark a browser in which somebody has signed in. The mark opens nothing."""
    _set_cookie(response, KNOWN, seal(KNOWN, [email, mark() or new_token()]), KNOWN_FOR)


def known_as(email: str) -> str:
    """What tells this browser from others, if *email* has been signed in in it."""
    whose, found = _known()
    return found if whose == email else ""


def mark() -> str:
    """The same, whoever has been signed in in it; empty where nobody has."""
    return _known()[1]


def _known() -> tuple[str, str]:
    match unseal(KNOWN, request.cookies.get(cookie_name(KNOWN), ""), KNOWN_FOR):
        case [str(whose), str(found)]:
            return whose, found
    return "", ""


def _set_cookie(response: Response, name: str, value: str, lasts: timedelta) -> None:
    response.set_cookie(
        cookie_name(name),
        value,
        max_age=lasts,
        secure=_is_https(),
        httponly=True,
        samesite="Lax",  # a link in a mail shall find it
        path="/",
    )


def take_cookie(response: Response) -> None:
    response.delete_cookie(
        cookie_name(), path="/", secure=_is_https(), httponly=True, samesite="Lax"
    )


def in_words(user_agent: str) -> str:
    """A browser as its owner knows it, as in "Firefox, Linux"."""
    named = (name for mark, name in BROWSERS if f"{mark}/" in user_agent)
    browser = next(named, "") or re.sub(r"[^\w .-]", "", user_agent.partition("/")[0])[:30].strip()
    system = next((system for system in SYSTEMS if system in user_agent), "")
    return ", ".join(part for part in (browser, system) if part) or "?"


def _is_https() -> bool:
    return str(current_app.config["BASE_URL"]).startswith("https://")
