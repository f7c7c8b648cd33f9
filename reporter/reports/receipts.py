"""What a receipt knows: the report as it was sent, and how far its ticket has come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, TypeVar

import sqlalchemy as sa
from flask import abort
from sqlalchemy.orm import InstrumentedAttribute, Session

from reporter import models
from reporter.models import Author, MailForm, MailKind, MailState, UpdateKind
from reporter.report import CustomerUpdate, Report
from reporter.reports import store
from reporter.reports.updates import JOINED_WITHIN

# How many updates, messages and mails of one report are shown, the latest; and when all are asked
# for.
SHOWN, ALL_SHOWN = 50, 1_000
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

# A mail to support still unsent after this is late, and the receipt says so.
LATE_AFTER = timedelta(minutes=2)


@dataclass(frozen=True)
class MailStatus:
    """One mail of a report, and how far it is. `failed_at`: its last try, where it failed."""

    kind: MailKind
    state: MailState
    form: MailForm
    queued_at: datetime
    due_at: datetime
    sent_at: datetime | None
    failed_at: datetime | None = None

    @property
    def is_sent(self) -> bool:
        return self.state == MailState.SENT

    @property
    def is_refused(self) -> bool:
        return self.state == MailState.FAILED

    def is_planned(self, now: datetime) -> bool:
        """Whether it waits for a time that it was planned for, as what is over a limit does."""
        return self.state == MailState.QUEUED and self.queued_at > now

    def is_late(self, now: datetime) -> bool:
        """Whether a mail server should have taken it by *now*."""
        due_at = max(self.queued_at, min(self.due_at, self.queued_at + JOINED_WITHIN))
        return not self.is_sent and (self.is_refused or now - due_at > LATE_AFTER)

    def to_json(self) -> dict[str, Any]:
        """`at`: when it came into that state."""
        at = self.sent_at or self.failed_at or self.queued_at
        return {"kind": self.kind, "state": self.state, "at": _utc(at)}


@dataclass(frozen=True)
class SupportMessage:
    """What support told the customer, and its mail, where one goes out."""

    text: str
    at: datetime
    next_news_at: datetime | None
    mail: MailStatus | None = None


@dataclass(frozen=True)
class Told:
    """What the customer told support, and the mail it goes out with."""

    update: CustomerUpdate
    mail: MailStatus | None


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
    told: tuple[Told, ...]  # by the customer, newest first
    has_earlier: bool  # messages, or what was told, that are not among these
    mails: tuple[MailStatus, ...]  # oldest first

    @property
    def updates(self) -> tuple[CustomerUpdate, ...]:
        """The customer's, newest first."""
        return tuple(each.update for each in self.told)

    @property
    def ticket(self) -> MailStatus:
        return next(mail for mail in self.mails if mail.kind == MailKind.TICKET)

    @property
    def acknowledgement(self) -> MailStatus | None:
        return next((m for m in self.mails if m.kind == MailKind.ACKNOWLEDGEMENT), None)

    def is_late(self, now: datetime) -> bool:
        """Whether support's mail server should have taken the ticket by *now*."""
        return self.ticket.is_late(now)

    def is_promise_late(self, now: datetime) -> bool:
        """Whether support promised news for a time that has passed."""
        promised = self.next_news_at
        return promised is not None and promised < now and self.solved_at is None

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


def find(session: Session, token: str, shown: int = SHOWN) -> Receipt | None:
    """The receipt that *token* opens, with the last *shown* of what was said.

    It reads no mail's bytes, and costs the same however much was said before.
    """
    row = store.by_token(session, token)
    if row is None:
        return None
    messages = _said(session, row.id, Author.SUPPORT, MESSAGES, shown)
    updates = _said(session, row.id, Author.CUSTOMER, TOLD, shown)
    mails = _mails(session, row.id, shown)
    ticket = next(mail for mail in mails.values() if mail.kind == MailKind.TICKET)
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
            SupportMessage(
                each.content["text"],
                each.created_at,
                each.next_news_at,
                mails.get(each.message_id),
            )
            for each in messages[:shown]
            if each.content["text"]
        ),
        told=tuple(
            Told(
                CustomerUpdate(each.kind, (each.content or NO_TEXT)["text"], each.created_at),
                mails.get(each.message_id),
            )
            for each in updates[:shown]
        ),
        has_earlier=max(len(messages), len(updates)) > shown,
        mails=tuple(mails.values()),
    )


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
    first = session.execute(FIRST_MAILS, {"this": report_id}).all()
    last = session.execute(LAST_MAILS, {"this": report_id, "most": 2 * shown}).all()
    rows = {row.id: row for row in [*first, *reversed(last)]}
    return {
        row.id: MailStatus(
            row.kind,
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


def _utc(moment: datetime | None) -> str | None:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None
