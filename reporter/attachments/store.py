"""A customer's files, of a draft or of a report: whose they are, and what is kept of them.

They are given back to the customer's own pages alone; those that are for support's desk are told
of, and never sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from reporter.database import get_database
from reporter.database.statement import Statement
from reporter.models import Attachment
from reporter.report import StoredFile

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


def files_of(session: Session, report_id: int) -> tuple[StoredFile, ...]:
    """Every file of a report, oldest first."""
    return tuple(_stored(row) for row in rows(session, Owner(report_id=report_id)))


def files_of_draft(session: Session, draft_id: str) -> tuple[StoredFile, ...]:
    return tuple(_stored(row) for row in rows(session, Owner(draft_id=draft_id)))


def of_draft_with_content(session: Session, draft_id: str) -> tuple[tuple[StoredFile, bytes], ...]:
    """The files of a draft; those for the desk without their content."""
    if ANY_OF_DRAFT.row(session, {"draft_id": draft_id}) is None:
        return ()
    found = rows(session, Owner(draft_id=draft_id))
    return tuple((_stored(row), b"" if row.for_desk else row.content) for row in found)


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
    for row in rows(session, Owner(draft_id=draft_id)):
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


def rows(session: Session, owner: Owner) -> sa.ScalarResult[Attachment]:
    """Of every file, oldest first."""
    asked = {"owner": owner.draft_id if owner.report_id is None else owner.report_id}
    return session.scalars(OF_REPORT if owner.report_id is not None else OF_DRAFT, asked)


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
