"""The database stops, hangs, is locked, or its disk is full, while people report."""

from __future__ import annotations

import os
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import repeat
from pathlib import Path
from socket import create_connection
from tempfile import TemporaryDirectory

import pytest
from crowd import Crowd, fate
from factories import sqlite_url
from faults_of import LONG, Fate, Property, frozen, tell
from running import BROKEN, Service, Visitor, kill_all, until
from servers import PostgresServer, SmtpServer, alarm_server, own_postgres, smtp_server

from reporter.demo.mailbox import LOOPBACK

RECEIPTS = 20 if LONG else 8
AWAY_SECONDS = 20 if LONG else 4
# As many who wait for the same page as one process of the server has threads for, and more.
HELD = 600 if LONG else 40
DISK = 64  # MB
PYTHON = (sys.executable, "-m", "reporter")


@pytest.fixture
def smtp() -> Iterator[SmtpServer]:
    with smtp_server(answers={"DATA": repeat("SLOW 0.01")}) as server:
        yield server


@pytest.fixture
def postgres() -> Iterator[PostgresServer]:
    """One of its own, as it is stopped."""
    with TemporaryDirectory(prefix="postgres-") as folder, own_postgres(folder) as server:
        yield server


@contextmanager
def serving(
    folder: Path, url: str, smtp: SmtpServer, command: tuple[str, ...] = PYTHON, **settings: str
) -> Iterator[Service]:
    service = Service(
        folder,
        "serve",
        command=command,
        DATABASE_URL=url,
        MAIL_SERVER=LOOPBACK,
        MAIL_PORT=smtp.port,
        RATELIMIT_ENABLED="false",
        **settings,
    )
    try:
        service.start()
        until(service.is_ready)
        yield service
    finally:
        kill_all(service.tree())
        service.process.wait(10)


class Probes:
    """What who watches, and who opens the first page, is told meanwhile, and how fast."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.slowest = {"/healthz": 0.0, "/": 0.0}

    def ask(self, seconds: float) -> None:
        """Again and again, for so long; each is answered although the database is not there."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for path in self.slowest:
                began = time.monotonic()
                assert Visitor(self.service).peek(path).status == 200
                self.slowest[path] = max(self.slowest[path], time.monotonic() - began)
            time.sleep(0.05)

    def __str__(self) -> str:
        return ", ".join(f"{path} {1000 * took:.0f} ms" for path, took in self.slowest.items())


@contextmanager
def held(service: Service, visitor: Visitor, path: str) -> Iterator[list[bytes]]:
    """HELD others ask for a page meanwhile, all at once; at its end how each answer begins."""
    cookies = "; ".join(f"{name}={value}" for name, value in visitor.client.cookies.items())
    asked = f"GET {path} HTTP/1.1\r\nHost: x\r\nCookie: {cookies}\r\nConnection: close\r\n\r\n"
    answers: list[bytes] = []
    with ExitStack() as stack:
        address = (LOOPBACK, service.port)
        others = [stack.enter_context(create_connection(address, 60)) for _ in range(HELD)]
        for other in others:
            other.sendall(asked.encode())
        yield answers
        answers += [other.recv(1024) for other in others]


def fill(ballast: Path) -> None:
    """To the last byte."""
    with ballast.open("wb", buffering=0) as file:
        for size in (1_000_000, 1):
            with suppress(OSError):
                while True:
                    file.write(bytes(size))


def readiness(service: Service) -> int:
    try:
        return Visitor(service).peek("/readyz").status
    except BROKEN:
        return 0


def carries_on(
    folder: Path,
    url: str,
    smtp: SmtpServer,
    fault: tuple[str, str],
    record_property: Property,
    broken: Callable[[Service, Crowd, Probes], None],
) -> None:
    """People report before, while and after it is *broken*: what they were shown arrives.

    *fault*: what is broken, and what it was meanwhile.
    """
    what, was = fault
    with serving(folder, url, smtp) as service:
        probes = Probes(service)
        found = promised(service, smtp, probes, broken)
        tell(record_property, url, f"{what} {was} for {AWAY_SECONDS} s", found)
        assert found.lost == 0
    record_property(f"slowest while it was {was}", str(probes))


