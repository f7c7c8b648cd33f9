"""A report and the mails it causes, composed before any of it is kept.

Whoever writes to a SQLite file holds up everybody else who does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import sqlalchemy as sa
from flask import current_app

from reporter import models, surge
from reporter.database import get_database
from reporter.database.statement import Ready, Statement
from reporter.delivery.outbox import Mail
from reporter.formats.text import one_line
from reporter.links import desk_url, full_url
from reporter.mail.customer import compose_acknowledgement
from reporter.mail.ticket import compose_followup, compose_ticket
from reporter.models import UpdateKind
from reporter.report import CustomerUpdate, Followup, Report, StoredFile
from reporter.reports import search
from reporter.surge import Surging
from reporter.web import mailboxes

# Made once: that takes longer than the row that it adds.
REPORT = cast(sa.Table, models.Report.__table__)
INSERT = Statement(
    sa.insert(REPORT)
    .values(number_in_service=surge.next_number(sa.bindparam("of_service")))
    .returning(REPORT.c.id)
)
# Of files with the ticket itself, in all.
TICKET_FILES_BYTES = 2_000_000


@dataclass(frozen=True)
class Composed:
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


def compose(
    report: Report,
    token: str,
    columns: Mapping[str, str],
    surging: Surging | None,
    files: Sequence[tuple[StoredFile, bytes]],
) -> Composed:
    """*token*: of the receipt. *columns*: of the report's row, beside what is made of it."""
    named = [(replace(f, filename=f"{report.reference}-{f.filename}"), c) for f, c in files]
    with_ticket = list(_that_fit(named))
    rest = [each for each in named if each not in with_ticket]
    acknowledgement = None
    if current_app.config["SEND_ACKNOWLEDGEMENT"]:
        acknowledgement = compose_acknowledgement(report, full_url("reports.receipt", token=token))
    return Composed(
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
