"""What a receipt knows: the report as it was sent, and how far its ticket has come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

import sqlalchemy as sa
from flask import abort
from sqlalchemy.orm import InstrumentedAttribute, Session

from reporter import models
from reporter.models import Author, MailKind, MailState, UpdateKind
from reporter.report import CustomerUpdate, Report
from reporter.reports import store

# How many updates, messages and mails of one report are shown, the latest.
SHOWN = 50
MESSAGES = frozenset(kind for kind in UpdateKind if kind.is_message)
TOLD = frozenset(
    {
        UpdateKind.DETAILS,
        UpdateKind.FILES,
        UpdateKind.INFO,
        UpdateKind.WORSE,
        UpdateKind.BETTER,
        UpdateKind.SOLVED,
    }
)

SOLVING = frozenset({UpdateKind.SOLVE, UpdateKind.SOLVED})  # by support, by the customer
ANSWERED = frozenset({UpdateKind.ANSWERED})

T = TypeVar("T")
NO_TEXT = {"text": ""}

# A ticket still unsent after this is late, and the receipt says so.
LATE_AFTER = timedelta(minutes=2)


@dataclass(frozen=True)
class SupportMessage:
    """What support told the customer."""

    text: str
    at: datetime
    next_news_at: datetime | None


@dataclass(frozen=True)
class MailStatus:
    """One mail of a report, and how far it is."""

    kind: MailKind
    state: MailState
    queued_at: datetime
    due_at: datetime
    sent_at: datetime | None

    def to_json(self) -> dict[str, Any]:
        """`at`: when it came into that state, as far as that is known."""
        at = self.sent_at or self.queued_at
        return {"kind": self.kind, "state": self.state, "at": _utc(at)}


@dataclass(frozen=True)
class Receipt:
    """A report and the times it has reached, in UTC; None for what has not happened."""

    report: Report  # with its details as last sent
    report_id: int
    draft_id: str
    saved_at: datetime
    sent_at: datetime | None
    seen_at: datetime | None
    solved_at: datetime | None
    solved_by_support: bool
    answered_at: datetime | None  # when support last answered by mail or in its helpdesk
    unreachable_at: datetime | None  # when a mail to the customer came back
    next_news_at: datetime | None
    news_wanted: bool
    notice_id: int | None
    messages: tuple[SupportMessage, ...]  # newest first
    updates: tuple[CustomerUpdate, ...]  # the customer's, newest first
    mails: tuple[MailStatus, ...]  # oldest first
    refused: bool
    acknowledgement_queued: bool
    acknowledgement_sent_at: datetime | None
    acknowledgement_due_at: datetime | None

    def is_late(self, now: datetime) -> bool:
        """Whether support's mail server should have taken the ticket by *now*."""
        return self.sent_at is None and (self.refused or now - self.saved_at > LATE_AFTER)

    def is_promise_late(self, now: datetime) -> bool:
        """Whether support promised news for a time that has passed."""
        promised = self.next_news_at
        return promised is not None and promised < now and self.solved_at is None

    def language(self, wanted: str) -> str:
        """*wanted*, where the report was kept in it; else the report's own."""
        return wanted if wanted in self.report.sections else self.report.language

    def status(self, now: datetime) -> dict[str, Any]:
        """For polling: ISO 8601 in UTC, or null for what has not happened."""
        return {
            "reference": self.report.reference,
            "saved_at": _utc(self.saved_at),
            "sent_at": _utc(self.sent_at),
            "seen_at": _utc(self.seen_at),
            "solved_at": _utc(self.solved_at),
            "next_news_at": _utc(self.next_news_at),
            "promise_late": self.is_promise_late(now),
            "mails": [mail.to_json() for mail in self.mails],
            "messages": [{"at": _utc(each.at), "text": each.text} for each in self.messages],
        }


def find(session: Session, token: str) -> Receipt | None:
    """The receipt that *token* opens, with the last SHOWN of what was said.

    It reads no mail's bytes, and costs the same however much was said before.
    """
    row = store.by_token(session, token)
    if row is None:
        return None
    mails = _mails(session, row.id)
    ticket = next(mail for mail in mails if mail.kind == MailKind.TICKET)
    acknowledgement = next((m for m in mails if m.kind == MailKind.ACKNOWLEDGEMENT), None)
    messages = _said(session, row.id, models.Update.author == Author.SUPPORT, MESSAGES)
    updates = _said(session, row.id, models.Update.author == Author.CUSTOMER, TOLD)
    return Receipt(
        report=store.to_value(session, row),
        report_id=row.id,
        draft_id=row.draft_id,
        saved_at=row.saved_at,
        sent_at=ticket.sent_at,
        seen_at=row.seen_at,
        solved_at=row.solved_at,
        solved_by_support=_last(session, row.id, SOLVING, models.Update.kind) == UpdateKind.SOLVE,
        answered_at=_last(session, row.id, ANSWERED, models.Update.created_at),
        unreachable_at=row.unreachable_at,
        next_news_at=row.next_news_at,
        news_wanted=row.news_wanted,
        notice_id=row.notice_id,
        messages=tuple(
            SupportMessage(each.content["text"], each.created_at, each.next_news_at)
            for each in messages
            if each.content["text"]
        ),
        updates=tuple(
            CustomerUpdate(each.kind, (each.content or NO_TEXT)["text"], each.created_at)
            for each in updates
        ),
        mails=tuple(mails),
        refused=ticket.state == MailState.FAILED,
        acknowledgement_queued=acknowledgement is not None,
        acknowledgement_sent_at=acknowledgement.sent_at if acknowledgement else None,
        acknowledgement_due_at=acknowledgement.due_at if acknowledgement else None,
    )


def find_or_404(session: Session, token: str) -> Receipt:
    """As find; a request for one that is not there is answered 404."""
    return find(session, token) or abort(404)


def _last(
    session: Session,
    report_id: int,
    kinds: frozenset[UpdateKind],
    column: InstrumentedAttribute[T],
) -> T | None:
    """*column* of the last update of those *kinds*."""
    query = sa.select(column).where(
        models.Update.report_id == report_id, models.Update.kind.in_(kinds)
    )
    return session.scalar(query.order_by(models.Update.id.desc()).limit(1))


def _mails(session: Session, report_id: int) -> list[MailStatus]:
    """The first two, which are the ticket and its acknowledgement, and the last ones."""
    mail = models.Message
    columns = sa.select(mail.id, mail.kind, mail.state, mail.created_at, mail.due_at, mail.sent_at)
    of_report = columns.where(mail.report_id == report_id)
    first = session.execute(of_report.order_by(mail.id).limit(2)).all()
    last = session.execute(of_report.order_by(mail.id.desc()).limit(SHOWN)).all()
    rows = {row.id: row for row in [*first, *reversed(last)]}
    return [
        MailStatus(row.kind, row.state, row.created_at, row.due_at, row.sent_at)
        for row in rows.values()
    ]


def _said(
    session: Session, report_id: int, by: sa.ColumnElement[bool], kinds: frozenset[UpdateKind]
) -> Sequence[sa.Row[Any]]:
    """The last ones, newest first, with their text alone."""
    update = models.Update
    # What details hold is long, and in the report itself.
    content = sa.case((update.kind != UpdateKind.DETAILS, update.content)).label("content")
    query = sa.select(update.kind, content, update.created_at, update.next_news_at).where(
        update.report_id == report_id, by, update.kind.in_(kinds)
    )
    return session.execute(query.order_by(update.id.desc()).limit(SHOWN)).all()


def _utc(moment: datetime | None) -> str | None:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None
