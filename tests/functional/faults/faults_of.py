"""Faults of everything that delivery depends on, as processes, and how many mails were lost: none.

`make test` runs a short form of each; `make faults` (FAULTS=long) all of them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from conftest import a_mail
from running import Service, kill_all
from servers import HANG, SmtpServer, drips, never_ends, says, smtp_server, talks

from reporter.database import Database
from reporter.delivery import outbox
from reporter.delivery.relays import Relay
from reporter.models import MailKind, MailState, Message

LONG = os.environ.get("FAULTS") == "long"


class Delivery:
    """One worker process over a database of its own, and the mails that it is to deliver."""

    def __init__(self, folder: Path, database: Database, url: str) -> None:
        self.folder, self.database, self.url = folder, database, url

    def queue(self, count: int) -> None:
        with self.database.write() as session:
            for number in range(count):
                outbox.enqueue(
                    session,
                    a_mail(mime_id=f"<{number}@example.com>", content=content(number)),
                    kind=MailKind.TICKET,
                    reference=f"INC-A{number:05}",
                    due_at=datetime.now(UTC),
                )

    def unsent(self) -> int:
        unsent = sa.select(sa.func.count()).where(Message.state != MailState.SENT)
        with self.database.read() as session:
            return session.scalar(unsent) or 0

    def in_hand(self) -> int:
        held = sa.select(sa.func.count()).where(Message.claimed_by.is_not(None))
        with self.database.read() as session:
            return session.scalar(held) or 0

    @contextmanager
    def worker(self, relay: Relay, **settings: Any) -> Iterator[Service]:
        service = Service(
            self.folder,
            "worker",
            SETTINGS=os.devnull,  # and not what this machine may be set up with
            BASE_URL="https://incidents.example.com",
            DATABASE_URL=self.url,
            MAIL_SERVER=relay.server,
            MAIL_PORT=relay.port,
            **settings,
        )
        service.start()
        try:
            yield service
        finally:
            kill_all(service.tree())
            service.process.wait(10)


def content(number: int) -> bytes:
    return f"Message-ID: <{number}@example.com>\r\n\r\nx\r\n".encode()


def arrived(server: SmtpServer) -> set[bytes]:
    return {mail.content for mail in server.received}


@contextmanager
def hanging(where: str) -> Iterator[Relay]:
    """A relay that never comes to an end with us: at a stage, or from the first byte."""
    talk: dict[str, Callable[[Any], None]] = {"drips": drips, "never_ends": never_ends}
    if where == "silent":
        with says(None) as relay:
            yield relay
    elif where in talk:
        with talks(talk[where]) as relay:
            yield relay
    else:
        with smtp_server(answers={where: [HANG] * 1000}) as server:
            yield server.relay
