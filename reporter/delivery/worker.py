"""The worker: takes mails from the outbox to the relays, several at once.

Any number of workers may run over one database, in any number of processes and on any number of
machines: on PostgreSQL its server's clock counts, whatever theirs say.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

import structlog
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from reporter.database import Database
from reporter.delivery import beats, claims, outcomes, waking
from reporter.delivery.alarms import Alarms
from reporter.delivery.clock import Clock
from reporter.delivery.conversations import Conversations, Done
from reporter.delivery.health import RelayHealth
from reporter.delivery.mail import Claimed
from reporter.delivery.relays import configured_relays
from reporter.delivery.repeating import Duty, duties_of, repeating

IDLE_SECONDS = 1.0
DATABASE_PAUSE_SECONDS = 30.0  # the longest between two tries of a database that is away
DATABASE_TRIES = 4  # of a worker that runs once
# Over the longest attempt: our own transactions, clocks that differ.
LEASE_MARGIN_SECONDS = 60.0
ALARM_SECONDS = 2.0
STOP_SECONDS = 0.2  # within which we see that we are told to stop
# When told to stop: how long what is in hand may take, and what is cut off then.
GRACE_SECONDS = 15.0
CUT_SECONDS = 3.0

T = TypeVar("T")
log = structlog.get_logger(__name__)


def run(app: Flask, *, once: bool = False, stop: threading.Event | None = None) -> None:
    """Send what is due, and go on until *stop* is set; with *once*, until nothing is due.

    The mails in hand when *stop* is set are finished and recorded if that takes no longer than
    GRACE_SECONDS, and given back otherwise. A database that goes away is waited for; with *once*
    its error is raised after a few seconds.
    """
    Worker(app, once=once, stop=stop or threading.Event()).run()


class Worker:
    """One claim loop over several conversations."""

    def __init__(self, app: Flask, *, once: bool, stop: threading.Event) -> None:
        self.app = app
        self.database: Database = app.extensions["sqlalchemy"]
        self.once = once
        self.stop = stop
        self.clock = Clock(self.database)
        self.alarms = Alarms(app.config["ALARM_URLS"], app.config["ALARM_AFTER_SECONDS"])
        self.beating = beats.Worker.here(datetime.now(UTC))
        relays = configured_relays(app.config)
        self.health = {relay: RelayHealth() for relay in relays}
        self.lease_seconds = sum(relay.limit_seconds for relay in relays) + LEASE_MARGIN_SECONDS
        self.conversations: Conversations

    def run(self) -> None:
        log.info("worker started", relays=[relay.name for relay in self.health])
        duties = duties_of(self.app)
        self.conversations = Conversations(
            self.app, self.app.config["WORKER_CONNECTIONS"], self.health, duties.lesser
        )
        with ExitStack() as stack:
            stack.callback(self._end)
            if not self.once:
                stack.callback(self._last_word, self._beat_no_more)
                stack.enter_context(waking.told(self.database, self.conversations.wake))
                stack.enter_context(repeating(self.app, [*self._duties(), *duties.repeated]))
                for service in duties.services:
                    stack.enter_context(service(self.app))
            try:
                self._insist(self._begin)
                self._send()
            except SQLAlchemyError:
                if not self.stop.is_set():
                    raise
        if self.once:
            self._alarm()
        log.info("worker stopped")

    def _begin(self) -> None:
        """Take over from processes of this machine that are gone."""
        self.clock.set()
        with self.database.write() as session:
            freed = claims.free_gone(session, self.clock.now())
        if freed:
            log.info("taken over", mails=freed)

    def _send(self) -> None:
        idle = False
        while not self.stop.is_set():
            done = self._wait(idle)
            found = self._exchange(done)
            idle = not found
            if self.once and not found and not self.conversations.in_hand:
                break

    def _wait(self, idle: bool) -> list[Done]:
        """What was tried meanwhile; returns at once when there may be more to claim."""
        seconds = IDLE_SECONDS if idle or not self._allowed() else 0.0
        if self.once and not self.conversations.in_hand:
            seconds = 0.0
        end = time.monotonic() + seconds
        while True:
            left = max(0.0, min(end - time.monotonic(), STOP_SECONDS))
            if (done := self.conversations.wait(left)) is not None:
                return done
            if self.stop.is_set() or time.monotonic() >= end:
                return []

    def _allowed(self) -> int:
        """How many mails may be claimed: none while all relays pause, one to see after that."""
        if all(health.is_paused for health in self.health.values()):
            return 0
        if self._is_probing():
            return 0 if self.conversations.in_hand else 1
        return self.conversations.free

    def _is_probing(self) -> bool:
        return all(health.is_troubled for health in self.health.values())

    def _exchange(self, done: Sequence[Done]) -> bool:
        """Record what was *done* and claim as much as may be; whether anything was found."""
        for each in done:
            _log_results(each)
        # Spreads retries, guards nothing. Once for however often the database is asked.
        jitters = [random.random() for _ in done]  # noqa: S311
        claimed = self._insist(partial(self._transact, done, jitters, self._allowed()))
        for mail in claimed:
            self.conversations.hand(mail)
        return bool(claimed)

    def _transact(
        self, done: Sequence[Done], jitters: Sequence[float], allowed: int
    ) -> list[Claimed]:
        now = self.clock.now()
        if not done and not (allowed and self._may_find(now)):
            return []
        with self.database.write() as session:
            for each, jitter in zip(done, jitters, strict=True):
                outcomes.record(session, each.claimed, each.results, now, jitter, each.lesser)
            if not allowed:
                return []
            if self._is_probing() and not claims.due_ranks(session, now):
                outcomes.advance_one(session, now)
            return claims.claim(session, self.beating.name, now, self.lease_seconds, allowed)

    def _may_find(self, now: datetime) -> bool:
        """Found out without the lock that writers need, as most of the time nothing is due."""
        with self.database.read() as session:
            return bool(claims.due_ranks(session, now)) or (
                self._is_probing() and outcomes.is_troubled(session)
            )

    def _end(self) -> None:
        """Finish what is in hand, or give it back."""
        self._finish(GRACE_SECONDS)
        if self.conversations.in_hand:
            self.conversations.cut()
            self._finish(CUT_SECONDS)
        for claimed in self.conversations.in_hand.values():
            log.warning("given back", reference=claimed.reference, kind=claimed.kind)
            self._last_word(partial(self._release, claimed))
        self.conversations.end(CUT_SECONDS)

    def _finish(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while self.conversations.in_hand and (left := end - time.monotonic()) > 0:
            for done in self.conversations.wait(left) or []:
                _log_results(done)
                self._last_word(partial(self._record, done))

    def _last_word(self, transaction: Callable[[], None]) -> None:
        """Once: a database that is away does not keep us from ending."""
        try:
            transaction()
        except SQLAlchemyError as error:
            log.error("database unavailable", error=type(error).__name__, failures=1)

    def _record(self, done: Done) -> None:
        with self.database.write() as session:
            jitter = random.random()  # noqa: S311
            now = self.clock.now()
            outcomes.record(session, done.claimed, done.results, now, jitter, done.lesser)

    def _release(self, claimed: Claimed) -> None:
        with self.database.write() as session:
            claims.release(session, claimed, self.clock.now())

    def _duties(self) -> list[Duty]:
        return [
            Duty("beat", beats.BEAT_SECONDS, self._beat),
            Duty("alarms", ALARM_SECONDS, self._alarm),
        ]

    def _alarm(self) -> None:
        self.alarms.watch(self.database, self.clock.now())

    def _beat_no_more(self) -> None:
        with self.database.write() as session:
            beats.end(session, self.beating)

    def _beat(self) -> None:
        self.clock.set()
        now = self.clock.now()
        with self.database.write() as session:
            beats.beat(session, self.beating, now)
            if moved := claims.heed_moved_clock(session, now, self.lease_seconds):
                log.warning("a clock was set back", mails=moved)

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


def _log_results(done: Done) -> None:
    """Never recipients, headers or replies: a relay may repeat an address in what it answers."""
    for result in done.results:
        log.info(
            "attempt",
            reference=done.claimed.reference,
            kind=done.claimed.kind,
            attempt=done.claimed.attempt_count,
            relay=result.relay,
            outcome=result.outcome,
            code=result.code,
        )
