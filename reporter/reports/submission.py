"""Keeping a report: the report and the mails it causes, in one transaction.

A report counts as sent in by the customer once it is committed here. SMTP is never spoken in a
request: the mails wait in the outbox.

What is kept is composed before the transaction begins, in which there are only inserts: whoever
writes on SQLite holds up everybody else who does. What could have become untrue meanwhile is found
by the database's unique keys (that the draft was not sent before, that nobody has the reference).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, cast

import sqlalchemy as sa
from flask import current_app
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from reporter import models, surge
from reporter.attachments.store import adopt, of_draft_with_content
from reporter.database import get_database
from reporter.database.statement import Ready, Statement
from reporter.delivery import outbox
from reporter.delivery.outbox import Mail
from reporter.formats.reference import new_reference
from reporter.formats.text import one_line
from reporter.links import desk_url, full_url, hash_token, receipt_token
from reporter.mail.customer import compose_acknowledgement
from reporter.mail.ticket import compose_followup, compose_ticket
from reporter.models import Author, Channel, MailKind, Quota, UpdateKind
from reporter.report import CustomerUpdate, Followup, Report, StoredFile
from reporter.reports import search
from reporter.surge import Surging
from reporter.web import mailboxes, quotas

# Made once: that takes longer than the row that it adds.
REPORT = cast(sa.Table, models.Report.__table__)
DRAFT = cast(sa.Table, models.Draft.__table__)
INSERT = Statement(
    sa.insert(REPORT)
    .values(number_in_service=surge.next_number(sa.bindparam("of_service")))
    .returning(REPORT.c.id)
)


DELETE_DRAFT = Statement(sa.delete(DRAFT).where(DRAFT.c.id == sa.bindparam("this")))
# Of files with the ticket itself, in all.
TICKET_FILES_BYTES = 2_000_000


@dataclass(frozen=True)
class _Composed:
    """A report and all that goes with it, ready to be kept."""

    report: Report
    insert: Ready
    terms: set[str]
    ticket: Mail
    acknowledgement: Mail | None
    mailbox: Sequence[str]  # what that one's is called
    surging: Surging | None
    surge_mail: Mail | None
    files: Mapping[int, int]  # the number of the mail that each goes with, by its id
    rest: Mail | None  # with those that the ticket has no room for


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
        composed = _compose(
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


def _compose(
    report: Report,
    token: str,
    columns: Mapping[str, str],
    surging: Surging | None,
    files: Sequence[tuple[StoredFile, bytes]],
) -> _Composed:
    named = [(replace(f, filename=f"{report.reference}-{f.filename}"), c) for f, c in files]
    with_ticket = list(_that_fit(named))
    rest = [each for each in named if each not in with_ticket]
    acknowledgement = None
    if current_app.config["SEND_ACKNOWLEDGEMENT"]:
        acknowledgement = compose_acknowledgement(report, full_url("reports.receipt", token=token))
    return _Composed(
        report=report,
        insert=INSERT.ready(get_database().engine.dialect, {**_row(report), **columns}),
        terms=search.terms(report),
        ticket=compose_ticket(
            report,
            desk_url(report.reference),
            surging.similar if surging else None,
            with_ticket,
        ),
        acknowledgement=acknowledgement,
        mailbox=mailboxes.names_of(acknowledgement.recipient) if acknowledgement else (),
        surging=surging,
        surge_mail=surge.compose(surging, report.saved_at) if surging else None,
        files={file.id: 1 if (file, content) in rest else 0 for file, content in named},
        rest=_compose_rest(report, rest) if rest else None,
    )


def _row(report: Report) -> dict[str, Any]:
    service = report.text("service")
    return {
        "reference": report.reference,
        "content": report.to_json(),
        "service": service,
        "of_service": service,
        "saved_at": report.saved_at,
        "severity": report.severity.level,
        "summary": one_line(report.text("summary")),
        "customer": one_line(" · ".join(filter(None, map(report.text, ("name", "company"))))),
    }


def _that_fit(files: Sequence[tuple[StoredFile, bytes]]) -> Iterator[tuple[StoredFile, bytes]]:
    """Those that go with the ticket, which is to arrive fast, and those that it only tells of."""
    room = TICKET_FILES_BYTES
    for file, content in files:
        if file.for_desk or file.size <= room:
            room -= 0 if file.for_desk else file.size
            yield file, content


def _compose_rest(report: Report, files: Sequence[tuple[StoredFile, bytes]]) -> Mail:
    """The first follow-up, with the files that the ticket has no room for."""
    told = CustomerUpdate(UpdateKind.FILES, "", report.saved_at)
    followup = Followup(1, updates=[told], earlier=(), before=report, solved=False)
    return compose_followup(report, followup, files, desk_url(report.reference))


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


def _keep(session: Session, draft_id: str, composed: _Composed) -> None:
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
