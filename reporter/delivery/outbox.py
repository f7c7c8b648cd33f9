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
from reporter.models import Attempt, MailKind, MailState, Message, Outcome

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Mail:
    """A mail ready to be sent: one recipient, a fixed Message-ID, final bytes.

    `content`: ASCII lines of at most 998 characters that end in CRLF.
    """

    recipient: str
    mime_id: str
    content: bytes


@dataclass(frozen=True)
class Claimed:
    """One mail in the hands of one worker. `token` is different for every claim."""

    token: str
    id: int
    kind: MailKind
    reference: str
    recipient: str
    content: bytes
    attempt_count: int  # this one included


def enqueue(
    session: Session,
    mail: Mail,
    *,
    kind: MailKind,
    reference: str,
    due_at: datetime,
    report_id: int | None = None,
    after: Message | None = None,
    mailbox: str | None = None,
) -> Message:
    """Queue *mail* in the caller's transaction and return its row, with its id.

    With *after* it is not sent before that one was. Raises IntegrityError for a Message-ID known
    already.
    """
    message = Message(
        kind=kind,
        reference=reference,
        recipient=mail.recipient,
        mailbox=mailbox,
        mime_id=mail.mime_id,
        content=mail.content,
        report_id=report_id,
        after_id=after.id if after else None,
        due_at=due_at,
        created_at=due_at,
    )
    session.add(message)
    session.flush()
    return message


def untried(session: Session, kind: MailKind, *, reference: str) -> Message | None:
    """The last mail of that kind and reference, locked, if no worker has tried it yet."""
    return session.scalar(
        sa.select(Message)
        .where(
            Message.kind == kind,
            Message.reference == reference,
            Message.state == MailState.QUEUED,
            Message.attempt_count == 0,
        )
        .order_by(Message.id.desc())
        .limit(1)
        .with_for_update()
    )


def replace(message: Message, mail: Mail, *, due_at: datetime | None = None) -> None:
    """Put *mail* in the place of one that is `untried`; with *due_at*, to be sent by then."""
    message.content = mail.content
    message.recipient = mail.recipient
    if due_at:
        message.due_at = min(message.due_at, due_at)


def claim(database: Database, worker: str, now: datetime, lease_seconds: float) -> Claimed | None:
    """Take the mail that is due longest, or None. No two claims get the same one.

    Until the lease ends nobody else is given it. A lease that ran out, as its worker died, makes
    it due again.
    """
    before = aliased(Message)
    due = (
        sa.select(Message.id)
        .where(
            Message.state == MailState.QUEUED,
            Message.due_at <= now,
            sa.or_(
                Message.after_id.is_(None),
                sa.exists().where(before.id == Message.after_id, before.state == MailState.SENT),
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
    accepted = any(result.outcome == Outcome.ACCEPTED for result in results)
    refused = all(result.outcome == Outcome.REFUSED for result in results)
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
            if accepted and message.state != MailState.SENT:
                message.state, message.sent_at, message.claimed_by = MailState.SENT, now, None
            elif held and refused:
                message.state, message.claimed_by = MailState.FAILED, None
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
