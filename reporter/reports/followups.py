"""The follow-up mails that carry to support what the customer adds to a report.

Until a worker has tried the last one, what comes is composed into it anew. A mail holds the whole
current state, and stays under what mail servers take: what does not fit beside it goes in the
next one, and files whose size leaves no room for the state in one without it.

Files go with the details alone, which the customer has reviewed together with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from reporter import models
from reporter.attachments.store import content_of, files_of
from reporter.database import get_database
from reporter.delivery import outbox
from reporter.delivery.beforehand import composed
from reporter.delivery.outbox import Mail
from reporter.links import desk_url
from reporter.mail.ticket import compose_followup
from reporter.models import Author, MailKind, UpdateKind
from reporter.report import CustomerUpdate, Followup, Report, StoredFile, sections_from_json
from reporter.reports import store

MAIL_BYTES = 9 * 2**20
# Of a file in a mail, beside its content: its headers, its name in the text, its line in the JSON.
PART_BYTES = 1024
# How many of the earlier updates the JSON repeats.
EARLIER = 100


def queue(session: Session, row: models.Report, update: models.Update, due_at: datetime) -> None:
    """Queue *update* for *due_at* at the latest; details with the files that were not sent yet.

    The caller has the report's lock, within `beforehand.write`.
    """
    waiting = None
    if update.kind != UpdateKind.FILES:
        waiting = outbox.untried(session, MailKind.FOLLOWUP, reference=row.reference)
    kept = files_of(session, row.id)
    update.number = _number_of(row, waiting) if waiting else _next_number(row)
    mail = _compose(session, row, update.number, kept)
    if waiting and len(mail.content) > MAIL_BYTES:
        waiting, update.number = None, _next_number(row)
        mail = _compose(session, row, update.number, kept)
    unsent = []
    if update.kind in {UpdateKind.DETAILS, UpdateKind.FILES}:
        unsent = [file for file in kept if not file.is_sent]
    fitting = _fitting(unsent, MAIL_BYTES - len(mail.content))
    if update.kind == UpdateKind.FILES:
        fitting = fitting or unsent[:1]
    if fitting:
        with_it = [replace(f, number=update.number) if f in fitting else f for f in kept]
        mail = _compose(session, row, update.number, with_it)
        _give_number(session, fitting, update.number)
    update.message_id = _enqueue(session, row, waiting, mail, update.created_at, due_at)
    session.flush()
    if len(fitting) < len(unsent):
        rest = models.Update(
            author=Author.CUSTOMER,
            kind=UpdateKind.FILES,
            content={"text": ""},
            created_at=update.created_at,
        )
        row.updates.append(rest)
        queue(session, row, rest, due_at)


def encoded_size(size: int) -> int:
    """How many bytes a file of *size* takes in a mail (base64, RFC 2045, section 6.8)."""
    lines = -(-size // 57)
    return 4 * -(-size // 3) + 2 * lines + PART_BYTES


def _fitting(files: list[StoredFile], room: int) -> list[StoredFile]:
    """As many of *files* as fit in *room* bytes, in order."""
    fitting = []
    for file in files:
        room -= PART_BYTES if file.for_desk else encoded_size(file.size)
        if room < 0:
            break
        fitting.append(file)
    return fitting


def _give_number(session: Session, files: list[StoredFile], number: int) -> None:
    session.execute(
        sa.update(models.Attachment)
        .where(models.Attachment.id.in_([file.id for file in files]))
        .values(number=number)
    )


def _next_number(row: models.Report) -> int:
    return 1 + max((update.number or 0 for update in row.updates), default=0)


def _number_of(row: models.Report, message: models.Message) -> int:
    return next(u.number for u in row.updates if u.message_id == message.id and u.number)


def _enqueue(
    session: Session,
    row: models.Report,
    waiting: models.Message | None,
    mail: Mail,
    at: datetime,
    due_at: datetime,
) -> int:
    """Put *mail* in the place of the one that waits, or behind the ticket; its message's id."""
    if waiting:
        outbox.replace(waiting, mail, due_at=due_at)
        return waiting.id
    return outbox.enqueue(
        session,
        mail,
        kind=MailKind.FOLLOWUP,
        reference=row.reference,
        due_at=due_at,
        report_id=row.id,
        after=store.ticket_of(session, row).id,
        created_at=at,
    )


def _compose(session: Session, row: models.Report, number: int, kept: Sequence[StoredFile]) -> Mail:
    """The mail of that number, with those of the files that are *kept* which have it too."""
    told = [
        u for u in row.updates if u.author != Author.SUPPORT and u.kind != UpdateKind.LINK_NOTICE
    ]
    followup = Followup(
        number,
        updates=[_value(update) for update in told if update.number == number],
        earlier=[_value(update) for update in told if (update.number or 0) < number][-EARLIER:],
        before=_as_of(row, [each for each in row.updates if (each.number or 0) < number]),
        solved=row.solved_at is not None,
    )
    return composed(
        session,
        _with_files,
        _as_of(row, row.updates),
        followup,
        [file for file in kept if file.number == number],
        row.helpdesk_number or "",
        store.ticket_of(session, row).mime_id,
    )


def _with_files(
    report: Report,
    followup: Followup,
    files: Sequence[StoredFile],
    helpdesk_number: str,
    root: str,
) -> Mail:
    with get_database().read() as session:
        with_content = [(file, content_of(session, file)) for file in files]
    return compose_followup(
        report,
        followup,
        with_content,
        desk_url(report.reference),
        helpdesk_number=helpdesk_number,
        root=root,
    )


def _as_of(row: models.Report, updates: Sequence[models.Update]) -> Report:
    """The report with the last details of *updates*, which may not be written yet."""
    report = Report.from_json(row.content).with_contact(row.email, row.phone)
    details = [each.content for each in updates if each.kind == UpdateKind.DETAILS]
    if not details:
        return report
    return report.with_answers(sections_from_json(details[-1]["sections"]))


def _value(update: models.Update) -> CustomerUpdate:
    return CustomerUpdate(update.kind, update.content["text"], update.created_at)
