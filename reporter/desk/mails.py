"""The mails of a report, each as the outbox knows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Session, aliased

from reporter import models
from reporter.formats.text import one_line, shortened
from reporter.models import MailForm, MailKind, MailState

SHOWN = 50
REPLY_LENGTH = 200


@dataclass(frozen=True)
class MailLine:
    """One mail: what it is, to whom, how far it is. `reply`: the last that a relay answered."""

    kind: MailKind
    recipient: str
    state: MailState
    form: MailForm
    queued_at: datetime
    due_at: datetime
    sent_at: datetime | None
    code: int | None
    reply: str

    def words(self) -> str:
        kinds = {
            MailKind.TICKET: _("Ticket to support"),
            MailKind.FOLLOWUP: _("Follow-up to support"),
            MailKind.ACKNOWLEDGEMENT: _("Acknowledgement to the customer"),
            MailKind.NEWS: _("Message to the customer"),
            MailKind.REMINDER: _("Reminder to support"),
        }
        return str(kinds.get(self.kind, self.kind))

    def lesser(self) -> str:
        """What is left out of it, as no relay took the whole."""
        forms = {MailForm.WITHOUT_FILES: _("without its files"), MailForm.STUB: _("shortened")}
        return str(forms.get(self.form, ""))


def of_report(session: Session, report_id: int) -> list[MailLine]:
    """The latest ones, oldest first."""
    message, attempt = models.Message, models.Attempt
    tried = aliased(attempt)
    last = (
        sa.select(sa.func.max(tried.id))
        .where(tried.message_id == message.id)
        .correlate(message)
        .scalar_subquery()
    )
    query = (
        sa.select(
            message.kind,
            message.recipient,
            message.state,
            message.form,
            message.created_at,
            message.due_at,
            message.sent_at,
            attempt.code,
            attempt.reply,
        )
        .select_from(message)
        .outerjoin(attempt, attempt.id == last)
        .where(message.report_id == report_id)
        .order_by(message.id.desc())
        .limit(SHOWN)
    )
    rows = [
        MailLine(*row[:-1], reply=shortened(one_line(row.reply or ""), REPLY_LENGTH))
        for row in session.execute(query)
    ]
    return rows[::-1]
