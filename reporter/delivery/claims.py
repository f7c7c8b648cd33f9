"""Who may send a mail of the outbox, and for how long: claims, leases, and what ends them early.

A worker claims a mail for the length of a lease. Who records a result must still hold the claim
(`outcomes`). What a claim costs is priced by what is due: neither by what was sent, nor by what
waits for later or for another mail.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from functools import cache
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from reporter.database import UTCDateTime
from reporter.database.among import among
from reporter.delivery.backoff import LONGEST_SECONDS, SPREAD
from reporter.delivery.mail import Claimed
from reporter.delivery.processes import is_gone
from reporter.models import CLAIMABLE, LAST_RANK, MailKind, MailState, Message

RANKS = range(LAST_RANK + 1)
MESSAGE = cast(sa.Table, Message.__table__)
IN_ORDER_TRIES = 4
SLACK = timedelta(seconds=90)  # by which clocks may differ


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
) -> list[Claimed]:
    """Take up to *count* mails that are due, by rank, then those that are due longest.

    No two claims get the same mail: until the lease ends nobody else is given it. A lease that ran
    out, as its worker died, makes it due again. A report's follow-ups are taken one by one in their
    order, whoever takes them; one that was tried IN_ORDER_TRIES times holds up no other any more.
    """
    ids: list[int] = []
    for rank in due_ranks(session, now):
        ids += session.scalars(_due_of(rank), {"now": now, "most": count - len(ids)})
        if len(ids) == count:
            break
    if not ids:
        return []
    token = f"{worker}:{secrets.token_hex(8)}"
    until = now + timedelta(seconds=lease_seconds)
    rows = session.connection().execute(TAKE, {"token": token, "until": until, "these": ids}).all()
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


TAKE = (
    sa.update(MESSAGE)
    .where(among(MESSAGE.c.id, "these"))
    .values(
        claimed_by=sa.bindparam("token"),
        due_at=sa.bindparam("until"),
        attempt_count=MESSAGE.c.attempt_count + 1,
    )
    .returning(
        MESSAGE.c.id,
        MESSAGE.c.kind,
        MESSAGE.c.reference,
        MESSAGE.c.recipient,
        MESSAGE.c.content,
        MESSAGE.c.attempt_count,
    )
)


@cache
def _first_of_each_rank() -> sa.Select[Any]:
    # With an order, as PostgreSQL may expect more than there is, and read all for any one of them.
    first = [_due(rank).order_by(MESSAGE.c.due_at).limit(1).scalar_subquery() for rank in RANKS]
    return sa.select(*first)


EARLIER = MESSAGE.alias("earlier")
# So that a report's follow-ups are sent in their order, by however many workers.
IS_BEHIND_ANOTHER = (
    sa.select(EARLIER.c.id)
    .where(
        MESSAGE.c.kind == MailKind.FOLLOWUP,
        EARLIER.c.reference == MESSAGE.c.reference,
        EARLIER.c.kind == MailKind.FOLLOWUP,
        EARLIER.c.state == MailState.QUEUED,
        EARLIER.c.id < MESSAGE.c.id,
        sa.or_(
            EARLIER.c.claimed_by.is_not(None),
            EARLIER.c.due_at <= sa.bindparam("now", type_=UTCDateTime),
            EARLIER.c.attempt_count < IN_ORDER_TRIES,
        ),
    )
    .exists()
)


@cache
def _due_of(rank: int) -> sa.Select[Any]:
    return (
        (_due(rank).where(~IS_BEHIND_ANOTHER) if rank == MailKind.FOLLOWUP.rank else _due(rank))
        .order_by(MESSAGE.c.due_at, MESSAGE.c.id)
        .limit(sa.bindparam("most"))
        .with_for_update(skip_locked=True, of=MESSAGE)  # SQLite: BEGIN IMMEDIATE excludes
    )


def release(session: Session, claimed: Claimed, now: datetime, *, was_tried: bool = True) -> None:
    """Give a mail back that nobody works on any more: it is due at once."""
    values: dict[str, object] = {"claimed_by": None, "due_at": now}
    if not was_tried:
        values["attempt_count"] = claimed.attempt_count - 1
    change(
        session,
        Message.id == claimed.id,
        Message.claimed_by == claimed.token,
        Message.state == MailState.QUEUED,
        **values,
    )


def free_gone(session: Session, now: datetime) -> int:
    """Make due what processes of this machine hold that are gone; how many mails that is."""
    one_machine = session.get_bind().dialect.name == "sqlite"
    held = session.execute(
        sa.select(Message.id, Message.claimed_by)
        .where(Message.claimed_by.is_not(None), Message.state == MailState.QUEUED)
        .order_by(Message.claimed_by)  # in the order of their index
    )
    gone = [
        (id_, token)
        for id_, token in held
        if token and is_gone(token.rpartition(":")[0], one_machine=one_machine)
    ]
    for id_, token in gone:
        change(session, Message.id == id_, Message.claimed_by == token, claimed_by=None, due_at=now)
    return len(gone)


def heed_moved_clock(session: Session, now: datetime, lease_seconds: float) -> int:
    """Make due what waits for longer than any wait can be, as a clock was set back; how many.

    A mail that was tried waits for its backoff or a lease. One that was not may wait for as long as
    whoever queued it wished, counted from when it was made. What waits for the limit of its mailbox
    was made for the time that it waits for, and what is sent to that mailbox later counts on it.
    """
    longest = timedelta(seconds=max(lease_seconds, LONGEST_SECONDS * (1 + SPREAD)))
    far = session.execute(
        sa.select(Message.id, Message.attempt_count, Message.created_at, Message.due_at).where(
            sa.text(CLAIMABLE),
            Message.rank.in_(RANKS),
            sa.or_(
                sa.and_(Message.attempt_count > 0, Message.due_at > now + longest),
                sa.and_(
                    Message.attempt_count == 0,
                    Message.mailbox.is_(None),
                    Message.created_at > now + SLACK,
                ),
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
        change(session, Message.id == row.id, claimed_by=None, **values)
    return len(far)


def change(session: Session, *where: sa.ColumnExpressionArgument[bool], **values: object) -> None:
    session.execute(
        sa.update(Message)
        .where(*where)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
