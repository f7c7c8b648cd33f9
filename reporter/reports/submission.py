"""Keeping a report: the report and the mails it causes, in one transaction.

A report counts as sent in by the customer once it is committed here. SMTP is never spoken in a
request: the mails wait in the outbox.

What is kept is composed before the transaction begins, in which there are only inserts: whoever
writes on SQLite holds up everybody else who does. What could have become untrue meanwhile is found
by the database's unique keys (that the draft was not sent before, that nobody has the reference).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import cast

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from reporter import models, surge
from reporter.attachments.store import adopt, of_draft_with_content
from reporter.database import get_database
from reporter.database.statement import Statement
from reporter.delivery import outbox
from reporter.delivery.outbox import Mail
from reporter.formats.reference import new_reference
from reporter.links import hash_token, receipt_token
from reporter.models import Author, Channel, MailKind, Quota, UpdateKind
from reporter.report import Report
from reporter.reports import search
from reporter.reports.composing import Composed, compose
from reporter.web import mailboxes, quotas

# Made once: that takes longer than the row that it adds.
DRAFT = cast(sa.Table, models.Draft.__table__)
DELETE_DRAFT = Statement(sa.delete(DRAFT).where(DRAFT.c.id == sa.bindparam("this")))


def submit(
    draft_id: str, report: Report, sources: Sequence[str] = (), *, has_files: bool = True
) -> str:
    """Keep *report* under a new reference, queue its mails, return the token of its receipt.

    *sources*: keyed hashes of whom it comes from, the present one first. *has_files*: whether the
    review showed files; those that come later go with what is sent next. A draft is kept once: a
    double click, a replay or a retry returns the first receipt's token. A client that has sent too
    many by the web is answered 429.
    Raises sqlalchemy.exc.DBAPIError when nothing could be kept.
    """
    token = receipt_token(draft_id)
    database = get_database()
    with database.read() as session:
        files = of_draft_with_content(session, draft_id) if has_files else ()
        service, at = report.text("service"), report.saved_at
        source = surge.name_of(session, service, at, sources)
        surging = surge.judge(session, service, at, source)
    columns = {"draft_id": draft_id, "token_hash": hash_token(token), "source": source}
    while True:
        composed = compose(
            replace(report, reference=new_reference()), token, columns, surging, files
        )
        try:
            database.write_together(partial(_keep, draft_id=draft_id, composed=composed))
        except IntegrityError:
            with database.read() as session:
                if first := kept_hash(session, draft_id):
                    return receipt_token(draft_id, first)
                if not _is_taken(session, composed.report.reference):
                    raise
        else:
            return token


def kept_hash(session: Session, draft_id: str) -> str | None:
    """What is kept of the token of the report that was made of this draft, if one was."""
    query = sa.select(models.Report.token_hash).where(models.Report.draft_id == draft_id)
    return session.scalar(query)


def _is_taken(session: Session, reference: str) -> bool:
    query = sa.select(models.Report.id).where(models.Report.reference == reference)
    return session.scalar(query) is not None


def _keep_rest(session: Session, mail: Mail, report: Report, report_id: int, ticket: int) -> None:
    message_id = outbox.enqueue(
        session,
        mail,
        kind=MailKind.FOLLOWUP,
        severity=report.severity.level,
        reference=report.reference,
        due_at=report.saved_at,
        report_id=report_id,
        after=ticket,
        blocked=True,
    )
    session.add(
        models.Update(
            report_id=report_id,
            author=Author.CUSTOMER,
            kind=UpdateKind.FILES,
            content={"text": ""},
            created_at=report.saved_at,
            number=1,
            message_id=message_id,
        )
    )


def _keep(session: Session, draft_id: str, composed: Composed) -> None:
    report, at = composed.report, composed.report.saved_at
    if report.channel == Channel.WEB:
        quotas.take(session, Quota.REPORTS, at)
    ((report_id,),) = composed.insert.rows(session)
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
    adopt(session, draft_id, report_id, report.reference, composed.files)
    DELETE_DRAFT.change(session, {"this": draft_id})
    if composed.rest:
        _keep_rest(session, composed.rest, report, report_id, ticket)
    if mail := composed.acknowledgement:
        by_phone = report.channel == Channel.PHONE
        outbox.enqueue(
            session,
            mail,
            kind=MailKind.ACKNOWLEDGEMENT,
            reference=report.reference,
            due_at=at if by_phone else mailboxes.due_at(session, composed.mailbox, at),
            mailbox=composed.mailbox[0],
            report_id=report_id,
            after=ticket,
            blocked=True,
        )
    if composed.surging:
        surge.keep(session, composed.surging, composed.surge_mail, at)
