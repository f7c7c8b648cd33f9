"""The outbox as an operator sees it: what waits and what failed, and sending it again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, defer, selectinload

from reporter.models import MailState, Message


def unsent(session: Session) -> Sequence[Message]:
    """What waits and what failed, oldest first, with attempts and without content."""
    return session.scalars(
        sa.select(Message)
        .where(Message.state != MailState.SENT)
        .order_by(Message.id)
        .options(defer(Message.content), selectinload(Message.attempts))
    ).all()


def find(session: Session, reference: str) -> Sequence[Message]:
    """Every mail of *reference*, in whatever case, oldest first, with attempts and content."""
    return session.scalars(
        sa.select(Message)
        .where(_has(reference))
        .order_by(Message.id)
        .options(selectinload(Message.attempts))
    ).all()


def retry(session: Session, reference: str, now: datetime) -> int:
    """Make what failed or waits under *reference* due now; how many mails that is.

    What a worker holds at this moment is left to it.
    """
    ids = session.scalars(
        sa.update(Message)
        .where(
            _has(reference),
            Message.state.in_([MailState.QUEUED, MailState.FAILED]),
            Message.claimed_by.is_(None),
        )
        .values(state=MailState.QUEUED, due_at=now)
        .returning(Message.id)
        .execution_options(synchronize_session=False)
    )
    return len(ids.all())


def _has(reference: str) -> sa.ColumnElement[bool]:
    return sa.func.lower(Message.reference) == reference.lower()
