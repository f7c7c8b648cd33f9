"""What makes a mail due again before its lease, or its wait, has run out."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from reporter.delivery import beats
from reporter.delivery.backoff import LONGEST_SECONDS, SPREAD
from reporter.delivery.claims import RANKS
from reporter.delivery.clock import SLACK
from reporter.delivery.mail import Claimed
from reporter.delivery.processes import is_gone
from reporter.models import CLAIMABLE, MailState, Message


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
        (id_, token) for id_, token in held if is_gone(worker_of(token), one_machine=one_machine)
    ]
    return sum(
        change(session, Message.id == id_, Message.claimed_by == token, claimed_by=None, due_at=now)
        for id_, token in gone
    )


def heed_moved_clock(session: Session, now: datetime, lease_seconds: float) -> int:
    """Make due what waits for longer than any wait can be, as a clock was set back; how many.

    A mail that was tried waits for its backoff or a lease. One that was not may wait for as long as
    whoever queued it wished, counted from when it was made. What waits for the limit of its mailbox
    was made for the time that it waits for, and what is sent to that mailbox later counts on it.
    What a worker has in hand that beats is left to it, however long its lease is: it may be longer
    than ours, and have begun after *now*.
    """
    longest = timedelta(seconds=max(lease_seconds, LONGEST_SECONDS * (1 + SPREAD)))
    far = session.execute(
        sa.select(
            Message.id,
            Message.attempt_count,
            Message.created_at,
            Message.due_at,
            Message.claimed_by,
        )
        .where(
            sa.text(CLAIMABLE),
            Message.rank.in_(RANKS),
            sa.or_(
                sa.and_(Message.attempt_count > 0, Message.due_at > now + longest + SLACK),
                sa.and_(
                    Message.attempt_count == 0,
                    Message.mailbox.is_(None),
                    Message.created_at > now + SLACK,
                ),
            ),
            Message.due_at > now + SLACK,
        )
        .order_by(Message.id)  # as everybody else who locks several
        .with_for_update()  # and so as they are: one may be claimed at this moment
    ).all()
    alive = {each.name for each in beats.beats(session, now)} if far else set()
    moved = [row for row in far if worker_of(row.claimed_by) not in alive]
    for row in moved:
        wished = timedelta() if row.attempt_count else row.due_at - row.created_at
        soon = sa.case((Message.alarm_from > now, now), else_=Message.alarm_from)
        values = {"due_at": now + wished, "alarm_from": soon}
        if not row.attempt_count:
            values["created_at"] = now
        change(session, Message.id == row.id, claimed_by=None, **values)
    return len(moved)


def worker_of(token: str | None) -> str:
    """The name of the process that has made a claim; blank where there is none."""
    return (token or "").rpartition(":")[0]


def change(session: Session, *where: sa.ColumnExpressionArgument[bool], **values: object) -> int:
    """How many rows it has changed."""
    update = sa.update(Message).where(*where).values(**values)
    done = session.execute(update.execution_options(synchronize_session=False))
    return int(done.rowcount)  # type: ignore[attr-defined]  # of a statement that changes rows
