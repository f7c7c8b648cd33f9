"""What support owes a customer is kept in mind: a time that was promised, the cause that was asked
for. What is overdue is told to the alarm channels (`overdue`).

Each function is a duty of every worker: it opens its own transactions, composes before it writes,
and what it has told it does not tell again.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from reporter import models
from reporter.database import get_database
from reporter.delivery import outbox
from reporter.delivery.repeating import Duty
from reporter.desk import overdue
from reporter.desk.actions import REMINDED_BEFORE
from reporter.links import desk_url, full_url, notice_desk_url, receipt_token
from reporter.mail.customer import compose_news
from reporter.mail.reminder import compose_notice_reminder, compose_reminder
from reporter.models import MailKind
from reporter.notices import followers
from reporter.notices import store as notices
from reporter.reports import store

CLOSED_WITHIN = timedelta(days=7)


def remind() -> None:
    """Mail support what it has promised for the next minutes, once for each time promised."""
    now = datetime.now(UTC)
    report, notice = models.Report, models.Notice
    with get_database().read() as session:
        open_ones = report.solved_at.is_(None), overdue.stands_alone()
        rows = session.scalars(_soon(report, now).where(*open_ones)).all()
        reports = [
            (
                row.id,
                row.next_news_at,
                store.to_value(session, row),
                store.root_of(session, row),
            )
            for row in rows
        ]
        known = session.scalars(_soon(notice, now).where(notice.closed_at.is_(None))).all()
    for report_id, promised, value, root in reports:
        assert promised is not None
        mail = compose_reminder(value, root, promised, desk_url(value.reference), now)
        with get_database().write() as session:
            row = store.lock(session, report_id)
            if row.next_news_at == promised and row.reminded_for != promised:
                row.reminded_for = promised
                outbox.enqueue(
                    session,
                    mail,
                    kind=MailKind.REMINDER,
                    reference=row.reference,
                    due_at=now,
                    report_id=row.id,
                    after=store.ticket_of(session, row).id,
                )
    for each in known:
        assert each.next_news_at is not None
        link = notice_desk_url(each.key)
        mail = compose_notice_reminder(each.key, each.services, each.next_news_at, link, now)
        with get_database().write() as session:
            locked = notices.lock(session, each.key)
            if (
                locked
                and locked.next_news_at == each.next_news_at
                and locked.reminded_for != each.next_news_at
            ):
                locked.reminded_for = locked.next_news_at
                outbox.enqueue(
                    session, mail, kind=MailKind.REMINDER, reference=each.key, due_at=now
                )


def tell_causes() -> None:
    """Mail what it was to whoever asked for it, once the known incident they are linked to is
    closed. Who follows it has that already."""
    now = datetime.now(UTC)
    notice, report = models.Notice, models.Report
    query = sa.select(notice).where(
        notice.closed_at > now - CLOSED_WITHIN, notice.causes_told_at.is_(None)
    )
    with get_database().read() as session:
        closed = session.scalars(query.limit(overdue.AT_ONCE)).all()
        wanted = {
            row.id: [
                (
                    each.id,
                    store.ticket_of(session, each).mime_id,
                    receipt_token(each.draft_id, each.token_hash),
                    value,
                )
                for each in session.scalars(
                    sa.select(report).where(report.notice_id == row.id).order_by(report.id)
                )
                if (value := store.to_value(session, each)).wants_cause
                and not followers.is_mailed(session, row, value.text("email"))
            ]
            for row in closed
        }
    for row in closed:
        entry = notices.to_value(row).latest
        composed = [
            (
                report_id,
                compose_news(
                    value,
                    root,
                    f"cause-{row.key}",
                    False,
                    entry.words(value.language),
                    None,
                    now,
                    full_url("reports.receipt", token=token),
                    for_cause=True,
                ),
            )
            for report_id, root, token, value in wanted[row.id]
        ]
        with get_database().write() as session:
            linked_ones = [(store.lock(session, report_id), mail) for report_id, mail in composed]
            locked = notices.lock(session, row.key)
            if locked is None or locked.causes_told_at:
                continue
            locked.causes_told_at = now
            for linked, mail in linked_ones:
                outbox.enqueue(
                    session,
                    mail,
                    kind=MailKind.NEWS,
                    reference=linked.reference,
                    due_at=now,
                    report_id=linked.id,
                    after=store.ticket_of(session, linked).id,
                )


def _soon(table: Any, now: datetime) -> sa.Select[Any]:
    return (
        sa.select(table)
        .where(
            table.next_news_at > now,
            table.next_news_at <= now + REMINDED_BEFORE,
            table.reminded_for.is_distinct_from(table.next_news_at),
        )
        .limit(overdue.AT_ONCE)
    )


# How often each is looked after.
DUTIES = (
    Duty("reminders", 20, remind),
    Duty("promises", 20, overdue.watch_promises),
    Duty("unseen", 20, overdue.watch_unseen),
    Duty("causes", 60, tell_causes),
)
