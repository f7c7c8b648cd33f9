"""Keeping a report: the report and the mails it causes, in one transaction.

A report counts as sent in by the customer once it is committed here. SMTP is never spoken in a
request: the mails wait in the outbox.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask import current_app
from sqlalchemy.orm import Session

from reporter import models
from reporter.database import exclusive, get_database
from reporter.links import hash_token, receipt_token
from reporter.queueing import enqueue
from reporter.reports.desk_links import desk_url
from reporter.reports.emails import compose_acknowledgement, compose_ticket
from reporter.reports.queueing import TICKET, enqueue_behind_ticket
from reporter.reports.reference import new_reference
from reporter.reports.report import PHONE, Filing, Report
from reporter.reports.surge import note_report

ACKNOWLEDGEMENT = "acknowledgement"

# Acknowledgements to one address, so that the form cannot be made to flood it.
ACKNOWLEDGEMENT_LIMITS = ((timedelta(hours=1), 3), (timedelta(days=1), 10))


def submit(draft_id: str, filing: Filing, receipt_path: Callable[[str], str]) -> str:
    """Keep *filing*, queue its mails, and return the token of its receipt.

    A draft is kept once: a double click, a replay or a retry returns the first receipt's token.
    *receipt_path* makes a path of a token. Raises sqlalchemy.exc.DBAPIError when nothing could
    be kept.
    """
    token = receipt_token(draft_id)
    with get_database().write() as session:
        exclusive(session, draft_id)
        if _find(session, draft_id) is None:
            report = Report(
                **{field.name: getattr(filing, field.name) for field in fields(Filing)},
                reference=_free_reference(session),
            )
            _keep(session, draft_id, token, report, receipt_path(token))
    return token


def is_kept(draft_id: str) -> bool:
    """Whether a report was made of this draft."""
    with get_database().read() as session:
        return _find(session, draft_id) is not None


def _find(session: Session, draft_id: str) -> int | None:
    return session.scalar(sa.select(models.Report.id).where(models.Report.draft_id == draft_id))


def _free_reference(session: Session) -> str:
    while True:
        reference = new_reference()
        query = sa.select(models.Report.id).where(models.Report.reference == reference)
        if session.scalar(query) is None:
            return reference


def _keep(session: Session, draft_id: str, token: str, report: Report, receipt_path: str) -> None:
    row = models.Report(
        reference=report.reference,
        token_hash=hash_token(token),
        draft_id=draft_id,
        content=report.to_json(),
        service=report.text("service"),
        saved_at=report.saved_at,
    )
    session.add(row)
    session.flush()
    similar = note_report(session, row.service, row.saved_at)
    ticket_mail = compose_ticket(report, desk_url(row), similar)
    enqueue(session, TICKET, row.reference, ticket_mail, row.saved_at, report_id=row.id)
    if current_app.config["SEND_ACKNOWLEDGEMENT"]:
        mail = compose_acknowledgement(report, receipt_path)
        by_phone = report.channel == PHONE
        if by_phone or _may_acknowledge(session, mail.recipient, report.saved_at):
            enqueue_behind_ticket(session, row, ACKNOWLEDGEMENT, mail, row.saved_at)


def _may_acknowledge(session: Session, recipient: str, now: datetime) -> bool:
    """Whether *recipient* has had fewer acknowledgements than the limits allow.

    Neither case nor a "+tag" makes another mailbox.
    """
    local, _at, domain = recipient.lower().rpartition("@")
    mailbox = local.partition("+")[0]
    exclusive(session, f"acknowledgement {mailbox}@{domain}")
    message = models.Message
    address = sa.func.lower(message.recipient)
    same = sa.or_(
        address == f"{mailbox}@{domain}",
        sa.and_(
            address.startswith(f"{mailbox}+", autoescape=True),
            address.endswith(f"@{domain}", autoescape=True),
        ),
    )
    for period, limit in ACKNOWLEDGEMENT_LIMITS:
        query = sa.select(sa.func.count()).where(
            message.kind == ACKNOWLEDGEMENT,
            same,
            message.created_at > now - period,
        )
        if (session.scalar(query) or 0) >= limit:
            return False
    return True
