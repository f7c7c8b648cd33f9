"""A customer's files: kept at once, of a draft or of a report, and sent with what is sent next.

They are given back to the customer's own pages alone; those that are for support's desk are told
of, and never sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session
from werkzeug.datastructures import FileStorage

from reporter.attachments import reading, refusals
from reporter.attachments.reading import Reading, Room
from reporter.attachments.refusals import Refused
from reporter.database import Lock, exclusive, get_database
from reporter.database.statement import Statement
from reporter.models import Attachment, Draft
from reporter.report import StoredFile

MAX_FILES = 50  # of a report
# Statements are made once: that takes longer than they run.
ALL = sa.select(Attachment).order_by(Attachment.id)
OF_REPORT = ALL.where(Attachment.report_id == sa.bindparam("owner"))
OF_DRAFT = ALL.where(Attachment.draft_id == sa.bindparam("owner"))
# Whether there are any, at the price of a look: most reports have none.
ANY_OF_DRAFT = Statement(
    sa.select(sa.literal(1)).where(Attachment.draft_id == sa.bindparam("draft_id")).limit(1)
)


@dataclass(frozen=True)
class Owner:
    """Whose files they are: a report's, or those of a draft, which have no reference yet."""

    report_id: int | None = None
    draft_id: str | None = None
    reference: str = ""

    def column(self) -> sa.ColumnElement[bool]:
        found: tuple[InstrumentedAttribute[int | None] | InstrumentedAttribute[str | None], object]
        found = (Attachment.report_id, self.report_id)
        if self.report_id is None:
            found = (Attachment.draft_id, self.draft_id)
        return found[0] == found[1]


@dataclass(frozen=True)
class Allowance:
    """How many bytes one client may have here unsent, of what came since a time."""

    clients: Sequence[str]  # the client's names, today's first
    since: datetime
    most: int


def keep(
    owner: Owner,
    uploads: Sequence[FileStorage],
    question: str = "files",
    allowance: Allowance | None = None,
) -> list[str]:
    """Keep what can be kept; return what to tell the customer of the rest.

    A file that is there already is not kept twice, and not looked at again. *question*: the key of
    the one that they answer. *allowance*: of the client that they come from; without it, any.
    """
    problems = []
    for upload in uploads:
        name = reading.name_of(upload)
        if not name and reading.is_empty(upload):
            continue  # no file was chosen
        try:
            with get_database().read() as session:
                room = _room(list(_rows(session, owner)))
            if len(uploads) > MAX_FILES:
                raise Refused(refusals.too_many(name, MAX_FILES))
            with reading.one_large_at_a_time(upload):
                read = reading.read(upload, name, room)
                if read is not None:
                    _insert(owner, read, question, allowance)
        except Refused as error:
            problems.append(str(error))
    return problems


def files_of(session: Session, report_id: int) -> tuple[StoredFile, ...]:
    """Every file of a report, oldest first."""
    return tuple(_stored(row) for row in _rows(session, Owner(report_id=report_id)))


def files_of_draft(session: Session, draft_id: str) -> tuple[StoredFile, ...]:
    return tuple(_stored(row) for row in _rows(session, Owner(draft_id=draft_id)))


def of_draft_with_content(session: Session, draft_id: str) -> tuple[tuple[StoredFile, bytes], ...]:
    """The files of a draft; those for the desk without their content."""
    if ANY_OF_DRAFT.row(session, {"draft_id": draft_id}) is None:
        return ()
    rows = _rows(session, Owner(draft_id=draft_id))
    return tuple((_stored(row), b"" if row.for_desk else row.content) for row in rows)


def content_of(session: Session, file: StoredFile) -> bytes:
    """What goes into a mail of a file: nothing of one for the desk, or of one that is gone."""
    row = None if file.for_desk else session.get(Attachment, file.id)
    return row.content if row else b""


