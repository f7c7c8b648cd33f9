"""Mails that wait for the end of a trouble, of a relay or of a recipient: one of them finds out
whether it is over, and then all of them go on at once."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from reporter.delivery.claims import RANKS
from reporter.delivery.releases import change
from reporter.models import CLAIMABLE, MailState, Message, Trouble


def wake(session: Session, now: datetime, recipient: str | None = None) -> None:
    """Make due what waits for the end of a trouble, as it is over; with *recipient*, of theirs."""
    waits = Message.trouble.in_(list(Trouble)) if recipient is None else _waits_for(recipient)
    change(
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
            change(session, Message.id == found, still, due_at=now)
            return


def _waits_for(recipient: str) -> sa.ColumnElement[bool]:
    return sa.and_(Message.trouble == Trouble.RECIPIENT, Message.recipient == recipient)
