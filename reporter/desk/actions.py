"""What support can say of a report. Each action is kept with who did it and when, by a change that
`beforehand.write` makes.

The same once more within a minute, as after a double press or a lost answer, changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from reporter import models
from reporter.delivery import outbox
from reporter.delivery.beforehand import composed
from reporter.links import full_url, receipt_token
from reporter.mail.customer import compose_news
from reporter.models import Author, MailKind, UpdateKind
from reporter.reports import store
from reporter.reports.subscriptions import follow_together

ACTIONS = (
    UpdateKind.ACKNOWLEDGE,
    UpdateKind.MESSAGE,
    UpdateKind.SOLVE,
    UpdateKind.REOPEN,
    UpdateKind.LINK_NOTICE,
    UpdateKind.CONTACT,
)
SAME_WITHIN = timedelta(minutes=1)
# Support is reminded of a promise so long before.
REMINDED_BEFORE = timedelta(minutes=5)


def mark_seen(session: Session, row: models.Report, name: str, at: datetime) -> None:
    """A person has seen it. Pressing again changes nothing."""
    if row.seen_at is None:
        row.seen_at = at
        note(session, row, UpdateKind.ACKNOWLEDGE, name, at)


def message(
    session: Session,
    row: models.Report,
    name: str,
    text: str,
    next_news_at: datetime | None,
    at: datetime,
) -> None:
    """Tell the customer something, and when they hear more.

    Without a time, what was promised before stands. Of what is solved no more news is promised.
    """
    if _is_same(session, row, UpdateKind.MESSAGE, text, at) and next_news_at in {
        None,
        row.next_news_at,
    }:
        return
    row.seen_at = row.seen_at or at
    standing = row.next_news_at if row.next_news_at and row.next_news_at > at else None
    row.next_news_at = None if row.solved_at else next_news_at or standing
    _remind_later(row, at)
    _tell(session, row, UpdateKind.MESSAGE, name, at, text, row.next_news_at)


def solve(session: Session, row: models.Report, name: str, text: str, at: datetime) -> None:
    """It is solved; *text* says what it was, also to whoever asked for the cause alone."""
    if _is_same(session, row, UpdateKind.SOLVE, text, at):
        return
    row.seen_at = row.seen_at or at
    row.solved_at = row.solved_at or at
    row.next_news_at = None
    _tell(session, row, UpdateKind.SOLVE, name, at, text)


def reopen(
    session: Session,
    row: models.Report,
    name: str,
    text: str,
    next_news_at: datetime | None,
    at: datetime,
) -> None:
    """It is not solved after all; *text*, where there is any, tells the customer why."""
    if row.solved_at is None:
        return
    row.solved_at = None
    row.next_news_at = next_news_at
    _remind_later(row, at)
    _tell(session, row, UpdateKind.REOPEN, name, at, text, next_news_at)


def link_notice(
    session: Session, rows: Iterable[models.Report], notice: models.Notice, name: str, at: datetime
) -> None:
    """They are this known incident. A customer who wants news is told of every update of it."""
    linked = []
    for row in rows:
        row.seen_at = row.seen_at or at
        if row.notice_id != notice.id:
            row.notice_id = notice.id
            note(session, row, UpdateKind.LINK_NOTICE, name, at, notice.key)
            linked.append(row)
    follow_together(session, linked, notice, at)


def _remind_later(row: models.Report, at: datetime) -> None:
    """Whoever promises something for the next minutes has it in mind."""
    if row.next_news_at and row.next_news_at - at <= REMINDED_BEFORE:
        row.reminded_for = row.next_news_at


def _is_same(
    session: Session, row: models.Report, kind: UpdateKind, text: str, at: datetime
) -> bool:
    """Whether the last that support said is this."""
    last = store.last_update(session, row, models.Update.author == Author.SUPPORT)
    if last is None or at - last.created_at > SAME_WITHIN:
        return False
    return (last.kind, last.content["text"]) == (kind, text)


def _number_of(session: Session, row: models.Report, update: models.Update) -> int:
    """Which of all that came after the report it is, the last."""
    others = sa.select(sa.func.count()).where(
        models.Update.report_id == row.id, models.Update.id != (update.id or 0)
    )
    return 1 + (session.scalar(others) or 0)


def note(
    session: Session,
    row: models.Report,
    kind: UpdateKind,
    name: str,
    at: datetime,
    text: str = "",
    next_news_at: datetime | None = None,
) -> models.Update:
    content = {"text": text, "name": name}
    update = store.add_update(session, row, Author.SUPPORT, kind, content, at, next_news_at)
    session.flush()
    return update


def _tell(
    session: Session,
    row: models.Report,
    kind: UpdateKind,
    name: str,
    at: datetime,
    text: str,
    next_news_at: datetime | None = None,
) -> None:
    """Note it, and mail it to a customer who asked for it, once the ticket is with support."""
    update = note(session, row, kind, name, at, text, next_news_at)
    report = store.to_value(session, row)
    wanted = row.news_wanted or (update.kind == UpdateKind.SOLVE and report.wants_cause)
    if not wanted or not text:
        return
    ticket = store.ticket_of(session, row)
    mail = composed(
        session,
        compose_news,
        report,
        ticket.mime_id,
        f"news-{_number_of(session, row, update)}",
        update.kind == UpdateKind.SOLVE,
        text,
        update.next_news_at,
        update.created_at,
        full_url("reports.receipt", token=receipt_token(row.draft_id, row.token_hash)),
        not row.news_wanted,
    )
    update.message_id = outbox.enqueue(
        session,
        mail,
        kind=MailKind.NEWS,
        reference=row.reference,
        due_at=update.created_at,
        report_id=row.id,
        after=ticket.id,
    )
