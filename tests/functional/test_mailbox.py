"""The demonstration's mailbox: what SMTP brings can be read."""

from __future__ import annotations

import os
import smtplib
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from ports import free_port

from reporter.demo import mailbox


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new folder" / "inbox"


@pytest.fixture
def port(path: Path) -> Iterator[int]:
    port = free_port()
    running = mailbox.start(path, port)
    yield port
    running.stop()


def send(port: int, subject: str, **attachments: bytes) -> None:
    message = EmailMessage()
    message["From"] = "Hosting Ejemplo <incident-reporter@example.com>"
    message["To"] = "support@example.com"
    message["Subject"] = subject
    message.set_content("La web no carga – error 502\n", cte="quoted-printable")
    for name, content in attachments.items():
        message.add_attachment(
            content, maintype="application", subtype="octet-stream", filename=f"{name}.txt"
        )
    with smtplib.SMTP("127.0.0.1", port) as client:
        client.send_message(message)


def test_mails_are_listed_newest_first(path: Path, port: int) -> None:
    for subject in ("uno", "dos", "tres – ñ"):
        send(port, subject)
    for file in path.glob("new/*"):
        os.utime(file, (1_700_000_000, 1_700_000_000))  # as in one tick of the clock
    entries = mailbox.entries(path)
    assert [entry.subject for entry in entries] == ["tres – ñ", "dos", "uno"]
    assert entries[0].sender == "Hosting Ejemplo <incident-reporter@example.com>"
    assert entries[0].recipient == "support@example.com"
    assert entries[0].received_at.tzinfo is not None


def test_a_mail_is_shown_with_headers_text_and_attachments(path: Path, port: int) -> None:
    send(port, "INC-KX7M9Q: caída", log=b"502\xff", other="ñ".encode())
    [entry] = mailbox.entries(path)
    mail = mailbox.read(path, entry.key)
    assert mail is not None
    assert ("Subject", "INC-KX7M9Q: caída") in mail.headers
    assert mail.text == "La web no carga – error 502\n"
    assert [(a.name, a.content_type, a.content) for a in mail.attachments] == [
        ("log.txt", "application/octet-stream", b"502\xff"),
        ("other.txt", "application/octet-stream", "ñ".encode()),
    ]


def test_an_unknown_key_is_nothing(path: Path, port: int) -> None:
    send(port, "uno")
    for key in ("", "missing", "../inbox", f"../new/{mailbox.entries(path)[0].key}"):
        assert mailbox.read(path, key) is None


def test_an_empty_or_missing_mailbox_lists_nothing(tmp_path: Path, path: Path, port: int) -> None:
    assert mailbox.entries(path) == []
    assert mailbox.entries(tmp_path / "nowhere") == []


def test_the_mailbox_keeps_its_mails_over_a_restart(path: Path, port: int) -> None:
    send(port, "uno")
    again = mailbox.start(path, other := free_port())
    send(other, "dos")
    again.stop()
    assert len(mailbox.entries(path)) == 2
