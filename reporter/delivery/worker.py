"""The worker: takes mail after mail from the outbox to the relays.

Any number of workers may run over one database, in any number of processes and on any number of
machines whose clocks agree within a minute.
"""

from __future__ import annotations

import os
import random
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

import structlog
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from reporter.database import Database
from reporter.delivery import beats, outbox
from reporter.delivery.alarms import Alarms
from reporter.delivery.outbox import Claimed
from reporter.delivery.smtp import AttemptResult, connections, deliver

IDLE_SECONDS = 1.0
DATABASE_PAUSE_SECONDS = 30.0  # the longest between two tries of a database that is away
DATABASE_TRIES = 4  # of a worker that runs once
# Over the longest attempt: looking up addresses, our own transactions, clocks that differ.
LEASE_MARGIN_SECONDS = 60.0

T = TypeVar("T")
log = structlog.get_logger(__name__)


def run(app: Flask, *, once: bool = False, stop: threading.Event | None = None) -> None:
    """Send what is due, and go on until *stop* is set; with *once*, until nothing is due.

    The mail in hand when *stop* is set is finished and recorded. A database that goes away is
    waited for; with *once* its error is raised after a few seconds.
    """
    Worker(app, once=once, stop=stop or threading.Event()).run()


class Worker:
    def __init__(self, app: Flask, *, once: bool, stop: threading.Event) -> None:
        self.database: Database = app.extensions["sqlalchemy"]
        self.connections = connections(app)
        self.alarms = Alarms(app.config["ALARM_URLS"], app.config["ALARM_AFTER_SECONDS"])
        self.once = once
        self.stop = stop
        self.name = f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident()}"
        attempt_seconds = sum(connection.relay.limit_seconds for connection in self.connections)
        self.lease_seconds = attempt_seconds + LEASE_MARGIN_SECONDS
        self.beating = beats.Worker.here(datetime.now(UTC))
        self.next_beat = 0.0

    def run(self) -> None:
        log.info(
            "worker started", relays=[connection.relay.name for connection in self.connections]
        )
        try:
            while not self.stop.is_set():
                if self.send_one():
                    continue
                self._close()  # no connection is held open while nothing waits
                if self.once:
                    break
                self.stop.wait(IDLE_SECONDS)
        except SQLAlchemyError:
            if not self.stop.is_set():
                raise
        finally:
            self._close()
            self._beat(end=True)
        log.info("worker stopped")

    def _close(self) -> None:
        for connection in self.connections:
            connection.close()

    def send_one(self) -> bool:
        """Send the mail that is due longest. False when none was due."""
        self._beat()
        found = self._insist(self._claim)
        for claimed in found:
            results = deliver(self.connections, claimed.content, claimed.recipient)
            _log_results(claimed, results)
            jitter = random.random()  # noqa: S311  (spreads retries, guards nothing)
            self._insist(partial(self._record, claimed, results, jitter))
        self._insist(lambda: self.alarms.check(self.database, datetime.now(UTC)))
        return bool(found)

    def _beat(self, *, end: bool = False) -> None:
        if not end and time.monotonic() < self.next_beat:
            return
        self.next_beat = time.monotonic() + beats.BEAT_SECONDS
        with suppress(SQLAlchemyError), self.database.write() as session:
            if end:
                beats.end(session, self.beating)
            else:
                beats.beat(session, self.beating, datetime.now(UTC))

    def _claim(self) -> list[Claimed]:
        with self.database.write() as session:
            return outbox.claim(session, self.name, datetime.now(UTC), self.lease_seconds)

    def _record(self, claimed: Claimed, results: tuple[AttemptResult, ...], jitter: float) -> bool:
        with self.database.write() as session:
            return outbox.record(session, claimed, results, datetime.now(UTC), jitter)

    def _insist(self, transaction: Callable[[], T]) -> T:
        """Run *transaction* until the database takes it.

        What a relay has accepted is so recorded after an outage, instead of being sent again.
        Raises the database's error only when told to stop, or to run once.
        """
        failures = 0
        while True:
            try:
                return transaction()
            except SQLAlchemyError as error:
                failures += 1
                log.error("database unavailable", error=type(error).__name__, failures=failures)
                if self.once and failures == DATABASE_TRIES:
                    raise
                if self.stop.wait(min(2.0 ** (failures - 1), DATABASE_PAUSE_SECONDS)):
                    raise


def _log_results(claimed: Claimed, results: tuple[AttemptResult, ...]) -> None:
    """Never recipients, headers or replies: a relay may repeat an address in what it answers."""
    for result in results:
        log.info(
            "attempt",
            reference=claimed.reference,
            kind=claimed.kind,
            attempt=claimed.attempt_count,
            relay=result.relay,
            outcome=result.outcome,
            code=result.code,
        )
