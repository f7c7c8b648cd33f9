"""Faults of everything that delivery depends on, as processes, and how many mails were lost: none.

`make test` runs a short form of each test_*.py; `make faults` (FAULTS=long) all of them, and
long_*.py, which take minutes of real time or a package of the system's.
"""

from __future__ import annotations

import fcntl
import itertools
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa
from conftest import a_mail
from factories import make_tables, sqlite_url
from ports import free_port
from running import Service, family, kill_all
from servers import HANG, SmtpServer, drips, floods, never_ends, says, smtp_server, talks

from reporter.database import Database
from reporter.delivery import outbox
from reporter.delivery.relays import Relay
from reporter.demo.mailbox import LOOPBACK
from reporter.models import Attempt, MailKind, MailState, Message

LONG = os.environ.get("FAULTS") == "long"
# What came of each fault of the long form.
PAGE = Path(__file__).resolve().parents[3] / "docs/faults.md"
RULE = "|---|---|---|---|\n"
Property = Callable[[str, object], None]  # pytest's record_property
# How a relay can fail before it has said who it is.
GREETINGS: dict[str, bytes | Callable[[socket.socket], None] | None] = {
    "silent": None,
    "drips": drips,
    "never ends": never_ends,
    "floods": floods,
    "421 at once": b"421 4.3.2 too busy\r\n",
    "554 at once": b"554 5.3.2 no\r\n",
}


class Fate(NamedTuple):
    """What became of mails that were promised."""

    promised: int
    lost: int  # did not arrive
    again: int  # arrived once more


def tell(property_: Property, url: str, fault: str, fate: Fate) -> None:
    """Note what came of it, at the end of the run; in the long form on the page of docs/ too."""
    name = f"{fault}, {'SQLite' if url.startswith('sqlite') else 'PostgreSQL'}"
    line = f"| {name} | {fate.promised} | {fate.lost} | {fate.again} |"
    property_("fault", line)
    if LONG:
        with PAGE.open("r+", encoding="utf-8") as page:
            fcntl.flock(page, fcntl.LOCK_EX)  # several processes run parts of it
            head, _rule, table = page.read().partition(RULE)
            others = [row for row in table.splitlines() if not row.startswith(f"| {name} |")]
            page.seek(0)
            page.write(head + RULE + "\n".join(sorted([*others, line])) + "\n")
            page.truncate()


class Delivery:
    """Worker processes over a database of its own, and the mails that they are to deliver."""

    def __init__(self, folder: Path, database: Database, url: str) -> None:
        self.folder, self.database, self.url = folder, database, url
        self.expected: list[bytes] = []
        self._names = itertools.count(1)

    def queue(self, reports: int, followups: int = 1) -> None:
        """So many tickets, each with follow-ups behind it."""
        with self.database.write() as session:
            for number in range(reports):
                ticket = None
                for update in range(followups + 1):
                    mail = f"{number}.{update}"
                    row = outbox.enqueue(
                        session,
                        a_mail(mime_id=f"<{mail}@example.com>", content=content(mail)),
                        kind=MailKind.FOLLOWUP if ticket else MailKind.TICKET,
                        reference=f"INC-A{number:05}",
                        due_at=datetime.now(UTC),
                        after=ticket,
                    )
                    ticket = ticket or row
                    self.expected.append(content(mail))

    def fate(self, server: SmtpServer) -> Fate:
        lost = set(self.expected) - arrived(server)
        return Fate(len(self.expected), len(lost), len(server.received) - len(arrived(server)))

    def unsent(self) -> int:
        return self._count(sa.select(sa.func.count()).where(Message.state != MailState.SENT))

    def in_hand(self) -> int:
        return self._count(sa.select(sa.func.count()).where(Message.claimed_by.is_not(None)))

    def attempts(self) -> int:
        return self._count(sa.select(sa.func.count()).select_from(Attempt))

    def _count(self, query: sa.Select[Any]) -> int:
        with self.database.read() as session:
            return session.scalar(query) or 0

    @contextmanager
    def worker(
        self, relay: Relay, variables: dict[str, str] | None = None, **settings: Any
    ) -> Iterator[Service]:
        folder = self.folder / f"worker{next(self._names)}"
        folder.mkdir()
        service = Service(
            folder,
            "worker",
            SETTINGS=os.devnull,  # and not what this machine may be set up with
            BASE_URL="https://incidents.example.com",
            DATABASE_URL=self.url,
            MAIL_SERVER=relay.server,
            MAIL_PORT=relay.port,
            **settings,
        )
        service.environment |= variables or {}
        service.start()
        try:
            yield service
        finally:
            kill_all(service.tree())
            service.process.wait(10)


@contextmanager
def on_sqlite(folder: Path) -> Iterator[Delivery]:
    """For faults that no database has a part in."""
    url = sqlite_url(folder)
    database = Database(url)
    make_tables(database.engine)
    try:
        yield Delivery(folder, database, url)
    finally:
        database.close()


def content(number: str) -> bytes:
    return f"Message-ID: <{number}@example.com>\r\n\r\nx\r\n".encode()


def arrived(server: SmtpServer) -> set[bytes]:
    return {mail.content for mail in server.received}


@contextmanager
def hanging(where: str) -> Iterator[Relay]:
    """A relay that never comes to an end with us: at a stage, or from the first byte."""
    if where in GREETINGS:
        with greets(where) as relay:
            yield relay
    else:
        with smtp_server(answers={where: [HANG] * 1000}) as server:
            yield server.relay


@contextmanager
def greets(how: str) -> Iterator[Relay]:
    """A relay with one of GREETINGS, or nobody at all."""
    if how == "nobody":
        yield Relay(LOOPBACK, free_port())
        return
    what = GREETINGS[how]
    with talks(what) if callable(what) else says(what) as relay:
        yield relay


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """A process and all that came of it does nothing, not even end, as on a machine that hangs."""
    processes = family(pid)

    def each_is_told(number: signal.Signals) -> None:
        for process in processes:
            with suppress(ProcessLookupError):  # one that comes and goes
                os.kill(process.pid, number)

    try:
        each_is_told(signal.SIGSTOP)
        yield
    finally:
        each_is_told(signal.SIGCONT)
