"""From an upload to what is kept of it, or to why it cannot be: no database, and in the language in
use. Counted, sized and known again before anything is decoded.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from flask import current_app
from flask_babel import gettext as _
from werkzeug.datastructures import FileStorage

from reporter.attachments import refusals
from reporter.attachments.detection import detect
from reporter.attachments.filetypes import (
    GZ,
    TEXT,
    UNCONVERTED,
    FileType,
    NotAllowed,
)
from reporter.attachments.location import may_tell_position, without_position
from reporter.attachments.naming import stem, text_suffix
from reporter.attachments.plain_text import to_text
from reporter.attachments.refusals import Refused
from reporter.attachments.turns import Busy, Turn
from reporter.database import file as database_file
from reporter.formats.secrets import holds_secret
from reporter.formats.text import one_line, shortened

NAME_LENGTH = 120
# A text is looked through for secrets so far; the rest of a log is more of the same.
SEARCHED = 8 * 2**20
# A file over this takes much memory while it is read; one at a time has it. Nobody is turned away
# from the line: of what arrives at a time only so much is large (`web.bounds.ARRIVING_BYTES`), a
# client's part of it 31 files, and each client's next one waits for one of every other's.
LARGE = 8 * 2**20
large = Turn(waiting=sys.maxsize)


@dataclass(frozen=True)
class Room:
    """What is kept already: digests, and bytes that go in mails and that are for the desk."""

    digests: frozenset[str]
    mailed: int
    for_desk: int


@dataclass(frozen=True)
class Reading:
    """What is kept of an upload. `stem`: a name that any file system and mail program takes."""

    name: str
    stem: str
    content: bytes
    mime_type: str
    suffix: str
    for_desk: bool
    original_sha256: str
    holds_secret: bool
    tells_position: bool

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def name_of(upload: FileStorage) -> str:
    return shortened(one_line(upload.filename or ""), NAME_LENGTH)


def is_empty(upload: FileStorage) -> bool:
    return _size(upload) == 0


@contextmanager
def one_large_at_a_time(upload: FileStorage) -> Iterator[None]:
    """Hold the memory that a large file takes to that of one."""
    if _size(upload) <= LARGE:
        yield
        return
    with large.taken(_client(upload)):
        yield


def read(upload: FileStorage, name: str, room: Room) -> Reading | None:
    """What is kept of *upload*; None for one that is there already. Raises Refused."""
    if getattr(upload.stream, "declined", False) or not _has_space():
        raise Refused(
            _(
                "%(name)s could not be kept: we have no space for files right now. "
                "Send your report without it and add it later",
                name=name,
            )
        )
    if _size(upload) > current_app.config["MAX_DESK_FILE_BYTES"]:
        raise Refused(_too_large(name, for_desk=True))
    content = upload.stream.read()
    original = hashlib.sha256(content).hexdigest()
    if original in room.digests:
        return None
    try:
        kind = detect(content, name)
        if kind == TEXT and len(content) > _mail_bytes() - room.mailed:
            return _packed(name, content, original)
        if not kind.for_desk and not kind.converted and len(content) > _mail_bytes():
            raise Refused(_too_large(name))
        content, kind = _cleaned(content, kind, _client(upload), _mail_bytes() - room.mailed)
    except NotAllowed as error:
        raise Refused(refusals.unreadable(name, error)) from None
    found = Reading(
        name=name or kind.suffix,
        stem=stem(name),
        content=content,
        mime_type=kind.mime_type,
        suffix=kind.suffix,
        for_desk=kind.for_desk,
        original_sha256=original,
        holds_secret=kind == TEXT and holds_secret(to_text(content[:SEARCHED])),
        tells_position=may_tell_position(content, kind),
    )
    refuse_what_does_not_fit(found, room)
    return found


def refuse_what_does_not_fit(found: Reading, room: Room) -> None:
    """Raises Refused for what does not fit in *room*."""
    if found.for_desk:
        if room.for_desk + len(found.content) > current_app.config["MAX_DESK_FILE_BYTES"]:
            raise Refused(_too_large(found.name, for_desk=True))
    elif room.mailed + len(found.content) > _mail_bytes():
        raise Refused(_too_large(found.name))


def _cleaned(content: bytes, kind: FileType, client: str, most: int) -> tuple[bytes, FileType]:
    if kind.converted:
        from reporter.attachments.conversion import convert

        try:
            return convert(content, kind, client, max(most, 0))
        except Busy:  # nobody is to wait, or to come back, for the sake of how it is shown
            return content, UNCONVERTED[kind]
    return without_position(content, kind), kind


def _client(upload: FileStorage) -> str:
    """Whose it is, as clients are counted; nobody's where they are not."""
    return str(getattr(upload.stream, "client", ""))


def _packed(name: str, content: bytes, original: str) -> Reading:
    """A text too large for a mail, as a HAR, as small as it gets, for the desk."""
    return Reading(
        name=f"{name[: NAME_LENGTH - 3]}.gz",
        stem=stem(name),
        content=gzip.compress(content, mtime=0),
        mime_type=GZ.mime_type,
        suffix=f"{text_suffix(name)}.gz",
        for_desk=True,
        original_sha256=original,
        holds_secret=holds_secret(to_text(content[:SEARCHED])),
        tells_position=False,
    )


def _mail_bytes() -> int:
    limit: int = current_app.config["MAX_ATTACHMENT_BYTES"]
    return limit


def _has_space() -> bool:
    """Whether the disk of the database has room for files; of a local one only."""
    config = current_app.config
    free = database_file.free_bytes(config["DATABASE_URL"])
    return free is None or bool(free >= config["MIN_FREE_BYTES"])


def _size(upload: FileStorage) -> int:
    upload.stream.seek(0, os.SEEK_END)
    size = upload.stream.tell()
    upload.stream.seek(0)
    return size


def _too_large(name: str, *, for_desk: bool = False) -> str:
    limit = current_app.config["MAX_DESK_FILE_BYTES"] if for_desk else _mail_bytes()
    return refusals.too_large(name, limit, for_desk=for_desk)
