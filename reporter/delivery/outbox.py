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
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, cast

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from reporter.database import UTCDateTime
from reporter.delivery import waking
from reporter.delivery.backoff import LONGEST_SECONDS, SPREAD, backoff_seconds
from reporter.delivery.mail import Claimed, LesserForm
from reporter.delivery.mail import Mail as Mail
from reporter.delivery.processes import is_gone
from reporter.delivery.smtp import AttemptResult
from reporter.delivery.verdict import About
from reporter.models import (
    CLAIMABLE,
    LAST_RANK,
    Attempt,
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
MESSAGE = cast(sa.Table, Message.__table__)
SLACK = timedelta(seconds=90)  # by which clocks may differ

log = structlog.get_logger(__name__)


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
    if not message.blocked:
        waking.tell(session)
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
    found = session.execute(_first_of_each_rank(), {"now": now}).one()
    return [rank for rank, id_ in zip(RANKS, found, strict=True) if id_ is not None]


def claim(
    session: Session,
    worker: str,
    now: datetime,
    lease_seconds: float,
    count: int = 1,
    *,
    in_hand: Iterable[Claimed] = (),
) -> list[Claimed]:
    """Take up to *count* mails that are due, by rank, then those that are due longest.

    No two claims get the same mail: until the lease ends nobody else is given it. A lease that ran
    out, as its worker died, makes it due again. Of one report's follow-ups no two are *in_hand*
    at once, so that they are sent in their order.
    """
    under_way = {claimed.reference for claimed in in_hand if claimed.kind == MailKind.FOLLOWUP}
    ids: list[int] = []
    for rank in due_ranks(session, now):
        most = count - len(ids) + len(under_way)
        found = session.execute(_due_of(rank), {"now": now, "most": most})
        for id_, kind, reference in found:
            if kind == MailKind.FOLLOWUP:
                if reference in under_way:
                    continue
                under_way.add(reference)
            if len(ids) < count:
                ids.append(id_)
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


# Statements are made once: that takes longer than most of them run.


def _due(rank: int) -> sa.Select[Any]:
    """Through the partial index, which the text of the condition names (`CLAIMABLE`)."""
    return sa.select(MESSAGE.c.id).where(
        sa.text(CLAIMABLE),
        MESSAGE.c.rank == rank,
        MESSAGE.c.due_at <= sa.bindparam("now", type_=UTCDateTime),
    )


@cache
def _first_of_each_rank() -> sa.Select[Any]:
    # With an order, as PostgreSQL may expect more than there is, and read all for any one of them.
    first = [_due(rank).order_by(MESSAGE.c.due_at).limit(1).scalar_subquery() for rank in RANKS]
    return sa.select(*first)


@cache
def _due_of(rank: int) -> sa.Select[Any]:
    return (
        _due(rank)
        .add_columns(MESSAGE.c.kind, MESSAGE.c.reference)
        .order_by(MESSAGE.c.due_at, MESSAGE.c.id)
        .limit(sa.bindparam("most"))
        .with_for_update(skip_locked=True)  # SQLite: BEGIN IMMEDIATE excludes
    )


THIS: sa.BindParameter[int] = sa.bindparam("this")
KNOWN = (
    sa.select(MESSAGE.c.state, MESSAGE.c.claimed_by, MESSAGE.c.kind, MESSAGE.c.trouble)
    .where(MESSAGE.c.id == THIS)
    .with_for_update()
)
IS_SENT = (
    sa.update(MESSAGE)
    .where(MESSAGE.c.id == THIS)
    .values(
        state=MailState.SENT,
        sent_at=sa.bindparam("now"),
        trouble=None,
        # What is urgent is told though it is sent.
        alarm_from=sa.case((MESSAGE.c.kind == MailKind.SURGE, MESSAGE.c.alarm_from)),
        claimed_by=None,
    )
)
UNBLOCK = (
    sa.update(MESSAGE).where(MESSAGE.c.after_id == THIS, MESSAGE.c.blocked).values(blocked=False)
)
ATTEMPTED = sa.insert(cast(sa.Table, Attempt.__table__))


def record(
    session: Session,
    claimed: Claimed,
    results: Sequence[AttemptResult],
    now: datetime,
    jitter: float,
    lesser: LesserForm | None = None,
) -> bool:
    """Write down what came of a claim: sent, queued for later, or failed.

    Failed is what every relay refused; with *lesser* it goes on in that form instead. A mail that
    is sent lets those that waited for it be claimed, and those go on at once that waited for the
    end of the same trouble. False, and a warning in the log, when the claim was lost.
    """
    accepted = any(result.outcome == Outcome.ACCEPTED for result in results)
    known = session.execute(KNOWN, {"this": claimed.id}).one_or_none()
    held = known is not None and known.claimed_by == claimed.token
    if known:
        session.execute(ATTEMPTED, [_attempt(claimed, result, now) for result in results])
    if known and accepted and known.state != MailState.SENT:
        session.execute(IS_SENT, {"this": claimed.id, "now": now})
    elif held:
        changes = _not_taken(claimed, results, now, jitter, lesser)
        _change(session, Message.id == claimed.id, claimed_by=None, **changes)
    if known and accepted:
        session.execute(UNBLOCK, {"this": claimed.id})
        if known.trouble == Trouble.RELAY or any(result.recovered for result in results):
            wake(session, now)
        elif known.trouble == Trouble.RECIPIENT:
            wake(session, now, claimed.recipient)
    if not held:
        log.warning("lease lost", reference=claimed.reference, kind=claimed.kind, sent=accepted)
    return held


def wake(session: Session, now: datetime, recipient: str | None = None) -> None:
    """Make due what waits for the end of a trouble, as it is over; with *recipient*, of theirs."""
    waits = Message.trouble.in_(list(Trouble)) if recipient is None else _waits_for(recipient)
    _change(
        session,
        waits,
        Message.state == MailState.QUEUED,
        Message.claimed_by.is_(None),
        due_at=now,
        trouble=None,
    )


def is_troubled(session: Session) -> bool:
    """Whether a mail waits for the end of a trouble."""
    waits = sa.select(Message.id).where(Message.trouble.is_not(None)).exists()
    return bool(session.scalar(sa.select(waits)))


def advance_one(session: Session, now: datetime) -> None:
    """Make one mail due that waits for the end of a trouble, to find out whether it is over."""
    for rank in RANKS:
        found = session.scalar(
            sa.select(Message.id)
            .where(
                sa.text(CLAIMABLE),
                Message.rank == rank,
                Message.claimed_by.is_(None),
                Message.trouble.is_not(None),
            )
            .order_by(Message.due_at)
            .limit(1)
        )
        if found:
            still = Message.claimed_by.is_(None)
            _change(session, Message.id == found, still, due_at=now)
            return


def release(session: Session, claimed: Claimed, now: datetime) -> None:
    """Give a mail back that nobody works on any more: it is due at once."""
    _change(
        session,
        Message.id == claimed.id,
        Message.claimed_by == claimed.token,
        Message.state == MailState.QUEUED,
        claimed_by=None,
        due_at=now,
    )


def free_gone(session: Session, now: datetime) -> int:
    """Make due what processes of this machine hold that are gone; how many mails that is."""
    one_machine = session.get_bind().dialect.name == "sqlite"
    held = session.execute(
        sa.select(Message.id, Message.claimed_by).where(
            sa.text(CLAIMABLE), Message.claimed_by.is_not(None)
        )
    )
    gone = [
        (id_, token)
        for id_, token in held
        if token and is_gone(token.rpartition(":")[0], one_machine=one_machine)
    ]
    for id_, token in gone:
        _change(
            session, Message.id == id_, Message.claimed_by == token, claimed_by=None, due_at=now
        )
    return len(gone)


def heed_moved_clock(session: Session, now: datetime, lease_seconds: float) -> int:
    """Make due what waits for longer than any wait can be, as a clock was set back; how many.

    A mail that was tried waits for its backoff or a lease. One that was not may wait for as long as
    whoever queued it wished, counted from when it was made.
    """
    longest = timedelta(seconds=max(lease_seconds, LONGEST_SECONDS * (1 + SPREAD)))
    far = session.execute(
        sa.select(Message.id, Message.attempt_count, Message.created_at, Message.due_at).where(
            sa.text(CLAIMABLE),
            Message.rank.in_(RANKS),
            sa.or_(
                sa.and_(Message.attempt_count > 0, Message.due_at > now + longest),
                sa.and_(Message.attempt_count == 0, Message.created_at > now + SLACK),
            ),
            Message.due_at > now + SLACK,
        )
    ).all()
    for row in far:
        wished = timedelta() if row.attempt_count else row.due_at - row.created_at
        soon = sa.case((Message.alarm_from > now, now), else_=Message.alarm_from)
        values = {"due_at": now + wished, "alarm_from": soon}
        if not row.attempt_count:
            values["created_at"] = now
        _change(session, Message.id == row.id, claimed_by=None, **values)
    return len(far)


def come_back(session: Session, message: Message, reason: str, now: datetime) -> None:
    """A mail that a relay had accepted did not arrive (RFC 3464): it is failed, and told at once.

    Nothing but a person sends it again (`outbox retry`). What waits for it waits on.
    """
    if message.state != MailState.SENT:  # it is on its way once more
        return
    message.state, message.sent_at = MailState.FAILED, None
    message.alarmed_at, message.alarm_from = None, AT_ONCE
    session.add(
        Attempt(
            message_id=message.id,
            attempted_at=now,
            relay="returned",
            outcome=Outcome.REFUSED,
            code=None,
            reply=reason,
        )
    )


def _waits_for(recipient: str) -> sa.ColumnElement[bool]:
    return sa.and_(Message.trouble == Trouble.RECIPIENT, Message.recipient == recipient)


def _not_taken(
    claimed: Claimed,
    results: Sequence[AttemptResult],
    now: datetime,
    jitter: float,
    lesser: LesserForm | None,
) -> dict[str, object]:
    """The columns of a mail that no relay has taken."""
    refused = all(result.outcome == Outcome.REFUSED for result in results)
    # A filter's no may be to us as well as to the mail: it is given time, and never final.
    unsure = any(result.about == About.POLICY for result in results)
    later = now + timedelta(seconds=backoff_seconds(claimed.attempt_count, jitter))
    changes: dict[str, object] = {"due_at": later, "trouble": _trouble(results)}
    if refused and lesser:
        changes |= {"form": lesser.form, "content": lesser.mail.content}
        changes |= {"due_at": later if unsure else now, "trouble": None}
    elif refused and not unsure:
        changes |= {"state": MailState.FAILED, "trouble": None}
    if lesser is None and claimed.kind.is_alarmed and any(r.is_permanent for r in results):
        # Somebody has to mend something before it can be sent.
        changes |= {"alarm_from": sa.case((Message.alarm_from.is_not(None), AT_ONCE))}
    return changes


def _trouble(results: Sequence[AttemptResult]) -> Trouble:
    """What a deferred mail waits for to end."""
    about = {result.about for result in results if result.outcome == Outcome.DEFERRED}
    return Trouble.RELAY if about == {About.RELAY} else Trouble.RECIPIENT


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
