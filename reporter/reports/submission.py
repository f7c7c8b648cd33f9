"""Keeping a report: the report and the mails it causes, in one transaction.

A report counts as sent in by the customer once it is committed here. SMTP is never spoken in a
request: the mails wait in the outbox.

What is kept is composed before the transaction begins, in which there are only inserts: whoever
writes on SQLite holds up everybody else who does. What could have become untrue meanwhile is found
by the database's unique keys (that the draft was not sent before, that nobody has the reference).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import sqlalchemy as sa
from flask import current_app
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from reporter import models
from reporter.database import get_database
from reporter.delivery import outbox
from reporter.delivery.outbox import Mail
from reporter.formats.text import one_line
from reporter.links import desk_url, full_url, hash_token, receipt_token
from reporter.mail.customer import compose_acknowledgement
from reporter.mail.ticket import compose_ticket
from reporter.models import Channel, MailKind, Quota
from reporter.report import Report
from reporter.reports import acknowledgements, search, surge
from reporter.reports.reference import new_reference
from reporter.reports.surge import Surging
from reporter.web import quotas

# Made once: that takes longer than the row that it adds.
INSERT = (
    sa.insert(models.Report)
    .values(number_in_service=surge.next_number(sa.bindparam("of_service")))
    .returning(models.Report.id)
)


@dataclass(frozen=True)
class _Composed:
    """A report and all that goes with it, ready to be kept."""

    report: Report
    terms: set[str]
    ticket: Mail
    acknowledgement: Mail | None
    surging: Surging | None
    surge_mail: Mail | None


def submit(draft_id: str, report: Report, source: str = "") -> str:
    """Keep *report* under a new reference, queue its mails, return the token of its receipt.

    *source*: a keyed hash of whom it comes from. A draft is kept once: a double click, a replay or
    a retry returns the first receipt's token. A client that has sent too many by the web is
    answered 429.
    Raises sqlalchemy.exc.DBAPIError when nothing could be kept.
    """
    token = receipt_token(draft_id)
    database = get_database()
    with database.read() as session:
        surging = surge.judge(session, report.text("service"), report.saved_at, source)
    while True:
        composed = _compose(replace(report, reference=new_reference()), token, surging)
        try:
            with database.write() as session:
                _keep(session, draft_id, token, composed, source)
        except IntegrityError:
            with database.read() as session:
                if is_kept(session, draft_id):
                    return token
                if not _is_taken(session, composed.report.reference):
                    raise
        else:
            return token


def is_kept(session: Session, draft_id: str) -> bool:
    """Whether a report was made of this draft."""
    query = sa.select(models.Report.id).where(models.Report.draft_id == draft_id)
    return session.scalar(query) is not None


def _is_taken(session: Session, reference: str) -> bool:
    query = sa.select(models.Report.id).where(models.Report.reference == reference)
    return session.scalar(query) is not None


def _compose(report: Report, token: str, surging: Surging | None) -> _Composed:
    acknowledgement = None
    if current_app.config["SEND_ACKNOWLEDGEMENT"]:
        acknowledgement = compose_acknowledgement(report, full_url("reports.receipt", token=token))
    return _Composed(
        report=report,
        terms=search.terms(report),
        ticket=compose_ticket(
            report, desk_url(report.reference), surging.similar if surging else None
        ),
        acknowledgement=acknowledgement,
        surging=surging,
        surge_mail=surge.compose(surging, report.saved_at) if surging else None,
    )


def _keep(session: Session, draft_id: str, token: str, composed: _Composed, source: str) -> None:
    report = composed.report
    if report.channel == Channel.WEB:
        quotas.take(session, Quota.REPORTS, report.saved_at)
    service, at = report.text("service"), report.saved_at
    row = {
        "reference": report.reference,
        "token_hash": hash_token(token),
        "draft_id": draft_id,
        "content": report.to_json(),
        "service": service,
        "of_service": service,
        "saved_at": at,
        "source": source,
        "severity": report.severity.level,
        "summary": one_line(report.text("summary")),
        "customer": one_line(" · ".join(filter(None, map(report.text, ("name", "company"))))),
    }
    report_id = session.connection().execute(INSERT, row).scalar_one()
    search.add(session, report_id, composed.terms)
    ticket = outbox.enqueue(
        session,
        composed.ticket,
        kind=MailKind.TICKET,
        severity=report.severity.level,
        reference=report.reference,
        due_at=at,
        report_id=report_id,
    )
    if mail := composed.acknowledgement:
        by_phone = report.channel == Channel.PHONE
        outbox.enqueue(
            session,
            mail,
            kind=MailKind.ACKNOWLEDGEMENT,
            reference=report.reference,
            due_at=at if by_phone else acknowledgements.due_at(session, mail.recipient, at),
            mailbox=acknowledgements.mailbox(mail.recipient),
            report_id=report_id,
            after=ticket,
        )
    if composed.surging:
        surge.keep(session, composed.surging, composed.surge_mail, at)
