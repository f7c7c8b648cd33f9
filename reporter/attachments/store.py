"""A customer's files: kept at once, sent with the details that are sent next.

They are given back to the customer's own receipt alone, and only as downloads.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import PurePath

import sqlalchemy as sa
from flask import current_app
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

from reporter.attachments.filetypes import (
    TEXT,
    FileType,
    Heic,
    NotAllowed,
    TooManyPixels,
    detect,
    is_named_so,
)
from reporter.attachments.location import without_position
from reporter.database import Lock, exclusive, get_database
from reporter.formats.text import one_line, shortened
from reporter.formats.words import size_in_words
from reporter.models import Attachment
from reporter.report import StoredFile

NAME_LENGTH = 120
MAX_FILES = 50  # of a report


def keep(report_id: int, reference: str, uploads: Sequence[FileStorage]) -> list[str]:
    """Keep what can be kept; return what to tell the customer of the rest.

    A file that is there already is not kept twice.
    """
    problems = []
    limit: int = current_app.config["MAX_ATTACHMENT_BYTES"]
    for upload in uploads:
        name = shortened(one_line(upload.filename or ""), NAME_LENGTH)
        content = upload.stream.read(limit + 1)
        if not name and not content:
            continue  # no file was chosen
        try:
            kind = detect(content, name)
            content = without_position(content, kind)
        except NotAllowed as error:
            problems.append(_refusal(name, error))
            continue
        problem = _insert(report_id, reference, name, content, kind, limit)
        if problem:
            problems.append(problem)
    return problems


def files_of(session: Session, report_id: int) -> tuple[StoredFile, ...]:
    """Every file of a report, oldest first."""
    query = sa.select(Attachment).where(Attachment.report_id == report_id).order_by(Attachment.id)
    return tuple(_stored(row) for row in session.scalars(query))


def remove(report_id: int, attachment_id: int) -> None:
    """Forget a file that was not sent yet."""
    with get_database().write() as session:
        session.execute(
            sa.delete(Attachment).where(
                Attachment.id == attachment_id,
                Attachment.report_id == report_id,
                Attachment.number.is_(None),
            )
        )


def read(session: Session, report_id: int, attachment_id: int) -> tuple[StoredFile, bytes] | None:
    """A file of this report, with its content."""
    row = session.get(Attachment, attachment_id)
    if row is None or row.report_id != report_id:
        return None
    return _stored(row), row.content


def taken_as(file: StoredFile) -> str:
    """In words, what it is sent as; empty where its name says so."""
    if is_named_so(file.name, file.mime_type):
        return ""
    if file.mime_type == TEXT.mime_type:
        return str(_("taken as text"))
    return str(_("taken as %(kind)s", kind=PurePath(file.filename).suffix[1:].upper()))


def _refusal(name: str, error: NotAllowed) -> str:
    if isinstance(error, Heic):
        problem = _("%(name)s is a HEIC picture, which we cannot take: send it as JPEG", name=name)
    elif isinstance(error, TooManyPixels):
        problem = _("%(name)s has too many pixels: send it smaller", name=name)
    else:
        problem = _("%(name)s is not a picture, a PDF or a text: we cannot take it", name=name)
    return str(problem)


def _insert(
    report_id: int,
    reference: str,
    name: str,
    content: bytes,
    kind: FileType,
    limit: int,
) -> str:
    """Why it does not fit; empty when it is kept."""
    digest = hashlib.sha256(content).hexdigest()
    with get_database().write() as session:
        exclusive(session, Lock.FILES, report_id)
        present = files_of(session, report_id)
        if any(file.sha256 == digest for file in present):
            return ""
        if sum(file.size for file in present) + len(content) > limit:
            return str(
                _(
                    "%(name)s is too large to add: files can be %(limit)s in total",
                    name=name,
                    limit=size_in_words(limit),
                )
            )
        if len(present) >= MAX_FILES:
            return str(
                _(
                    "%(name)s does not fit: a report may have %(limit)s files",
                    name=name,
                    limit=MAX_FILES,
                )
            )
        number = 1 + max((_place(file.filename) for file in present), default=0)
        row = Attachment(
            report_id=report_id,
            name=name or kind.suffix,
            filename=f"{reference}-{number}-{_ascii(name)}.{kind.suffix}",
            mime_type=kind.mime_type,
            size=len(content),
            sha256=digest,
            content=content,
            created_at=datetime.now(UTC),
        )
        session.add(row)
    return ""


def _place(filename: str) -> int:
    return int(filename.split("-")[2])


def _ascii(name: str) -> str:
    """A name that any file system and mail program takes."""
    plain = unicodedata.normalize("NFKD", PurePath(name).stem).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:40].strip("-") or "file"


def _stored(row: Attachment) -> StoredFile:
    return StoredFile(
        row.id, row.name, row.filename, row.mime_type, row.size, row.sha256, row.number
    )
