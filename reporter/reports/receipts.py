"""A receipt as it is found: the report as it was sent, and how far its ticket has come."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, TypeVar

import sqlalchemy as sa
from flask import abort
from sqlalchemy.orm import InstrumentedAttribute, Session

from reporter import models
from reporter.models import Author, MailKind, MailState, UpdateKind
from reporter.report import CustomerUpdate, MailStatus, Receipt, SupportMessage, Told
from reporter.reports import store
from reporter.web import bounds
from reporter.web.fields import TEXT_LENGTH

# How many updates, messages and mails of one report are shown, the latest; and when all are asked
# for.
SHOWN, ALL_SHOWN = bounds.UPDATES_SHOWN, 1_000
MESSAGES = frozenset(kind for kind in UpdateKind if kind.is_message)
ADDED = {UpdateKind.DETAILS, UpdateKind.FILES}
TOLD = frozenset(kind for kind in UpdateKind if kind.is_said or kind in ADDED)
SOLVING = frozenset({UpdateKind.SOLVE, UpdateKind.SOLVED})  # by support, by the customer
ANSWERED = frozenset({UpdateKind.ANSWERED})

T = TypeVar("T")
NO_TEXT = {"text": ""}


def find(session: Session, token: str, shown: int = SHOWN) -> Receipt | None:
    """The receipt that *token* opens, with the last *shown* of what was said.

    It reads no mail's bytes, and costs the same however much was said before.
    """
    row = store.by_token(session, token)
    if row is None:
        return None
    # Most are looked at before anything was said.
    anything = session.scalar(ANYTHING, {"this": row.id})
    messages = _said(session, row.id, Author.SUPPORT, MESSAGES, shown) if anything else ()
    updates = _said(session, row.id, Author.CUSTOMER, TOLD, shown) if anything else ()
    messages_shown, updates_shown = _that_fit(messages[:shown]), _that_fit(updates[:shown])
    solved_by = _last(session, row.id, SOLVING, models.Update.kind) if anything else None
    answered_at = _last(session, row.id, ANSWERED, models.Update.created_at) if anything else None
    mails = _mails(session, row.id, shown)
    ticket = next(mail for mail in mails.values() if mail.kind == MailKind.TICKET)
    return Receipt(
        report=store.to_value(session, row) if anything else store.as_sent(row),
        report_id=row.id,
        draft_id=row.draft_id,
        saved_at=row.saved_at,
        sent_at=ticket.sent_at,
        seen_at=row.seen_at,
        solved_at=row.solved_at,
        solved_by_support=solved_by == UpdateKind.SOLVE,
        answered_at=answered_at,
        unreachable_at=row.unreachable_at,
        next_news_at=row.next_news_at,
        news_wanted=row.news_wanted,
        notice_id=row.notice_id,
        messages=tuple(
            SupportMessage(
                each.content["text"],
                each.created_at,
                each.next_news_at,
                mails.get(each.message_id),
            )
            for each in messages_shown
            if each.content["text"]
        ),
        told=tuple(
            Told(
                CustomerUpdate(each.kind, (each.content or NO_TEXT)["text"], each.created_at),
                mails.get(each.message_id),
            )
            for each in updates_shown
        ),
        has_earlier=len(messages) + len(updates) > len(messages_shown) + len(updates_shown),
        mails=tuple(mails.values()),
    )


def _that_fit(said: Sequence[sa.Row[Any]]) -> Sequence[sa.Row[Any]]:
    """The newest, as far as one page has room for their words: that of the last SHOWN, which may
    be long, or of many more as people write them."""
    room = SHOWN * TEXT_LENGTH
    for number, each in enumerate(said):
        room -= len((each.content or NO_TEXT)["text"])
        if room < 0:
            return said[:number]
    return said


def find_or_404(session: Session, token: str, shown: int = SHOWN) -> Receipt:
    """As find; a request for one that is not there is answered 404."""
    return find(session, token, shown) or abort(404)


def _last(
    session: Session,
    report_id: int,
    kinds: frozenset[UpdateKind],
    column: InstrumentedAttribute[T],
) -> T | None:
    """*column* of the last update of those *kinds*."""
    found: T | None = session.scalar(_last_of(kinds, column), {"this": report_id})
    return found


# Statements are made once: that takes longer than they run. `this` is the id of a report.
THIS: sa.BindParameter[int] = sa.bindparam("this")
ANYTHING = sa.select(sa.exists().where(models.Update.report_id == THIS))


@cache
def _last_of(kinds: frozenset[UpdateKind], column: InstrumentedAttribute[T]) -> sa.Select[T]:
    update = models.Update
    query = sa.select(column).where(update.report_id == THIS, update.kind.in_(kinds))
    return query.order_by(update.id.desc()).limit(1)


def _mails_of() -> sa.Select[Any]:
    mail, attempt = models.Message, models.Attempt
    tried_at = sa.select(sa.func.max(attempt.attempted_at)).where(attempt.message_id == mail.id)
    failed_at = sa.case((mail.state == MailState.FAILED, tried_at.scalar_subquery()))
    return sa.select(
        mail.id,
        mail.kind,
        mail.recipient,
        mail.state,
        mail.form,
        mail.created_at,
        mail.due_at,
        mail.sent_at,
        failed_at.label("failed_at"),
    ).where(mail.report_id == THIS)


FIRST_MAILS = _mails_of().order_by(models.Message.id).limit(2)
LAST_MAILS = _mails_of().order_by(models.Message.id.desc()).limit(sa.bindparam("most"))


def _mails(session: Session, report_id: int, shown: int) -> dict[int | None, MailStatus]:
    """By id, oldest first: the ticket, its acknowledgement, and the last ones."""
    last = session.execute(LAST_MAILS, {"this": report_id, "most": 2 * shown}).all()
    are_all = len(last) < 2 * shown
    first = () if are_all else session.execute(FIRST_MAILS, {"this": report_id}).all()
    rows = {row.id: row for row in [*first, *reversed(last)]}
    return {
        row.id: MailStatus(
            row.kind,
            row.recipient,
            row.state,
            row.form,
            row.created_at,
            row.due_at,
            row.sent_at,
            row.failed_at,
        )
        for row in rows.values()
    }


@cache
def _said_by(author: Author, kinds: frozenset[UpdateKind]) -> sa.Select[Any]:
    update = models.Update
    # What details hold is long, and in the report itself.
    content = sa.case((update.kind != UpdateKind.DETAILS, update.content)).label("content")
    query = sa.select(
        update.kind, content, update.created_at, update.next_news_at, update.message_id
    ).where(update.report_id == THIS, update.author == author, update.kind.in_(kinds))
    return query.order_by(update.id.desc()).limit(sa.bindparam("most"))


def _said(
    session: Session, report_id: int, author: Author, kinds: frozenset[UpdateKind], shown: int
) -> Sequence[sa.Row[Any]]:
    """The last ones, newest first, with their text alone; one more, if there are more."""
    asked = {"this": report_id, "most": shown + 1}
    return session.execute(_said_by(author, kinds), asked).all()
