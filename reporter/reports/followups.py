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
from reporter.report import Followup, Report, StoredFile
from reporter.reports import store
from reporter.reports.told import Told

MAIL_BYTES = 9 * 2**20
# Of a file in a mail, beside its content: its headers, its name in the text, its line in the JSON.
PART_BYTES = 1024


def queue(
    session: Session,
    row: models.Report,
    update: models.Update,
    due_at: datetime,
    new: tuple[models.Update, ...] = (),
) -> None:
    """Queue *update* for *due_at* at the latest; details with the files that were not sent yet.

    The caller has the report's lock, within `beforehand.write`. *new*: what else is added in its
    transaction, before.
    """
    told = Told(session, row, (*new, update))
    waiting = None
    if update.kind != UpdateKind.FILES:
        waiting = outbox.untried(session, MailKind.FOLLOWUP, reference=row.reference)
    kept = files_of(session, row.id)
    update.number = told.number_of(waiting) if waiting else told.next_number()
    mail = _compose(told, waiting, update.number, kept)
    if waiting and len(mail.content) > MAIL_BYTES:
        waiting, update.number = None, told.next_number()
        mail = _compose(told, waiting, update.number, kept)
    unsent = []
    if update.kind in {UpdateKind.DETAILS, UpdateKind.FILES}:
        unsent = [file for file in kept if not file.is_sent]
    fitting = _fitting(unsent, MAIL_BYTES - len(mail.content))
    if update.kind == UpdateKind.FILES:
        fitting = fitting or unsent[:1]
    if fitting:
        with_it = [replace(f, number=update.number) if f in fitting else f for f in kept]
        mail = _compose(told, waiting, update.number, with_it)
        _give_number(session, fitting, update.number)
    update.message_id = _enqueue(session, row, waiting, mail, update.created_at, due_at)
    session.flush()
    if len(fitting) < len(unsent):
        rest = store.add_update(
            session, row, Author.CUSTOMER, UpdateKind.FILES, {"text": ""}, update.created_at
        )
        queue(session, row, rest, due_at, told.new)


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


def _compose(
    told: Told, waiting: models.Message | None, number: int, kept: Sequence[StoredFile]
) -> Mail:
    """The mail of that number, with those of the files that are *kept* which have it too."""
    followup = Followup(
        number,
        updates=told.told_with(waiting),
        earlier=told.earlier(number),
        before=told.report(before=number),
        solved=told.row.solved_at is not None,
    )
    return composed(
        told.session,
        _with_files,
        told.report(),
        followup,
        [file for file in kept if file.number == number],
        told.row.helpdesk_number or "",
        store.root_of(told.session, told.row),
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
