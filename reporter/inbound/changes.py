"""What changes by what is heard. Each takes the session; nothing happens twice."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from flask import current_app
from sqlalchemy.orm import Session, defer

from reporter import models
from reporter.database import Lock, exclusive
from reporter.delivery import outbox
from reporter.inbound import unreachable
from reporter.inbound.parse import Heard, Sort
from reporter.models import Author, MailState, UpdateKind
from reporter.notices import followers
from reporter.notices import store as notices
from reporter.reports import store

SAME_WITHIN = timedelta(minutes=1)
# So long before it support is reminded of a promise: an answer from then on keeps it.
REMINDED_BEFORE = timedelta(minutes=5)


def apply(session: Session, heard: Heard, originators: tuple[str, ...], at: datetime) -> Sort:
    """Take *heard* into account; what it was taken for in the end.

    Raises outbox.InHand for what came back before it is written down that it left.
    """
    sort = heard.sort
    if sort == Sort.BOUNCE:
        sort = _bounced(session, heard, at)
    elif sort == Sort.ANSWER:
        sort = _answered(session, heard, originators, at)
    count(session, sort, at)
    return sort


def count(session: Session, sort: str, at: datetime) -> None:
    """That one more of *sort* came in. The last thing that a transaction does."""
    exclusive(session, Lock.HEARD, sort)
    row = session.get(models.HeardCount, sort, with_for_update=True)
    if row is None:
        session.add(models.HeardCount(sort=sort, count=1, last_at=at))
    else:
        row.count, row.last_at = row.count + 1, at


def is_new(session: Session, key: str, at: datetime) -> bool:
    """Whether *key* was never heard; from now on it was."""
    exclusive(session, Lock.HEARD, key)
    if session.get(models.HeardOnce, key):
        return False
    session.add(models.HeardOnce(key=key, heard_at=at))
    session.flush()
    return True


def is_latest(session: Session, key: str, at: datetime) -> bool:
    """Whether nothing of *key* was heard that is later than *at*."""
    exclusive(session, Lock.HEARD, key)
    row = session.get(models.HeardOnce, key)
    if row is None:
        session.add(models.HeardOnce(key=key, heard_at=at))
    elif at < row.heard_at:
        return False
    else:
        row.heard_at = at
    return True


def note(session: Session, row: models.Report, kind: UpdateKind, name: str, at: datetime) -> None:
    """Keep what support did, without a word."""
    store.add_update(session, row, Author.SUPPORT, kind, {"text": "", "name": name}, at)


def mark_answered(session: Session, row: models.Report, name: str, at: datetime) -> None:
    """Support has answered, and so has seen it, and kept what it had promised for about now."""
    row.seen_at = row.seen_at or at
    if row.next_news_at and at >= row.next_news_at - REMINDED_BEFORE:
        row.next_news_at = None
    note(session, row, UpdateKind.ANSWERED, name, at)


def is_solved_by_support(session: Session, row: models.Report) -> bool:
    """Whether the last who said that it is solved was support, and it still is."""
    solving = models.Update.kind.in_({UpdateKind.SOLVE, UpdateKind.SOLVED})
    last = store.last_update(session, row, solving)
    return row.solved_at is not None and last is not None and last.kind == UpdateKind.SOLVE


def is_answered_since(session: Session, row: models.Report, at: datetime) -> bool:
    """Whether it was told already that support had answered then, or a moment before or after."""
    update = models.Update
    same = store.last_update(
        session,
        row,
        update.kind == UpdateKind.ANSWERED,
        update.created_at > at - SAME_WITHIN,
        update.created_at < at + SAME_WITHIN,
    )
    return same is not None


def _answered(session: Session, heard: Heard, originators: tuple[str, ...], at: datetime) -> Sort:
    if _message(session, heard.key) is not None:
        return Sort.OWN
    named = _report(session, heard)
    if named is None:
        return Sort.UNPROVEN
    row = store.lock(session, named)
    customer = store.to_value(session, row).text("email").lower()
    if customer in (*heard.senders, *originators):  # who may have learnt our address from a Cc
        return Sort.UNPROVEN
    if is_new(session, f"{heard.sort} {heard.key}"[:300], at):
        mark_answered(session, row, current_app.config["SUPPORT_EMAIL"], at)
    return heard.sort


def _report(session: Session, heard: Heard) -> int | None:
    """The report that a mail names, by what it answers or by its subject."""
    rows = [store.by_mime_id(session, mime_id) for mime_id in heard.mime_ids]
    rows += [store.by_reference(session, reference) for reference in heard.references[:5]]
    return next((row.id for row in rows if row), None)


def _bounced(session: Session, heard: Heard, at: datetime) -> Sort:
    known = (_message(session, mime_id) for mime_id in heard.mime_ids)
    message = next((each for each in known if each is not None), None)
    if message is None:
        return Sort.UNPROVEN
    if message.report_id is None:
        outbox.lock(session, message)
        if is_new(session, f"bounce {heard.key}"[:300], at):
            _of_no_report(session, message, heard.reason, at)
        return heard.sort
    row = store.lock(session, message.report_id)
    outbox.lock(session, message)
    if not is_new(session, f"bounce {heard.key}"[:300], at):
        return heard.sort
    if message.kind.is_alarmed:
        outbox.come_back(session, message, heard.reason, at)
    elif message.kind in unreachable.TO_CUSTOMER:
        unreachable.mark(session, row, message, at)
    return heard.sort


def _of_no_report(session: Session, message: models.Message, reason: str, at: datetime) -> None:
    """A mail to a follower of a known incident, or ours to support."""
    if message.kind.is_alarmed:
        outbox.come_back(session, message, reason, at)
    elif message.kind in unreachable.TO_FOLLOWER and message.state == MailState.SENT:
        if notice := notices.row_of(session, message.reference):
            unreachable.mark_linked(session, notice, message, at)
        if notice := notices.lock(session, message.reference):
            followers.mark_unreachable(session, notice, message.recipient, at)


def _message(session: Session, mime_id: str) -> models.Message | None:
    query = sa.select(models.Message).where(models.Message.mime_id == mime_id)
    return session.scalar(query.options(defer(models.Message.content)))
