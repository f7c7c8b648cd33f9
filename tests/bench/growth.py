"""The same work over an empty database and over 200 000 reports with 50 000 queued mails: how much
longer each takes. On SQLite, and on PostgreSQL where a server can be started."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from candidates import silence, sink
from customers import Customer
from factories import a_report, an_app
from figures import Figure, at_least, at_most, middle
from flask import Flask
from provider import supporter
from servers import postgres_server

from reporter import surge
from reporter.database import Database
from reporter.delivery import claims, outbox, releases, worker
from reporter.delivery.alarms import Alarms
from reporter.delivery.mail import Mail
from reporter.models import MailKind, MailState, Message, Report, UpdateKind
from reporter.reports.submission import submit
from reporter.reports.updates import add_update

REPORTS, QUEUED, DAYS = 200_000, 50_000, 180
GOAL = 1.25
MAILS = 300


def run(quick: bool) -> list[Figure]:
    part = 50 if quick else 1
    figures = []
    for engine in ("SQLite", "PostgreSQL"):
        with _sites(engine) as (empty, full):
            _fill(full, REPORTS // part, QUEUED // part)
            for what, ratio in _compare(empty, full, 20 if quick else 60).items():
                figures.append(at_most(f"{engine}: {what}", ratio, GOAL))
            rates = [(_drain(full), _drain(empty)) for _ in range(1 if quick else 5)]
            ratio = middle([ours / without for ours, without in rates])
            figures.append(at_least(f"{engine}: drain, full ÷ empty", ratio, 0.8))
    return figures


@contextlib.contextmanager
def _sites(engine: str) -> Iterator[tuple[Flask, Flask]]:
    with contextlib.ExitStack() as stack:
        stack.enter_context(silence())
        folders = [Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in range(3)]
        urls = [{}, {}]
        if engine == "PostgreSQL":
            url = stack.enter_context(postgres_server(str(folders[2])))
            admin = sa.create_engine(sa.make_url(url).set(drivername="postgresql+psycopg"))
            for number in range(2):
                with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                    connection.execute(sa.text(f"CREATE DATABASE bench{number}"))
            admin.dispose()
            made = [sa.make_url(url).set(database=f"bench{number}") for number in range(2)]
            urls = [{"DATABASE_URL": each.render_as_string(hide_password=False)} for each in made]
        empty, full = (
            stack.enter_context(an_app(folder, **url))
            for folder, url in zip(folders[:2], urls, strict=True)
        )
        yield empty, full


def _fill(app: Flask, reports: int, queued: int) -> None:
    """History over half a year, and mails of today that wait."""
    database: Database = app.extensions["sqlalchemy"]
    now = datetime.now(UTC)
    services = [each["id"] for each in app.config["SERVICES"]]
    with app.test_request_context():
        content = a_report(at=now).to_json()
    counts = dict.fromkeys(services, 0)
    step = timedelta(days=DAYS) / reports
    for start in range(0, reports, 5000):
        rows, mails = [], []
        for number in range(start, min(start + 5000, reports)):
            service = services[number % len(services)]
            counts[service] += 1
            at = now - timedelta(days=DAYS, hours=2) + number * step
            rows.append(
                {
                    "reference": f"INC-{number:06}",
                    "token_hash": f"t{number}",
                    "draft_id": f"d{number}",
                    "service": service,
                    "number_in_service": counts[service],
                    "saved_at": at,
                    "solved_at": at + timedelta(hours=1),
                    "severity": 2,
                    "summary": "La tienda no carga",
                    "customer": "Íñigo Muñoz",
                    "content": {"language": "es"} if number % 100 else content,
                }
            )
            waits = number >= reports - queued
            mails.append(
                {
                    "kind": MailKind.TICKET if number % 2 else MailKind.ACKNOWLEDGEMENT,
                    "reference": f"INC-{number:06}",
                    "recipient": "support@example.com",
                    "mailbox": f"m{number % 9000}",
                    "mime_id": f"<{number}>",
                    "rank": 1 + number % 6,
                    "state": MailState.QUEUED if waits else MailState.SENT,
                    "due_at": now + timedelta(days=1) if waits else at,
                    "created_at": at,
                    "sent_at": None if waits else at,
                    "content": b"Subject: x\r\n\r\n" + b"Cae el nodo 7.\r\n" * 20,
                }
            )
        with database.write() as session:
            connection = session.connection()
            connection.execute(sa.insert(Report), rows)
            connection.execute(sa.insert(Message), mails)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")


class _Work:
    """What is done on one site, each time to something new."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.database: Database = app.extensions["sqlalchemy"]
        self.alarms = Alarms([], 300)
        self.number = 0
        self.token = self._submit()
        with self.database.read() as session:
            newest = sa.select(Report.reference).order_by(Report.id.desc()).limit(1)
            self.page = f"/desk/{session.scalar(newest)}"
        self.customer = Customer(app)
        self.support = supporter(app)

    def _submit(self) -> str:
        self.number += 1
        name = f"new{self.number}"
        services = [each["id"] for each in self.app.config["SERVICES"]]
        with self.app.test_request_context():
            report = a_report(
                at=datetime.now(UTC),
                email=f"{name}@example.com",
                service=services[self.number % len(services)],
            )
            begun = time.perf_counter()
            token = submit(name, report)
            self.took = time.perf_counter() - begun
        return token

    def all(self) -> dict[str, Callable[[], float]]:
        return {
            "submit": self.submit,
            "receipt": lambda: self.timed(lambda: self.customer.peek(f"/r/{self.token}")),
            "update": self.update,
            "desk, one report": lambda: self.timed(lambda: self.support.peek(self.page)),
            "board": lambda: self.timed(lambda: self.support.peek("/desk")),
            "board, a search": lambda: self.timed(lambda: self.support.peek("/desk?q=muñoz")),
            "claim": self.claim,
            "alarm check": self.alarm,
            "judging a surge": self.judge,
        }

    def timed(self, work: Callable[[], object]) -> float:
        begun = time.perf_counter()
        work()
        return time.perf_counter() - begun

    def submit(self) -> float:
        self.token = self._submit()
        return self.took

    def update(self) -> float:
        with self.database.read() as session:
            newest = session.scalar(sa.select(sa.func.max(Report.id)))
        self.number += 1
        with self.app.test_request_context():
            at = datetime.now(UTC)
            return self.timed(
                lambda: add_update(newest or 0, UpdateKind.INFO, f"news {self.number}", at)
            )

    def claim(self) -> float:
        def work() -> None:
            with self.database.write() as session:
                for claimed in claims.claim(session, "bench", datetime.now(UTC), 60, 1):
                    releases.release(session, claimed, datetime.now(UTC))

        return self.timed(work)

    def alarm(self) -> float:
        with self.app.app_context():
            return self.timed(lambda: self.alarms.check(self.database, datetime.now(UTC)))

    def judge(self) -> float:
        def work() -> None:
            with self.app.app_context(), self.database.read() as session:
                surge.judge(session, "web-hosting", datetime.now(UTC))

        return self.timed(work)


