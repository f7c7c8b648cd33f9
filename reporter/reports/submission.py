"""Keeping a report: the report and the mails it causes, in one transaction.

A report counts as sent in by the customer once it is committed here. SMTP is never spoken in a
request: the mails wait in the outbox.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask import current_app
from sqlalchemy.orm import Session

from reporter import models
from reporter.database import exclusive, get_database
from reporter.delivery import outbox
from reporter.links import full_url, hash_token, receipt_token
from reporter.mail.customer import compose_acknowledgement
from reporter.mail.ticket import compose_ticket
from reporter.models import Channel, MailKind
from reporter.report import Report
from reporter.reports.desk_links import desk_url
from reporter.reports.reference import new_reference
from reporter.reports.surge import note_report

# Acknowledgements to one address, so that the form cannot be made to flood it.
ACKNOWLEDGEMENT_LIMITS = ((timedelta(hours=1), 3), (timedelta(days=1), 10))


def submit(draft_id: str, report: Report) -> str:
    """Keep *report* under a new reference, queue its mails, return the token of its receipt.

    A draft is kept once: a double click, a replay or a retry returns the first receipt's token.
    Raises sqlalchemy.exc.DBAPIError when nothing could be kept.
    """
    token = receipt_token(draft_id)
    with get_database().write() as session:
        exclusive(session, draft_id)
        if _find(session, draft_id) is None:
            _keep(session, draft_id, token, replace(report, reference=_free_reference(session)))
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


def _keep(session: Session, draft_id: str, token: str, report: Report) -> None:
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
    ticket = outbox.enqueue(
        session,
        ticket_mail,
        kind=MailKind.TICKET,
        reference=row.reference,
        due_at=row.saved_at,
        report_id=row.id,
    )
    if current_app.config["SEND_ACKNOWLEDGEMENT"]:
        mail = compose_acknowledgement(report, full_url("reports.receipt", token=token))
        by_phone = report.channel == Channel.PHONE
        if by_phone or _may_acknowledge(session, mail.recipient, report.saved_at):
            outbox.enqueue(
                session,
                mail,
                kind=MailKind.ACKNOWLEDGEMENT,
                reference=row.reference,
                due_at=row.saved_at,
                report_id=row.id,
                after=ticket,
            )


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
            message.kind == MailKind.ACKNOWLEDGEMENT,
            same,
            message.created_at > now - period,
        )
        if (session.scalar(query) or 0) >= limit:
            return False
    return True
