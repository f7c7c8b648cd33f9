"""The outbox: mails that the database holds until a relay has accepted them.

Delivery is at least once. A mail is queued in the transaction of what caused it, and leaves the
queue only by a relay's acceptance or by the refusal of every relay; nothing is ever dropped. A
crash between a relay's 250 and our commit sends the same bytes, with the same Message-ID, again;
nothing else does while the clocks of the workers' machines agree within the margin of the lease.

A worker claims a mail for the length of a lease. Who records a result must still hold the claim,
or the result counts for nothing but the log of attempts; with one exception. What a relay has
accepted is sent, whoever holds the claim by then: recording it keeps the next holder's crash or
deferral from sending it once more.

What a claim costs is priced by what is due: neither by what was sent, nor by what waits for later
or for another mail.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from reporter.delivery.backoff import backoff_seconds
from reporter.delivery.smtp import AttemptResult
from reporter.delivery.verdict import About
from reporter.models import (
    CLAIMABLE,
    LAST_RANK,
    Attempt,
    MailForm,
    MailKind,
    MailState,
    Message,
    Outcome,
    Trouble,
)

# Of what the operator is told without waiting for it to become late.
AT_ONCE = datetime(1970, 1, 1, tzinfo=UTC)
LEAST_SEVERITY = 4
RANKS = range(LAST_RANK + 1)

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


@dataclass(frozen=True)
class LesserForm:
    """What goes on in place of a mail that every relay has refused for what it holds."""

    form: MailForm
    mail: Mail


def enqueue(
    session: Session,
    mail: Mail,
    *,
    kind: MailKind,
    reference: str,
    due_at: datetime,
    severity: int = LEAST_SEVERITY,
    report_id: int | None = None,
    after: Message | None = None,
    mailbox: str | None = None,
) -> Message:
    """Queue *mail* in the caller's transaction and return its row, with its id.

    *severity*, 1 to 4, says which of two tickets goes first. With *after* it is not sent before
    that one was. Raises IntegrityError for a Message-ID known already.
    """
    kind = MailKind(kind)
    message = Message(
        kind=kind,
        reference=reference,
        recipient=mail.recipient,
        mailbox=mailbox,
        mime_id=mail.mime_id,
        content=mail.content,
        report_id=report_id,
        rank=kind.rank + (severity if kind == MailKind.TICKET else 0),
        after_id=after.id if after else None,
        blocked=after is not None and not _is_sent(session, after.id),
        due_at=due_at,
        created_at=due_at,
        alarm_from=AT_ONCE if kind.is_urgent else due_at if kind.is_alarmed else None,
    )
    session.add(message)
    session.flush()
    return message


def _is_sent(session: Session, message_id: int) -> bool:
    """As it is now; and whoever sends it meanwhile waits for us, to see who waits for it."""
    state = sa.select(Message.state).where(Message.id == message_id).with_for_update(read=True)
    return session.scalar(state) == MailState.SENT


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


def due_ranks(session: Session, now: datetime) -> list[int]:
    """The ranks in which a mail is due, the first ones first."""
    found = session.execute(sa.select(*(_due(rank, now).exists() for rank in RANKS))).one()
    return [rank for rank, is_due in zip(RANKS, found, strict=True) if is_due]


def claim(
    session: Session, worker: str, now: datetime, lease_seconds: float, count: int = 1
) -> list[Claimed]:
    """Take up to *count* mails that are due, by rank, then those that are due longest.

    No two claims get the same mail: until the lease ends nobody else is given it. A lease that ran
    out, as its worker died, makes it due again.
    """
    ids: list[int] = []
    for rank in due_ranks(session, now):
        ids += session.scalars(
            _due(rank, now)
            .order_by(Message.due_at, Message.id)
            .limit(count - len(ids))
            .with_for_update(skip_locked=True)  # SQLite: BEGIN IMMEDIATE excludes
        )
        if len(ids) == count:
            break
    if not ids:
        return []
    token = f"{worker}:{secrets.token_hex(8)}"
    rows = session.execute(
        sa.update(Message)
        .where(Message.id.in_(ids))
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
    claimed = {row.id: Claimed(token, *row) for row in rows}
    return [claimed[id_] for id_ in ids]


def _due(rank: int, now: datetime) -> sa.Select[int]:
    """Through the partial index, which the text of the condition names (`CLAIMABLE`)."""
    return sa.select(Message.id).where(
        sa.text(CLAIMABLE), Message.rank == rank, Message.due_at <= now
    )


def record(
    session: Session,
    claimed: Claimed,
    results: Sequence[AttemptResult],
    now: datetime,
    jitter: float,
    lesser: LesserForm | None = None,
) -> bool:
    """Write down what came of a claim: sent, queued for later, or failed.

    Failed is what every relay refused; with *lesser* it goes on in that form instead. What waited
    for a mail that is sent may be claimed from now on. False, and a warning in the log, when the
    claim was lost.
    """
    outcomes = [result.outcome for result in results]
    accepted = Outcome.ACCEPTED in outcomes
    refused = all(outcome == Outcome.REFUSED for outcome in outcomes)
    known = session.execute(
        sa.select(Message.state, Message.claimed_by, Message.kind)
        .where(Message.id == claimed.id)
        .with_for_update()
    ).one_or_none()
    held = known is not None and known.claimed_by == claimed.token
    if known:
        session.execute(sa.insert(Attempt), [_attempt(claimed, result, now) for result in results])
    changes: dict[str, object] = {}
    if known and accepted and known.state != MailState.SENT:
        changes = {"state": MailState.SENT, "sent_at": now, "trouble": None, "alarm_from": None}
    elif held:
        seconds = backoff_seconds(claimed.attempt_count, jitter)
        changes = {"due_at": now + timedelta(seconds=seconds), "trouble": _trouble(results)}
        if refused and lesser:
            changes |= {"form": lesser.form, "content": lesser.mail.content, "due_at": now}
        elif refused:
            changes |= {"state": MailState.FAILED}
        if known and known.kind.is_alarmed and _is_for_good(results, lesser):
            changes |= {"alarm_from": sa.case((Message.alarmed_at.is_(None), AT_ONCE))}
    if changes:
        _change(session, Message.id == claimed.id, claimed_by=None, **changes)
    if accepted:
        _change(session, Message.after_id == claimed.id, Message.blocked, blocked=False)
    if not held:
        log.warning("lease lost", reference=claimed.reference, kind=claimed.kind, sent=accepted)
    return held


def _trouble(results: Sequence[AttemptResult]) -> Trouble | None:
    """Whose success is to wake a deferred mail."""
    about = {result.about for result in results if result.outcome == Outcome.DEFERRED}
    if not about:
        return None
    return Trouble.RECIPIENT if About.RECIPIENT in about else Trouble.RELAY


def _is_for_good(results: Sequence[AttemptResult], lesser: LesserForm | None) -> bool:
    """Whether somebody has to mend something before the mail can be sent."""
    return lesser is None and any(result.is_permanent for result in results)


def _change(session: Session, *where: sa.ColumnExpressionArgument[bool], **values: object) -> None:
    session.execute(
        sa.update(Message)
        .where(*where)
        .values(**values)
        .execution_options(synchronize_session=False)
    )


def _attempt(claimed: Claimed, result: AttemptResult, now: datetime) -> dict[str, object]:
    return {
        "message_id": claimed.id,
        "attempted_at": now,
        "relay": result.relay,
        "outcome": result.outcome,
        "code": result.code,
        "reply": result.reply,
    }
