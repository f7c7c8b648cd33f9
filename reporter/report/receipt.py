"""How far a report has come, and each of its mails."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from reporter.models import MailForm, MailKind, MailState
from reporter.report.additions import CustomerUpdate
from reporter.report.content import Report

# What a customer adds within this goes out in one mail.
JOINED_WITHIN = timedelta(minutes=1)
# A mail to support still unsent after this is late, and the receipt says so.
LATE_AFTER = timedelta(minutes=2)


@dataclass(frozen=True)
class MailStatus:
    """One mail of a report, and how far it is. `failed_at`: its last try, where it failed."""

    kind: MailKind
    recipient: str
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


def _utc(moment: datetime | None) -> str | None:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None