def _drain(app: Flask) -> float:
    """Mails a second, of some that are due among all that wait."""
    database: Database = app.extensions["sqlalchemy"]
    now = datetime.now(UTC)
    with database.write() as session:
        session.execute(  # what was queued by the rounds before
            sa.update(Message)
            .where(Message.state == MailState.QUEUED, Message.due_at <= now)
            .values(due_at=now + timedelta(days=1))
        )
        for number in range(MAILS):
            content = b"Subject: x\r\n\r\n" + b"Cae el nodo 7.\r\n" * 20
            mail = Mail(f"a{number}@example.com", f"<{now.timestamp()}.{number}>", content)
            outbox.enqueue(
                session, mail, kind=MailKind.NEWS, reference=f"INC-N{number}", due_at=now
            )
    with sink(0) as (port, _process):
        app.config |= {"MAIL_SERVER": "127.0.0.1", "MAIL_PORT": port, "MAIL_SUPPRESS_SEND": False}
        app.extensions["mail"].suppress = False
        begun = time.perf_counter()
        worker.run(app, once=True)
        return MAILS / (time.perf_counter() - begun)


def _compare(empty: Flask, full: Flask, rounds: int) -> dict[str, float]:
    """For each piece of work, by what it takes longer; in turn, so under the same load."""
    sides = [_Work(empty), _Work(full)]
    works = [side.all() for side in sides]
    ratios = {}
    for what in works[0]:
        took: tuple[list[float], list[float]] = ([], [])
        for number in range(rounds + 3):
            for side, of_side in zip(took, works, strict=True):
                seconds = of_side[what]()
                if number >= 3:
                    side.append(seconds)
        ratios[what] = middle(took[1]) / middle(took[0])
    return ratios
