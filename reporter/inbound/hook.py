"""The helpdesk's hook: what became of a ticket, told by the helpdesk itself."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from flask import Blueprint, abort, current_app, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from reporter import models
from reporter.database import get_database
from reporter.formats.reference import parse_reference
from reporter.inbound import changes
from reporter.inbound.headers import MIME_ID
from reporter.inbound.parse import REFERENCE
from reporter.inbound.signature import is_proven
from reporter.models import UpdateKind
from reporter.reports import store
from reporter.web import bounds
from reporter.web.guards import csrf
from reporter.web.logs import tell_refusal

# A number as the helpdesk's subjects have it, perhaps with the name before it: "example.com #42".
NUMBER = re.compile(r"(?:[A-Za-z0-9 ._-]{1,60}#)?[A-Za-z0-9-]{1,30}")

blueprint = Blueprint("hooks", __name__)
csrf.exempt(blueprint)


class Event(StrEnum):
    CREATED = "created"
    ANSWERED = "answered"
    SOLVED = "solved"
    REOPENED = "reopened"


@dataclass(frozen=True)
class Call:
    """What the helpdesk tells. `at` is None where it did not say when."""

    event: Event
    reference: str
    mime_id: str
    number: str
    at: datetime | None


class Unreadable(ValueError):
    """The body is none of ours; its words say what is wrong with it."""


@blueprint.post("/hooks/helpdesk")
def helpdesk() -> ResponseReturnValue:
    """202 for whatever can be read, also of a ticket that is none of ours."""
    secret = current_app.config["HOOK_SECRET"]
    if not secret:
        abort(404)
    now = datetime.now(UTC)
    body = request.stream.read(bounds.HOOK_BYTES + 1)
    if len(body) > bounds.HOOK_BYTES:
        return {"error": "the body is too large"}, 413
    if not is_proven(secret, dict(request.headers), body, now):
        tell_refusal("hook without its secret")
        return {"error": "not authorised"}, 401, {"WWW-Authenticate": "Bearer"}
    try:
        call = read(body)
    except Unreadable as error:
        return {"error": str(error)}, 400
    # What tells it from another that says the same; without, only the state decides.
    once = request.headers.get("webhook-id", "").encode() or (body if call.at else b"")
    with get_database().write() as session:
        row = _find(session, call)
        if row is None:
            changes.count(session, "hook of another ticket", now)
            return {"known": False}, 202
        row = store.lock(session, row.id)
        key = f"hook {row.id} {hashlib.sha256(once).hexdigest()}"
        if not once or changes.is_new(session, key, now):
            # Whatever clock it goes by: nothing was answered before it was asked.
            _apply(session, row, call, max(row.saved_at, min(call.at or now, now)))
        changes.count(session, f"hook {call.event}", now)
    return {"known": True}, 202


def read(body: bytes) -> Call:
    """Raises Unreadable."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        raise Unreadable("the body is not JSON") from None
    if not isinstance(told, dict):
        raise Unreadable("the body is not a JSON object")
    event = _text(told, "event")
    if event not in set(Event):
        raise Unreadable(f"event must be one of {', '.join(Event)}")
    named = [_text(told, key) for key in ("reference", "message_id", "subject")]
    if not any(named):
        raise Unreadable("reference, message_id or subject is needed")
    reference, mime_id, subject = named
    references = _meant(reference) or REFERENCE.findall(subject)[-1:]
    number = _text(told, "number").lstrip("#").strip()
    if number and not NUMBER.fullmatch(number):
        raise Unreadable('number must be as in "42" or "example.com #42"')
    ids = MIME_ID.findall(mime_id if "<" in mime_id else f"<{mime_id}>")
    return Call(
        Event(event),
        reference=references[0] if references else "",
        mime_id=ids[0] if ids else "",
        number=number,
        at=_moment(_text(told, "at")),
    )


def _meant(reference: str) -> list[str]:
    try:
        return [parse_reference(reference)]
    except ValueError:
        return REFERENCE.findall(reference)


def _text(told: dict[str, Any], key: str) -> str:
    value = told.get(key)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if value is not None and not isinstance(value, str):
        raise Unreadable(f"{key} must be text")
    return (value or "").strip()[:1_000]


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Unreadable("at must be a time as in 2026-11-23T02:40:00Z") from None


def _find(session: Session, call: Call) -> models.Report | None:
    if call.reference:
        return store.by_reference(session, call.reference)
    if call.mime_id:
        return store.by_mime_id(session, call.mime_id)
    return None


def _apply(session: Session, row: models.Report, call: Call, at: datetime) -> None:
    """As support's word. A customer is told nothing but the state."""
    name = current_app.config["HELPDESK_PROFILE"]
    # One that could not be delivered comes again, perhaps after what overtook it.
    is_state = call.event in {Event.SOLVED, Event.REOPENED}
    if is_state and call.at and not changes.is_latest(session, f"hook state {row.id}", at):
        return
    match call.event:
        case Event.CREATED:
            # The first ticket is the report's: what left before its number came made others.
            row.helpdesk_number = row.helpdesk_number or call.number or None
        case Event.ANSWERED:
            if not changes.is_answered_since(session, row, at):
                changes.mark_answered(session, row, name, at)
        case Event.SOLVED if not changes.is_solved_by_support(session, row):
            row.seen_at = row.seen_at or at
            row.solved_at, row.next_news_at = row.solved_at or at, None
            changes.note(session, row, UpdateKind.SOLVE, name, at)
        case Event.REOPENED if row.solved_at is not None:
            row.solved_at = None
            changes.note(session, row, UpdateKind.REOPEN, name, at)
