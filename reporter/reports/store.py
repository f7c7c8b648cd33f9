"""Reports as they are kept: found, locked and read in one place."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, defer

from reporter import models
from reporter.database import Lock, exclusive
from reporter.delivery.renamed import mime_id_at
from reporter.links import hash_token
from reporter.models import Author, MailKind, Outcome, UpdateKind
from reporter.report import Report, sections_from_json

# Statements are made once: that takes longer than they run.
BY_TOKEN = sa.select(models.Report).where(models.Report.token_hash == sa.bindparam("token_hash"))
DETAILS = (
    sa.select(models.Update.content)
    .where(
        models.Update.report_id == sa.bindparam("this"),
        models.Update.kind == UpdateKind.DETAILS,
    )
    .order_by(models.Update.id.desc())
    .limit(1)
)
EARLIER_DETAILS = DETAILS.where(
    sa.func.coalesce(models.Update.number, 0) < sa.bindparam("before", type_=sa.Integer)
)


def by_token(session: Session, token: str) -> models.Report | None:
    """The one whose receipt *token* opens."""
    return session.scalar(BY_TOKEN, {"token_hash": hash_token(token)})


def by_reference(session: Session, reference: str) -> models.Report | None:
    """The one of that reference, exactly as it is written in mails."""
    return session.scalar(sa.select(models.Report).where(models.Report.reference == reference))


def of_draft(session: Session, draft_id: str) -> Report | None:
    """What was made of a draft, as it was sent; None while it was not."""
    query = sa.select(models.Report.content).where(models.Report.draft_id == draft_id)
    content = session.scalar(query)
    return Report.from_json(content) if content else None


def by_mime_id(session: Session, mime_id: str) -> models.Report | None:
    """The one that a mail of ours with that Message-ID is of."""
    query = sa.select(models.Message.report_id).where(models.Message.mime_id == mime_id)
    report_id = session.scalar(query)
    return session.get(models.Report, report_id) if report_id else None


def lock(session: Session, report_id: int) -> models.Report:
    """The report as it is now. Nobody else changes it until the transaction ends."""
    exclusive(session, Lock.REPORT, report_id)
    return session.get_one(models.Report, report_id, populate_existing=True)


def ticket_of(session: Session, row: models.Report) -> models.Message:
    """The mail that goes before all others of a report, without its bytes."""
    query = sa.select(models.Message).where(
        models.Message.report_id == row.id, models.Message.kind == MailKind.TICKET
    )
    return session.scalars(query.options(defer(models.Message.content))).one()


def root_of(session: Session, row: models.Report) -> str:
    """What a report's mails to support answer: the Message-ID that its ticket was made with, and
    the one that a relay wrote in its place, which is all that the helpdesk has seen."""
    ticket, attempt = ticket_of(session, row), models.Attempt
    query = sa.select(attempt.relay, attempt.reply).where(
        attempt.message_id == ticket.id, attempt.outcome == Outcome.ACCEPTED
    )
    taken = session.execute(query.order_by(attempt.id.desc()).limit(1)).one_or_none()
    named = mime_id_at(*taken) if taken else ""
    return " ".join(dict.fromkeys(filter(None, (ticket.mime_id, named))))


def add_update(
    session: Session,
    row: models.Report,
    author: Author,
    kind: UpdateKind,
    content: dict[str, Any],
    at: datetime,
    next_news_at: datetime | None = None,
) -> models.Update:
    """Add to what came after a report, of which nothing else is read: it may be much."""
    update = models.Update(
        report_id=row.id,
        author=author,
        kind=kind,
        content=content,
        created_at=at,
        next_news_at=next_news_at,
    )
    session.add(update)
    return update


def last_update(
    session: Session, row: models.Report, *conditions: sa.ColumnElement[bool]
) -> models.Update | None:
    """The last of what came after a report for which *conditions* hold."""
    query = sa.select(models.Update).where(models.Update.report_id == row.id, *conditions)
    return session.scalar(query.order_by(models.Update.id.desc()).limit(1))


def latest_updates(session: Session, row: models.Report, most: int) -> list[models.Update]:
    """What came last after a report, newest first."""
    update = models.Update
    query = sa.select(update).where(update.report_id == row.id).order_by(update.id.desc())
    return list(session.scalars(query.limit(most)))


def to_value(session: Session, row: models.Report, before: int | None = None) -> Report:
    """The report with its details as last sent; with *before*, as sent before that follow-up."""
    return with_details(session, row.id, as_sent(row), before)


def as_sent(row: models.Report) -> Report:
    """The report without details, where the customer can be reached now."""
    return Report.from_json(row.content).with_contact(row.email, row.phone)


def with_details(
    session: Session, report_id: int, report: Report, before: int | None = None
) -> Report:
    """*report*, as it was first sent, with its details; as in `to_value`."""
    statement = DETAILS if before is None else EARLIER_DETAILS
    asked = {"this": report_id} if before is None else {"this": report_id, "before": before}
    details = session.scalar(statement, asked)
    return report.with_answers(sections_from_json(details["sections"])) if details else report
