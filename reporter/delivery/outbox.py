"""The outbox: mails that the database holds until a relay has accepted them.

Delivery is at least once. A mail is queued in the transaction of what caused it, and leaves the
queue only by a relay's acceptance or by the refusal of every relay; nothing is ever dropped. A
crash between a relay's 250 and our commit sends the same bytes, with the same Message-ID, again;
nothing else does while the clocks of the workers' machines agree within the margin of the lease.

A worker claims a mail for the length of a lease. Who records a result must still hold the claim,
or the result counts for nothing but the log of attempts; with one exception. What a relay has
accepted is sent, whoever holds the claim by then: recording it keeps the next holder's crash or
deferral from sending it once more.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session, aliased, defer

from reporter.database import Database
from reporter.delivery.backoff import backoff_seconds
from reporter.delivery.smtp import AttemptResult
from reporter.models import Attempt, Message

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Claimed:
    """One mail in the hands of one worker. `token` is different for every claim."""

    token: str
    id: int
    kind: str
    reference: str
    recipient: str
    content: bytes
    attempt_count: int  # this one included


def enqueue(
    session: Session,
    *,
    kind: str,
    reference: str,
    recipient: str,
    mime_id: str,
    content: bytes,
    now: datetime,
    report_id: int | None = None,
    after_id: int | None = None,
) -> Message:
    """Queue one mail in the caller's transaction and return its row, with its id.

    *content* is final: ASCII lines of at most 998 characters that end in CRLF. With *after_id*
    it is not sent before that message was. Raises IntegrityError for a *mime_id* known already.
    """
    message = Message(
        kind=kind,
        reference=reference,
        recipient=recipient,
        mime_id=mime_id,
        content=content,
        report_id=report_id,
        after_id=after_id,
        due_at=now,
        created_at=now,
    )
    session.add(message)
    session.flush()
    return message


def claim(database: Database, worker: str, now: datetime, lease_seconds: float) -> Claimed | None:
    """Take the mail that is due longest, or None. No two claims get the same one.

    Until the lease ends nobody else is given it. A lease that ran out, as its worker died, makes
    it due again.
    """
    before = aliased(Message)
    due = (
        sa.select(Message.id)
        .where(
            Message.state == "queued",
            Message.due_at <= now,
            sa.or_(
                Message.after_id.is_(None),
                sa.exists().where(before.id == Message.after_id, before.state == "sent"),
            ),
        )
        .order_by(Message.due_at, Message.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=Message)  # SQLite: BEGIN IMMEDIATE excludes
        .cte("due")
    )
    token = f"{worker}:{secrets.token_hex(8)}"
    statement = (
        sa.update(Message)
        .where(Message.id == sa.select(due.c.id).scalar_subquery())
        .values(
            claimed_by=token,
            due_at=now + timedelta(seconds=lease_seconds),
            attempt_count=Message.attempt_count + 1,
        )
        .returning(
            Message.id,
            Message.kind,
            Message.reference,
            Message.recipient,
            Message.content,
            Message.attempt_count,
        )
        .execution_options(synchronize_session=False)
    )
    with database.write() as session:
        row = session.execute(statement).one_or_none()
    return Claimed(token, *row) if row else None


def record(
    database: Database,
    claimed: Claimed,
    results: Sequence[AttemptResult],
    now: datetime,
    jitter: float,
) -> bool:
    """Write down what came of a claim: sent, queued for later, or failed.

    Failed is what every relay refused. False, and a warning in the log, when the claim was lost.
    """
    accepted = any(result.outcome == "accepted" for result in results)
    refused = all(result.outcome == "refused" for result in results)
    with database.write() as session:
        message = session.scalar(
            sa.select(Message)
            .where(Message.id == claimed.id)
            .options(defer(Message.content))
            .with_for_update()
        )
        held = message is not None and message.claimed_by == claimed.token
        if message is not None:
            session.add_all(_attempt(message, result, now) for result in results)
            if accepted and message.state != "sent":
                message.state, message.sent_at, message.claimed_by = "sent", now, None
            elif held and refused:
                message.state, message.claimed_by = "failed", None
            elif held:
                wait = backoff_seconds(claimed.attempt_count, jitter)
                message.due_at = now + timedelta(seconds=wait)
                message.claimed_by = None
    if not held:
        log.warning("lease lost", reference=claimed.reference, kind=claimed.kind, sent=accepted)
    return held


def _attempt(message: Message, result: AttemptResult, now: datetime) -> Attempt:
    return Attempt(
        message_id=message.id,
        attempted_at=now,
        relay=result.relay,
        outcome=result.outcome,
        code=result.code,
        reply=result.reply,
    )