def adopt(
    session: Session, draft_id: str, report_id: int, reference: str, numbers: Mapping[int, int]
) -> None:
    """Make the files of a draft those of the report that it became. *numbers*: of the mail that
    each goes with, by its id. The draft itself can go then."""
    if ANY_OF_DRAFT.row(session, {"draft_id": draft_id}) is None:
        return
    for row in _rows(session, Owner(draft_id=draft_id)):
        row.draft_id, row.report_id, row.number = None, report_id, numbers.get(row.id)
        row.filename = f"{reference}-{row.filename}"
    session.flush()


def remove(owner: Owner, attachment_id: int) -> None:
    """Forget a file that was not sent yet."""
    with get_database().write() as session:
        session.execute(
            sa.delete(Attachment).where(
                Attachment.id == attachment_id,
                owner.column(),
                Attachment.number.is_(None),
            )
        )


def read(
    session: Session, report_id: int | None, attachment_id: int, draft_id: str | None = None
) -> tuple[StoredFile, bytes] | None:
    """A file of this report, or of this draft, with its content."""
    row = session.get(Attachment, attachment_id)
    if row is None or (row.report_id, row.draft_id) != (report_id, draft_id):
        return None
    return _stored(row), row.content


def _rows(session: Session, owner: Owner) -> sa.ScalarResult[Attachment]:
    asked = {"owner": owner.draft_id if owner.report_id is None else owner.report_id}
    return session.scalars(OF_REPORT if owner.report_id is not None else OF_DRAFT, asked)


def _room(rows: Sequence[Attachment]) -> Room:
    return Room(
        digests=frozenset(digest for row in rows for digest in (row.sha256, row.original_sha256)),
        mailed=sum(row.size for row in rows if not row.for_desk),
        for_desk=sum(row.size for row in rows if row.for_desk),
    )


def _insert(owner: Owner, read: Reading, question: str, allowance: Allowance | None) -> None:
    """Raises Refused for what does not fit any more beside what came meanwhile."""
    with get_database().write() as session:
        exclusive(session, Lock.FILES, owner.report_id or owner.draft_id or "")
        if owner.report_id is None and session.get(Draft, owner.draft_id) is None:
            raise Refused(refusals.sent_meanwhile(read.name))
        rows = list(_rows(session, owner))
        room = _room(rows)
        if read.sha256 in room.digests:
            return
        reading.refuse_what_does_not_fit(read, room)
        if len(rows) >= MAX_FILES:
            raise Refused(refusals.too_many(read.name, MAX_FILES))
        if allowance:
            _refuse_what_is_over(session, allowance, read)
        place = 1 + max((row.place for row in rows), default=0)
        filename = f"{place}-{read.stem}.{read.suffix}"
        session.add(
            Attachment(
                report_id=owner.report_id,
                draft_id=None if owner.report_id else owner.draft_id,
                place=place,
                question=question,
                name=read.name,
                filename=f"{owner.reference}-{filename}" if owner.reference else filename,
                mime_type=read.mime_type,
                size=len(read.content),
                sha256=read.sha256,
                original_sha256=read.original_sha256,
                for_desk=read.for_desk,
                holds_secret=read.holds_secret,
                tells_position=read.tells_position,
                client=allowance.clients[0] if allowance else "",
                content=read.content,
                created_at=datetime.now(UTC),
            )
        )


def _refuse_what_is_over(session: Session, allowance: Allowance, read: Reading) -> None:
    """Exact: whoever keeps a file of the same client meanwhile waits for us."""
    exclusive(session, Lock.QUOTA, f"unsent {allowance.clients[0]}")
    unsent = sa.select(sa.func.sum(Attachment.size)).where(
        Attachment.client.in_(allowance.clients),
        Attachment.created_at > allowance.since,
        Attachment.number.is_(None),
    )
    if (session.scalar(unsent) or 0) + len(read.content) > allowance.most:
        raise Refused(refusals.too_much_unsent(read.name, allowance.most))


def _stored(row: Attachment) -> StoredFile:
    return StoredFile(
        id=row.id,
        name=row.name,
        filename=row.filename,
        mime_type=row.mime_type,
        size=row.size,
        sha256=row.sha256,
        number=row.number,
        for_desk=row.for_desk,
        holds_secret=row.holds_secret,
        tells_position=row.tells_position,
        question=row.question,
    )
