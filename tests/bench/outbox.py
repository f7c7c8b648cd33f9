"""How fast the worker empties its queue, and who goes first when it is slow."""

from __future__ import annotations

import contextlib
import smtplib
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from candidates import sink
from figures import Figure, at_least, at_most, middle
from running import Service

from reporter.database import Database
from reporter.delivery import outbox
from reporter.delivery.outbox import Mail
from reporter.models import MailKind


def run(quick: bool) -> list[Figure]:
    mails, rounds = (100, 1) if quick else (400, 5)
    figures = []
    for latency, connections in ((0, 4), (50, 16)) if quick else ((0, 4), (50, 1), (50, 16)):
        parts = []
        for _ in range(rounds):
            ours_rate = _drained(mails, latency, connections)
            parts.append(ours_rate / (_bare(latency) if not latency else connections / 0.05))
        what = f"drain at {latency} ms, {connections} conversations ÷ "
        what += "bare smtplib" if not latency else f"({connections} ÷ latency)"
        goal = {(0, 4): 0.5, (50, 16): 0.85}.get((latency, connections))
        part = middle(parts)
        figures.append(at_least(what, part, goal) if goal else Figure(what, f"{part:.2f}"))
    waited = [_first() for _ in range(1 if quick else 3)]
    what = "critical ticket behind 300 notices and 60 acknowledgements, 0.7 s each: s"
    return [*figures, at_most(what, middle(waited), 3, "{:.1f}")]


def _mail(number: int, to: str, subject: str = "one of many") -> Mail:
    body = b"Cae el nodo 7.\r\n" * 200
    head = f"Subject: {subject}\r\nMessage-ID: <{number}@bench.example>\r\n\r\n"
    return Mail(to, f"<{number}@bench.example>", head.encode() + body)


def _queue(database: Database, kind: MailKind, numbers: range) -> None:
    with database.write() as session:
        for number in numbers:
            mail = _mail(number, f"a{number}@example.com")
            outbox.enqueue(session, mail, kind=kind, reference="N-7M9QK", due_at=_now())


def _now() -> datetime:
    return datetime.now(UTC)


@contextlib.contextmanager
def _made(port: int, connections: int) -> Iterator[tuple[Service, Database]]:
    """A database with its tables, and a worker that was not started."""
    with tempfile.TemporaryDirectory() as folder:
        settings = {"MAIL_SERVER": "127.0.0.1", "MAIL_PORT": port}
        settings |= {"WORKER_CONNECTIONS": connections}
        service = Service(Path(folder), "worker", **settings)
        service.run("db", "upgrade")
        path = next(Path(folder).rglob("*.db"))
        database = Database(f"sqlite:///{path}")
        try:
            yield service, database
        finally:
            database.close()


def _taken(process: subprocess.Popen[str], count: int) -> list[tuple[float, str]]:
    """When each mail was taken, and its subject."""
    assert process.stdout
    lines = (process.stdout.readline().partition(" ") for _ in range(count))
    return [(float(at), subject.strip()) for at, _, subject in lines]


def _drained(mails: int, latency: int, connections: int) -> float:
    """Mails a second, from the first that is taken to the last."""
    with sink(latency, "tell") as (port, relay), _made(port, connections) as (service, database):
        _queue(database, MailKind.NOTICE, range(mails))
        service.arguments = ("worker", "--once")
        service.start()
        taken = _taken(relay, mails)
        service.process.wait(60)
        warm = connections  # what starts at one moment says nothing of the pace
        return (mails - warm) / (taken[-1][0] - taken[warm - 1][0])


def _bare(latency: int) -> float:
    """The same, by the standard library over one connection, and nothing else."""
    content = [_mail(n, "").content for n in range(400)]
    with sink(latency, "tell") as (port, relay), smtplib.SMTP("127.0.0.1", port) as smtp:
        reader = threading.Thread(target=_taken, args=(relay, len(content)))
        reader.start()
        begun = time.perf_counter()
        for each in content:
            smtp.sendmail("form@example.com", ["a@example.com"], each)
        took = time.perf_counter() - begun
        reader.join()
    return len(content) / took


def _first() -> float:
    """Seconds until a critical ticket is taken that comes when all the others wait."""
    with sink(700, "tell") as (port, relay), _made(port, 4) as (service, database):
        _queue(database, MailKind.NOTICE, range(300))
        _queue(database, MailKind.ACKNOWLEDGEMENT, range(300, 360))
        service.start()
        try:
            _taken(relay, 8)
            with database.write() as session:
                ticket = _mail(999, "support@example.com", "urgent")
                options = {"reference": "INC-KX7M9Q", "due_at": _now(), "severity": 1}
                outbox.enqueue(session, ticket, kind=MailKind.TICKET, **options)  # type: ignore
            begun = time.time()
            while (taken := _taken(relay, 1)[0])[1] != "urgent":
                assert time.time() < begun + 120
            return taken[0] - begun
        finally:
            service.kill_all()
