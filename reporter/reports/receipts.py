"""What a receipt knows: the report as it was sent, and how far its ticket has come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask import abort
from sqlalchemy.orm import selectinload

from reporter import models
from reporter.database import get_database
from reporter.links import hash_token
from reporter.models import Author, MailKind, MailState, UpdateKind
from reporter.report import CustomerUpdate, Report
from reporter.reports import store

# A ticket still unsent after this is late, and the receipt says so.
LATE_AFTER = timedelta(minutes=2)


@dataclass(frozen=True)
class SupportMessage:
    """What support told the customer."""

    text: str
    at: datetime
    next_news_at: datetime | None


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
    next_news_at: datetime | None
    news_wanted: bool
    notice_id: int | None
    messages: tuple[SupportMessage, ...]  # newest first
    updates: tuple[CustomerUpdate, ...]  # the customer's, newest first
    refused: bool
    acknowledgement_queued: bool
    acknowledgement_sent_at: datetime | None

    def is_late(self, now: datetime) -> bool:
        """Whether support's mail server should have taken the ticket by *now*."""
        return self.sent_at is None and (self.refused or now - self.saved_at > LATE_AFTER)

    def language(self, wanted: str) -> str:
        """*wanted*, where the report was kept in it; else the report's own."""
        return wanted if wanted in self.report.sections else self.report.language

    def status(self) -> dict[str, Any]:
        """For polling: ISO 8601 in UTC, or null for what has not happened."""
        return {
            "reference": self.report.reference,
            "saved_at": _utc(self.saved_at),
            "sent_at": _utc(self.sent_at),
            "seen_at": _utc(self.seen_at),
            "solved_at": _utc(self.solved_at),
            "next_news_at": _utc(self.next_news_at),
            "messages": [{"at": _utc(each.at), "text": each.text} for each in self.messages],
        }


def find(token: str) -> Receipt | None:
    """The receipt that *token* opens."""
    query = (
        sa.select(models.Report)
        .where(models.Report.token_hash == hash_token(token))
        .options(
            selectinload(models.Report.messages).defer(models.Message.content),
            selectinload(models.Report.updates),
        )
    )
    with get_database().read() as session:
        row = session.scalar(query)
        return _receipt(row) if row else None


def find_or_404(token: str) -> Receipt:
    """As find; a request for one that is not there is answered 404."""
    return find(token) or abort(404)


def _receipt(row: models.Report) -> Receipt:
    messages = {message.kind: message for message in row.messages}
    ticket: models.Message = messages[MailKind.TICKET]
    acknowledgement: Any = messages.get(MailKind.ACKNOWLEDGEMENT)
    return Receipt(
        report=store.to_value(row),
        report_id=row.id,
        draft_id=row.draft_id,
        saved_at=row.saved_at,
        sent_at=ticket.sent_at,
        seen_at=row.seen_at,
        solved_at=row.solved_at,
        next_news_at=row.next_news_at,
        news_wanted=row.news_wanted,
        notice_id=row.notice_id,
        messages=tuple(
            SupportMessage(update.content["text"], update.created_at, update.next_news_at)
            for update in reversed(row.updates)
            if update.kind.is_message
        ),
        updates=tuple(
            CustomerUpdate(update.kind, update.content["text"], update.created_at)
            for update in reversed(row.updates)
            if update.author == Author.CUSTOMER and update.kind != UpdateKind.LINK_NOTICE
        ),
        refused=ticket.state == MailState.FAILED,
        acknowledgement_queued=acknowledgement is not None,
        acknowledgement_sent_at=acknowledgement and acknowledgement.sent_at,
    )


def _utc(moment: datetime | None) -> str | None:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None
