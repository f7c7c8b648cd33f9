"""A customer's files are kept at once, as far as there is room, and sent with what is sent next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

from reporter.attachments import reading, refusals
from reporter.attachments.reading import Reading, Room
from reporter.attachments.refusals import Refused
from reporter.attachments.store import Owner, rows
from reporter.database import Lock, exclusive, get_database
from reporter.models import Attachment, Draft

MAX_FILES = 50  # of a report


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
                room = _room(list(rows(session, owner)))
            if len(uploads) > MAX_FILES:
                raise Refused(refusals.too_many(name, MAX_FILES))
            with reading.one_large_at_a_time(upload):
                read = reading.read(upload, name, room)
                if read is not None:
                    _insert(owner, read, question, allowance)
        except Refused as error:
            problems.append(str(error))
    return problems


def _room(kept: Sequence[Attachment]) -> Room:
    return Room(
        digests=frozenset(digest for row in kept for digest in (row.sha256, row.original_sha256)),
        mailed=sum(row.size for row in kept if not row.for_desk),
        for_desk=sum(row.size for row in kept if row.for_desk),
    )


def _insert(owner: Owner, read: Reading, question: str, allowance: Allowance | None) -> None:
    """Raises Refused for what does not fit any more beside what came meanwhile."""
    with get_database().write() as session:
        exclusive(session, Lock.FILES, owner.report_id or owner.draft_id or "")
        if owner.report_id is None and session.get(Draft, owner.draft_id) is None:
            raise Refused(refusals.sent_meanwhile(read.name))
        kept = list(rows(session, owner))
        room = _room(kept)
        if read.original_sha256 in room.digests:  # came meanwhile
            return
        reading.refuse_what_does_not_fit(read, room)
        if len(kept) >= MAX_FILES:
            raise Refused(refusals.too_many(read.name, MAX_FILES))
        if allowance:
            _refuse_what_is_over(session, allowance, read)
        place = 1 + max((row.place for row in kept), default=0)
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
