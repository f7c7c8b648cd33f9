"""The outbox as an operator sees it: what waits and what failed, and sending it again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, defer, selectinload

from reporter.delivery import waking
from reporter.formats.reference import reference_or_text
from reporter.models import MailForm, MailState, Message


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


def retry(
    session: Session,
    now: datetime,
    *,
    support: str,
    references: Sequence[str] = (),
    failed: bool = False,
    to: str = "",
) -> Sequence[Message]:
    """Make what failed or waits due now, and return it without content.

    Of the *references*, or of all where there are none; with *failed* only what failed. With *to*
    it goes to that address: what was for the same recipient as the oldest of them, and the rest is
    left alone. Otherwise what is for the operator's own mailbox goes to *support*, wherever that
    was when it was made. What was to go in a lesser form begins with the whole mail again. What a
    worker holds at this moment is left to it.

    What waits for the limit of its mailbox (`is_held`) is returned too, and goes on waiting: its
    recipient is mended, and no mailbox is flooded by it.
    """
    states = [MailState.FAILED] if failed else [MailState.FAILED, MailState.QUEUED]
    query = (
        sa.select(Message)
        .where(Message.state.in_(states), Message.claimed_by.is_(None))
        .order_by(Message.id)
        .options(defer(Message.content))
        .with_for_update()
    )
    if references:
        query = query.where(sa.or_(*(_has(reference) for reference in references)))
    messages = list(session.scalars(query))
    if to and messages:
        messages = [each for each in messages if each.recipient == messages[0].recipient]
    for message in messages:
        if to:
            message.recipient = to
        elif message.kind.is_for_support:
            message.recipient = support
        if is_held(message, now):
            continue
        message.state, message.due_at, message.trouble = MailState.QUEUED, now, None
        # Told anew, if that was not what it needed.
        message.alarm_from = now if message.kind.is_alarmed else None
    session.flush()
    these = [message.id for message in messages if message.form != MailForm.FULL]
    is_lesser = sa.and_(Message.id.in_(these), Message.whole.is_not(None))
    whole_again = {"content": Message.whole, "form": MailForm.FULL, "whole": None}
    again = sa.update(Message).where(is_lesser).values(whole_again)
    session.execute(again.execution_options(synchronize_session=False))
    waking.tell(session)
    return messages


def is_held(message: Message, now: datetime) -> bool:
    """Whether it was put off, as its mailbox was sent enough: made for the time it waits for."""
    untried = message.state == MailState.QUEUED and not message.attempt_count
    return untried and message.mailbox is not None and message.created_at > now


def _has(reference: str) -> sa.ColumnElement[bool]:
    return sa.func.lower(Message.reference) == reference_or_text(reference).lower()
