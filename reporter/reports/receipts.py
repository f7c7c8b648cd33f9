"""What a receipt knows: the report as it was sent, and how far its ticket has come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from reporter import models
from reporter.database import get_database
from reporter.links import hash_token
from reporter.reports.report import Report
from reporter.reports.submission import ACKNOWLEDGEMENT, TICKET

# A ticket still unsent after this is late, and the receipt says so.
LATE_AFTER = timedelta(minutes=2)


@dataclass(frozen=True)
class Receipt:
    """A report and the times it has reached, in UTC; None for what has not happened."""

    report: Report
    saved_at: datetime
    sent_at: datetime | None
    refused: bool
    acknowledgement_queued: bool
    acknowledgement_sent_at: datetime | None

    def is_late(self, now: datetime) -> bool:
        """Whether support's mail server should have taken the ticket by *now*."""
        return self.sent_at is None and (self.refused or now - self.saved_at > LATE_AFTER)

    def status(self) -> dict[str, str | None]:
        """For polling: ISO 8601 in UTC, or null for what has not happened."""
        times = {"saved_at": self.saved_at, "sent_at": self.sent_at}
        return {"reference": self.report.reference} | {
            name: at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else None for name, at in times.items()
        }


def find(token: str) -> Receipt | None:
    """The receipt that *token* opens."""
    query = (
        sa.select(models.Report)
        .where(models.Report.token_hash == hash_token(token))
        .options(selectinload(models.Report.messages))
    )
    with get_database().read() as session:
        row = session.scalar(query)
        return _receipt(row) if row else None


def _receipt(row: models.Report) -> Receipt:
    messages = {message.kind: message for message in row.messages}
    ticket: models.Message = messages[TICKET]
    acknowledgement: Any = messages.get(ACKNOWLEDGEMENT)
    return Receipt(
        report=Report.from_json(row.content),
        saved_at=row.saved_at,
        sent_at=ticket.sent_at,
        refused=ticket.state == "failed",
        acknowledgement_queued=acknowledgement is not None,
        acknowledgement_sent_at=acknowledgement and acknowledgement.sent_at,
    )
