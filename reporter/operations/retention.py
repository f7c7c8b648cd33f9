"""What is kept for a time, and for how long: each as a condition on its rows.

A report goes with all that hangs on it, but never while its ticket is unsent. Of a mail that was
sent the content goes sooner than its headers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from reporter import models
from reporter.models import WHOLE, MailKind, MailState

Condition = sa.ColumnElement[bool]


@dataclass(frozen=True)
class Rule:
    """What goes: rows of *model* for which *condition* holds."""

    name: str
    model: Any
    condition: Condition
    weight: sa.SQLColumnExpression[int] | None = None  # of a row, where one may be large


def rules(config: dict[str, Any], now: datetime) -> list[Rule]:
    """Each thing that is kept for a time, in the order in which it goes."""
    old = now - timedelta(days=config["RETENTION_DAYS"])
    draft_end = now - timedelta(days=config["DRAFT_DAYS"])
    report, message, file = models.Report, models.Message, models.Attachment
    mailed, filed = length_of_mail(), file.size
    return [
        Rule(
            "drafts",
            models.Draft,
            models.Draft.updated_at < draft_end,
            _all_of(filed, file.draft_id, models.Draft.id),
        ),
        Rule(
            "files that were never sent",
            file,
            sa.and_(file.number.is_(None), file.created_at < draft_end),
            filed,
        ),
        Rule(
            "reports",
            report,
            sa.and_(
                sa.or_(report.saved_at < old, report.erase_wanted.is_(True)),
                ticket_is_sent(),
            ),
            _all_of(mailed, message.report_id) + _all_of(filed, file.report_id),
        ),
        Rule(
            "mails of no report",
            message,
            sa.and_(message.report_id.is_(None), message.created_at < old),
            mailed,
        ),
        Rule("mails and calls heard once", models.HeardOnce, models.HeardOnce.heard_at < old),
        Rule("known incidents", models.Notice, models.Notice.closed_at < old),
        Rule("surges", models.Surge, models.Surge.last_at < old),
        Rule("sessions of support", models.StaffSession, models.StaffSession.expires_at < now),
        Rule("one-time links", models.StaffLink, models.StaffLink.expires_at < now),
    ]


def _all_of(size: Any, whose: Any, of: Any = models.Report.id) -> sa.ColumnElement[int]:
    """The bytes of what hangs on a row."""
    return sa.func.coalesce(
        sa.select(sa.func.sum(size)).where(whose == of).correlate(of.table).scalar_subquery(), 0
    )


def ticket_is_sent() -> Condition:
    """Of a report: that its ticket neither waits nor failed."""
    message = models.Message
    unsent = sa.select(message.id).where(
        message.report_id == models.Report.id,
        message.kind == MailKind.TICKET,
        message.state != MailState.SENT,
    )
    return ~unsent.exists()


def length_of_mail() -> sa.ColumnElement[int]:
    """Of a mail, with what it was before a lesser form of it."""
    message = models.Message
    whole = sa.func.coalesce(sa.func.length(message.whole), 0)
    return sa.func.length(message.content) + whole


def whole_mails(config: dict[str, Any], now: datetime) -> tuple[Any, ...]:
    """Of a mail: that all of it is kept, and was for long enough."""
    end = now - timedelta(days=config["SENT_MAIL_DAYS"])
    return sa.text(WHOLE), models.Message.sent_at < end
