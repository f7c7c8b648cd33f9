"""Reports as they are kept: found, locked and read in one place."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from reporter import models
from reporter.database import Lock, exclusive
from reporter.links import hash_token
from reporter.models import MailKind, UpdateKind
from reporter.report import Report, sections_from_json


def by_token(session: Session, token: str) -> models.Report | None:
    """The one whose receipt *token* opens."""
    query = sa.select(models.Report).where(models.Report.token_hash == hash_token(token))
    return session.scalar(query)


def by_reference(session: Session, reference: str) -> models.Report | None:
    """The one of that reference, exactly as it is written in mails."""
    return session.scalar(sa.select(models.Report).where(models.Report.reference == reference))


def lock(session: Session, report_id: int) -> models.Report:
    """The report as it is now. Nobody else changes it until the transaction ends."""
    exclusive(session, Lock.REPORT, report_id)
    return session.get_one(models.Report, report_id, populate_existing=True)


def ticket_of(row: models.Report) -> models.Message:
    """The mail that goes before all others of a report."""
    return next(message for message in row.messages if message.kind == MailKind.TICKET)


def to_value(row: models.Report, before: int | None = None) -> Report:
    """The report with its details as last sent; with *before*, as sent before that follow-up."""
    report = Report.from_json(row.content)
    details = [
        update
        for update in row.updates
        if update.kind == UpdateKind.DETAILS and (before is None or (update.number or 0) < before)
    ]
    if not details:
        return report
    return report.with_answers(sections_from_json(details[-1].content["sections"]))
