"""From a composed mail to the outbox, which knows bytes only."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from reporter.composing import Mail
from reporter.delivery import outbox
from reporter.models import Message


def enqueue(
    session: Session,
    kind: str,
    reference: str,
    mail: Mail,
    due_at: datetime,
    *,
    report_id: int | None = None,
    after: Message | None = None,
) -> Message:
    """Queue *mail* in the caller's transaction; with *after*, not before that one was sent."""
    return outbox.enqueue(
        session,
        kind=kind,
        reference=reference,
        recipient=mail.recipient,
        mime_id=mail.mime_id,
        content=mail.content,
        now=due_at,
        report_id=report_id,
        after_id=after.id if after else None,
    )