def promised(
    service: Service,
    smtp: SmtpServer,
    probes: Probes,
    broken: Callable[[Service, Crowd, Probes], None],
) -> Fate:
    """What became of all that people were shown, once all is well again."""
    with Crowd(service) as crowd:
        crowd.until_more(RECEIPTS)
        broken(service, crowd, probes)
        crowd.until_more(RECEIPTS)
    found = fate(crowd, service, smtp)
    assert found.promised >= 2 * RECEIPTS
    until(lambda: readiness(service) == 200)
    return found


def test_a_postgresql_that_is_stopped(
    tmp_path: Path, postgres: PostgresServer, smtp: SmtpServer, record_property: Property
) -> None:
    def broken(service: Service, crowd: Crowd, probes: Probes) -> None:
        postgres.stop_at_once()
        before = crowd.refused
        probes.ask(AWAY_SECONDS)
        until(lambda: crowd.refused > before)
        assert readiness(service) == 503
        postgres.start()

    fault = ("PostgreSQL", "stopped")
    carries_on(tmp_path, postgres.url, smtp, fault, record_property, broken)


def test_a_postgresql_that_is_frozen(
    tmp_path: Path, postgres: PostgresServer, smtp: SmtpServer, record_property: Property
) -> None:
    def broken(service: Service, crowd: Crowd, probes: Probes) -> None:
        visitor = Visitor(service)
        visitor.fill("failure")
        with frozen(postgres.pid), held(service, visitor, "/report/timing") as answers:
            probes.ask(AWAY_SECONDS)
            assert readiness(service) == 503
        assert {answer[:12] for answer in answers} == {b"HTTP/1.1 503"}

    fault = ("PostgreSQL", "frozen")
    carries_on(tmp_path, postgres.url, smtp, fault, record_property, broken)


def test_a_sqlite_that_somebody_else_has_locked(
    tmp_path: Path, smtp: SmtpServer, record_property: Property
) -> None:
    url = sqlite_url(tmp_path)

    def broken(service: Service, crowd: Crowd, probes: Probes) -> None:
        with sqlite3.connect(tmp_path / "reporter.db", isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            probes.ask(AWAY_SECONDS)
            other.execute("ROLLBACK")
        other.close()

    fault = ("SQLite", "locked")
    carries_on(tmp_path, url, smtp, fault, record_property, broken)


def test_a_disk_that_is_full(tmp_path: Path, smtp: SmtpServer, record_property: Property) -> None:
    """A disk of its own, which only the service and what it starts see by this name."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = f'mount -t tmpfs -o size={DISK}m,mode=700 full "$0" && cd "$0" && exec "$@"'
    alone = ("unshare", "--mount", *(() if os.geteuid() == 0 else ("--map-root-user",)))
    command = (*alone, "sh", "-c", mounted, str(folder), *PYTHON)

    with (
        alarm_server() as alarms,
        serving(
            tmp_path, f"sqlite:///{folder}/reporter.db", smtp, command,
            ALARM_URLS=f'["{alarms.url}"]',
        ) as service,
    ):  # fmt: skip
        seen = Path(f"/proc/{service.process.pid}/root{folder}")  # the disk, from outside

        def broken(service: Service, crowd: Crowd, probes: Probes) -> None:
            before = crowd.refused
            fill(seen / "ballast")
            probes.ask(AWAY_SECONDS)
            until(lambda: crowd.refused > before)
            assert readiness(service) == 503
            if LONG:
                until(lambda: any("too few for a report" in a["message"] for a in alarms.taken), 60)
            (seen / "ballast").unlink()

        probes = Probes(service)
        found = promised(service, smtp, probes, broken)
        tell(record_property, "sqlite:///", "disk full", found)
        assert found.lost == 0
        if LONG:
            until(lambda: any("disk: all is well again" in a["message"] for a in alarms.taken), 60)
    record_property("slowest while it was full", str(probes))
