"""Clocks that are set while workers run, or are wrong from the start (libfaketime)."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import faketime
from faults_of import Delivery, Property, on_sqlite, tell
from running import Service, until
from servers import smtp_server

from reporter.database import Database

MAILS = 5
SECONDS = 100  # in which all is sent, and not in the hour by which a clock is off


class Clock:
    """Of one process, which can be set while it runs. What counts from its start goes on, as it
    does on a machine whose clock is set."""

    def __init__(self, file: Path, offset: str = "+0") -> None:
        self.file = file
        self.set(offset)
        self.variables = {
            "LD_PRELOAD": faketime(),
            "FAKETIME_TIMESTAMP_FILE": str(file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }

    def set(self, offset: str) -> None:
        self.file.write_text(f"{offset}\n")


@pytest.fixture
def delivery(tmp_path: Path, database: Database, database_url: str) -> Delivery:
    return Delivery(tmp_path, database, database_url)


def test_the_clock_of_these_tests_can_be_set(tmp_path: Path) -> None:
    clock = Clock(tmp_path / "clock", "-1h")
    ask = "import time; print(time.time(), time.monotonic())"
    told = [
        subprocess.run(
            [sys.executable, "-c", ask], env=env, check=True, capture_output=True, text=True
        ).stdout.split()
        for env in ({}, clock.variables)
    ]
    (real, steady), (faked, also_steady) = [[float(each) for each in one] for one in told]
    assert 3500 < real - faked < 3600
    assert 0 < also_steady - steady < 100


@pytest.mark.parametrize("offset", ["-1h", "+1h"])
def test_a_clock_that_is_set_delays_nothing(
    delivery: Delivery, tmp_path: Path, offset: str, record_property: Property
) -> None:
    """Mails that wait for their next try, and one that is in hand, in that moment."""
    clock = Clock(tmp_path / "clock")
    delivery.queue(MAILS)
    answers = {"RCPT": ["451 4.2.1 later"] * MAILS, "DATA": ["250 ok", "SLOW 3"]}
    with (
        smtp_server(answers=answers) as server,
        delivery.worker(server.relay, clock.variables, MAIL_TIMEOUT=2),
    ):
        until(lambda: delivery.attempts() >= MAILS)
        clock.set(offset)
        until(lambda: not delivery.unsent(), SECONDS)
    found = delivery.fate(server)
    tell(record_property, delivery.url, f"clock set by {offset} while mails wait", found)
    assert found.lost == 0


def test_days_in_which_a_relay_says_not_now(tmp_path: Path, record_property: Property) -> None:
    """Nothing is given up, whatever was tried; it goes on as soon as the relay takes mail."""
    clock = Clock(tmp_path / "clock")
    is_well = threading.Event()

    def answers() -> Iterator[str]:
        while True:
            yield "250 ok" if is_well.is_set() else "451 4.3.2 not now"

    with (
        on_sqlite(tmp_path) as delivery,
        smtp_server(answers={"RCPT": answers()}) as server,
        delivery.worker(server.relay, clock.variables, MAIL_TIMEOUT=2),
    ):
        delivery.queue(MAILS)
        for day in range(1, 6):
            before = delivery.attempts()
            clock.set(f"+{day}d")
            until(lambda: delivery.attempts() > before, SECONDS)  # noqa: B023 (waited for here)
        assert not server.received
        is_well.set()
        clock.set("+6d")
        until(lambda: not delivery.unsent(), SECONDS)
        found = delivery.fate(server)
        tell(record_property, delivery.url, "451 for five days", found)
    assert found.lost == 0


@pytest.mark.parametrize("offset", ["-90s", "-1h", "+1h"])
def test_a_worker_whose_clock_is_off_sends_at_once(
    delivery: Delivery, tmp_path: Path, offset: str, record_property: Property
) -> None:
    """Beside one that is right: together they send each mail once on PostgreSQL, whose clock it
    is. On SQLite all are on one machine, and this cannot be."""
    clock = Clock(tmp_path / "clock", offset)
    workers = [clock.variables, {}] if delivery.url.startswith("postgres") else [clock.variables]
    with smtp_server() as server:
        services = [delivery.worker(server.relay, env, MAIL_TIMEOUT=2) for env in workers]
        started = [service.__enter__() for service in services]
        try:
            delivery.queue(MAILS)
            until(lambda: not delivery.unsent(), SECONDS)
            if len(workers) == 2:
                tells_of_the_skew(started[1])
        finally:
            for service in services:
                service.__exit__(None, None, None)
    found = delivery.fate(server)
    tell(record_property, delivery.url, f"a worker's clock is off by {offset}", found)
    assert (found.lost, found.again) == (0, 0)


def tells_of_the_skew(service: Service) -> None:
    def told() -> bool:
        done = subprocess.run(
            [sys.executable, "-m", "reporter", "status"],
            cwd=service.folder, env=service.environment, capture_output=True, text=True,
        )  # fmt: skip
        return "the clock of" in done.stdout and done.returncode == 1

    until(told, 60)
