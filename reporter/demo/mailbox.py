"""The demonstration's mailbox: an SMTP server on loopback that keeps a Maildir, and its reader."""

from __future__ import annotations

import mailbox
import os
import re
import socket
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Any, Protocol, cast

from aiosmtpd.controller import Controller

from reporter.database.file import make_folder

LOOPBACK = "127.0.0.1"
_NUMBER = re.compile(r"Q(\d+)\.")  # of a mail that `mailbox` has taken


class Running(Protocol):
    def stop(self) -> None: ...


@dataclass(frozen=True)
class Entry:
    """One line of the list. `key` names the mail in its Maildir."""

    key: str
    received_at: datetime
    sender: str
    recipient: str
    subject: str


@dataclass(frozen=True)
class Attachment:
    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True)
class InboxMail:
    """One mail, decoded as a mail program would show it."""

    headers: tuple[tuple[str, str], ...]
    text: str
    attachments: tuple[Attachment, ...]


def start_as_set() -> Running:
    """As `start`, where the settings of the demonstration say (`demo.settings.apply`)."""
    path, port = os.environ["REPORTER_DEMO_MAILBOX"], os.environ["REPORTER_MAIL_PORT"]
    return start(Path(path), int(port))


def start(path: Path, port: int) -> Running:
    """Take mail on loopback at *port*, in a thread, until stopped. Raises OSError."""
    controller = Controller(_Keeper(path), hostname=LOOPBACK, port=port, server_hostname="inbox")
    controller.start()
    return cast(Running, controller)


def free_port() -> int:
    """A port of loopback that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def entries(path: Path) -> list[Entry]:
    """What the Maildir at *path* holds, newest first."""
    return [_entry(file) for file in sorted(_files(path), key=_came, reverse=True)]


def read(path: Path, key: str) -> InboxMail | None:
    """The mail with this key, or None."""
    file = next((file for file in _files(path) if file.name == key), None)
    if file is None:
        return None
    message = message_from_bytes(file.read_bytes(), policy=policy.default)
    body = message.get_body(("plain",))
    return InboxMail(
        headers=tuple((name, str(value)) for name, value in message.items()),
        text=body.get_content().replace("\r\n", "\n") if body else "",
        attachments=tuple(_attachment(part) for part in message.iter_attachments()),
    )


class _Keeper:
    """aiosmtpd's handler. A mail appears in the Maildir whole or not at all."""

    def __init__(self, path: Path) -> None:
        make_folder(path.parent)
        self.maildir = mailbox.Maildir(path, create=True)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.maildir.add(envelope.content)
        return "250 2.0.0 kept"


def _files(path: Path) -> list[Path]:
    return [file for folder in ("new", "cur") for file in (path / folder).glob("*")]


def _came(file: Path) -> tuple[int, int]:
    """In which order: several may have the same time, and each has a number in its name."""
    number = _NUMBER.search(file.name)
    return file.stat().st_mtime_ns, int(number[1]) if number else 0


def _entry(file: Path) -> Entry:
    headers = BytesHeaderParser(policy=policy.default).parsebytes(file.read_bytes())
    return Entry(
        key=file.name,
        received_at=datetime.fromtimestamp(file.stat().st_mtime, UTC),
        sender=str(headers["From"] or ""),
        recipient=str(headers["To"] or ""),
        subject=str(headers["Subject"] or ""),
    )


def _attachment(part: EmailMessage) -> Attachment:
    content = part.get_payload(decode=True)
    return Attachment(
        name=part.get_filename() or "",
        content_type=part.get_content_type(),
        content=content if isinstance(content, bytes) else b"",
    )
