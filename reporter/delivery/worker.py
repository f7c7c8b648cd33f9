"""The worker: takes mails from the outbox to the relays, several at once.

Any number of workers may run over one database, in any number of processes and on any number of
machines: on PostgreSQL its server's clock counts, whatever theirs say.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial

import structlog
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from reporter.database import Database
from reporter.delivery import beats, claims, outcomes, recovery, releases, waking
from reporter.delivery.alarms import Alarms
from reporter.delivery.clock import Clock
from reporter.delivery.conversations import Conversations
from reporter.delivery.health import RelayHealth
from reporter.delivery.insisting import insist, last_word
from reporter.delivery.mail import Claimed
from reporter.delivery.outcomes import Tried
from reporter.delivery.relays import configured_relays
from reporter.delivery.repeating import Duty, duties_of, repeating

IDLE_SECONDS = 1.0
DATABASE_TRIES = 4  # of a worker that runs once
# Over the longest attempt: our own transactions, clocks that differ.
LEASE_MARGIN_SECONDS = 60.0
ALARM_SECONDS = 2.0
STOP_SECONDS = 0.2  # within which we see that we are told to stop
# When told to stop: how long what is in hand may take, and what is cut off then.
GRACE_SECONDS = 15.0
CUT_SECONDS = 3.0

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
        duties = duties_of(self.app).complete()
        self.conversations = Conversations(
            self.app, self.app.config["WORKER_CONNECTIONS"], self.health, duties.lesser
        )
        with ExitStack() as stack:
            stack.callback(self._end)
            if not self.once:
                stack.callback(last_word, self._beat_no_more)
                stack.enter_context(waking.told(self.database, self.conversations.wake))
                stack.enter_context(repeating(self.app, [*self._duties(), *duties.repeated]))
                for service in duties.services:
                    stack.enter_context(service(self.app))
            try:
                insist(self._begin, self.stop, DATABASE_TRIES if self.once else None)
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
            freed = releases.free_gone(session, self.clock.now())
        if freed:
            log.info("taken over", mails=freed)

    def _send(self) -> None:
        idle = False
        while not self.stop.is_set():
            tried = self._wait(idle)
            allowed = self._allowed()
            found = self._exchange(tried, allowed)
            idle = found < allowed  # there was no more
            if self.once and not found and not self.conversations.in_hand:
                break

    def _wait(self, idle: bool) -> list[Tried]:
        """What was tried meanwhile; returns at once when there may be more to claim."""
        seconds = IDLE_SECONDS if idle or not self._allowed() else 0.0
        if self.once and not self.conversations.in_hand:
            seconds = 0.0
        end = time.monotonic() + seconds
        while True:
            left = max(0.0, min(end - time.monotonic(), STOP_SECONDS))
            if (tried := self.conversations.wait(left)) is not None:
                return tried
            if self.stop.is_set() or time.monotonic() >= end:
                return []

    def _allowed(self) -> int:
        """How many mails may be claimed: none while all relays pause, one to see after that."""
        if all(health.is_paused for health in self.health.values()):
            return 0
        if self._is_probing():
            return 0 if self.conversations.in_hand else 1
        return self.conversations.room

    def _is_probing(self) -> bool:
        return all(health.is_troubled for health in self.health.values())

    def _exchange(self, tried: Sequence[Tried], allowed: int) -> int:
        """Record what was *tried* and claim as much as may be; how much that is."""
        _log_results(tried)
        transaction = partial(self._transact, tried, allowed)
        claimed = insist(transaction, self.stop, DATABASE_TRIES if self.once else None)
        for mail in claimed:
            self.conversations.hand(mail)
        return len(claimed)

    def _transact(self, tried: Sequence[Tried], allowed: int) -> list[Claimed]:
        now = self.clock.now()
        if not tried and not (allowed and self._may_find(now)):
            return []
        with self.database.write() as session:
            if tried:
                outcomes.record(session, tried, now)
            if not allowed:
                return []
            if self._is_probing() and not claims.due_ranks(session, now):
                recovery.advance_one(session, now)
            return claims.claim(session, self.beating.name, now, self.lease_seconds, allowed)

    def _may_find(self, now: datetime) -> bool:
        """Found out without the lock that writers need, as most of the time nothing is due."""
        with self.database.read() as session:
            return bool(claims.due_ranks(session, now)) or (
                self._is_probing() and recovery.is_troubled(session)
            )

    def _end(self) -> None:
        """Finish what is in hand, or give it back."""
        self._last_record(self.conversations.take_back())
        self._finish(GRACE_SECONDS)
        if self.conversations.in_hand:
            self.conversations.cut()
            self._finish(CUT_SECONDS)
        for claimed in self.conversations.in_hand.values():
            log.warning("given back", reference=claimed.reference, kind=claimed.kind)
            last_word(partial(self._release, claimed))
        self.conversations.end(CUT_SECONDS)

    def _finish(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while self.conversations.in_hand and (left := end - time.monotonic()) > 0:
            self._last_record(self.conversations.wait(left) or [])

    def _last_record(self, tried: Sequence[Tried]) -> None:
        if tried:
            _log_results(tried)
            last_word(partial(self._record, tried))

    def _record(self, tried: Sequence[Tried]) -> None:
        with self.database.write() as session:
            outcomes.record(session, tried, self.clock.now())

    def _release(self, claimed: Claimed) -> None:
        with self.database.write() as session:
            releases.release(session, claimed, self.clock.now())

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
        with self.database.write() as session:
            now = self.clock.now()  # not that of before we waited for our turn
            beats.beat(session, self.beating, now)
            if moved := releases.heed_moved_clock(session, now, self.lease_seconds):
                log.warning("a clock was set back", mails=moved)


def _log_results(tried: Sequence[Tried]) -> None:
    """Never recipients, headers or replies: a relay may repeat an address in what it answers."""
    for each in tried:
        for result in each.results:
            log.info(
                "attempt",
                reference=each.claimed.reference,
                kind=each.claimed.kind,
                attempt=each.claimed.attempt_count,
                relay=result.relay,
                outcome=result.outcome,
                code=result.code,
            )
