"""The order of a report's mails: the ticket first."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from reporter import models
from reporter.composing import Mail
from reporter.queueing import enqueue

TICKET = "ticket"


def enqueue_behind_ticket(
    session: Session, row: models.Report, kind: str, mail: Mail, due_at: datetime
) -> models.Message:
    """Queue *mail*, not to be sent before the report's ticket was."""
    ticket = next(message for message in row.messages if message.kind == TICKET)
    return enqueue(session, kind, row.reference, mail, due_at, report_id=row.id, after=ticket)
