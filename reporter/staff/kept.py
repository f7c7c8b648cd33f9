"""What somebody of support had typed when their session was over: kept, and there again once they
have signed in.

It is kept for a browser in which somebody has signed in before, and no other, as a draft is: one
at a time, by a secret of its cookie.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from flask import request
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from reporter import models
from reporter.database import Lock, exclusive, get_database
from reporter.links import hash_token
from reporter.staff import sessions
from reporter.web.errors import own_typed

FOR = timedelta(days=1)


def keep(at: datetime) -> None:
    """Keep what this request was sent with, if it is a form of the desk's."""
    name = _name()
    typed = own_typed() if name and request.method == "POST" else None
    if not name or not typed:
        return
    answers: dict[str, list[str]] = {}
    for key, value in typed[0]:
        answers.setdefault(key, []).append(value)
    steps = {_here(): {"answers": answers, "answered_at": None}}
    with get_database().write() as session:
        exclusive(session, Lock.DRAFT, name)
        drop(session)
        row = models.Draft(id=name, steps=steps, flags=[], created_at=at, updated_at=at)
        session.add(row)


def typed(session: Session, at: datetime) -> MultiDict[str, str] | None:
    """What the page is sent with; of one that is looked at, what was typed on it before and could
    not be taken."""
    row, name = models.Draft, _name()
    if request.method == "POST":
        return request.form
    if not name:
        return None
    query = sa.select(row.steps).where(row.id == name, row.updated_at > at - FOR)
    step = (session.scalar(query) or {}).get(_here())
    return MultiDict(step["answers"]) if step else None


def drop(session: Session) -> None:
    """It is done: nothing is kept any more."""
    if name := _name():
        session.execute(sa.delete(models.Draft).where(models.Draft.id == name))


def _name() -> str | None:
    mark = sessions.mark()
    return hash_token(f"desk {mark}") if mark else None


def _here() -> str:
    return request.full_path if request.query_string else request.path
