"""The conversations of one worker: so many mails in flight at once, each in a thread of its own.

A mail that is slow or hangs holds its own conversation, and no other. What is claimed ahead
(`pace`) is taken by whichever is free next; where none is for AHEAD_WAIT_SECONDS, it is given back.

What came of the mails is handed on together where they follow each other that fast: for at most
GATHER_SECONDS, while there is work ahead for everybody. So much longer than its recording takes a
mail may be accepted and not yet written down: a worker that is killed leaves that many to be sent
again, beside those in flight.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Mapping
from contextlib import suppress

import structlog
from flask import Flask

from reporter.delivery import lesser_forms
from reporter.delivery.health import RelayHealth
from reporter.delivery.lesser_forms import Lesser
from reporter.delivery.mail import Claimed
from reporter.delivery.outcomes import Tried
from reporter.delivery.pace import Pace
from reporter.delivery.relays import Relay
from reporter.delivery.smtp import AttemptResult, RelayConnection, connections, deliver
from reporter.models import Outcome

GATHER_SECONDS = 0.02
GATHER_MAILS = 64
AHEAD_WAIT_SECONDS = 2.0
# How long a connection stays open with nothing to send: it holds a place of the relay's.
LINGER_SECONDS = 0.5

Event = tuple[Tried, float]  # and the seconds that it took

log = structlog.get_logger(__name__)


class Conversations:
    """Threads that hand over what they are given. `in_hand` is what they are not done with.

    Used from one thread, but for `wake`.
    """

    def __init__(
        self, app: Flask, count: int, health: Mapping[Relay, RelayHealth], lesser: Lesser | None
    ) -> None:
        self.app = app
        self.lesser = lesser
        self.count = count
        self.pace = Pace(count)
        self.in_hand: dict[str, Claimed] = {}
        self._moved_at = time.monotonic()
        # Not SimpleQueue: of a signal that comes as a wait ends CPython 3.11 makes a wait for ever.
        self._given: queue.Queue[Claimed | None] = queue.Queue()
        self._events: queue.Queue[Event | None] = queue.Queue()
        self._links = [connections(app, health) for _ in range(count)]
        # Daemons: one that hangs in a look-up, which nothing can end, does not keep us alive.
        self._threads = [
            threading.Thread(target=self._converse, args=(each,), name="relay", daemon=True)
            for each in self._links
        ]
        for thread in self._threads:
            thread.start()

    @property
    def room(self) -> int:
        """How many mails more may be handed over."""
        return max(0, self.count + self.pace.ahead - len(self.in_hand))

    def hand(self, claimed: Claimed) -> None:
        self.in_hand[_key(claimed)] = claimed
        self._moved_at = time.monotonic()
        self._given.put(claimed)

    def wake(self) -> None:
        """Have `wait` return, from any thread."""
        self._events.put(None)

    def wait(self, seconds: float) -> list[Tried] | None:
        """What was tried since, once there is any; [] when woken, None when *seconds* are over."""
        try:
            event = self._events.get(timeout=seconds) if seconds else self._events.get_nowait()
        except queue.Empty:
            waited = time.monotonic() - self._moved_at
            return (self.take_back() if waited > AHEAD_WAIT_SECONDS else None) or None
        tried: list[Tried] = []
        gathered_at = time.monotonic() + GATHER_SECONDS
        with suppress(queue.Empty):
            while event:
                tried.append(self._done(event))
                if len(tried) == GATHER_MAILS:
                    break
                left = gathered_at - time.monotonic()
                if left > 0 and self._given.qsize() > self.pace.ahead // 2:
                    event = self._events.get(timeout=left)
                else:
                    event = self._events.get_nowait()
        return tried

    def take_back(self) -> list[Tried]:
        """What no conversation has begun with."""
        back: list[Tried] = []
        with suppress(queue.Empty):
            while claimed := self._given.get_nowait():
                back.append(self._done((Tried(claimed, ()), 0.0)))
        return back

    def _done(self, event: Event) -> Tried:
        tried, seconds = event
        del self.in_hand[_key(tried.claimed)]
        self._moved_at = time.monotonic()
        self.pace.note(seconds, accepted=tried.is_accepted)
        return tried

    def cut(self) -> None:
        """End the attempts under way."""
        for connection in self._connections():
            connection.cut()

    def end(self, seconds: float) -> None:
        """Have the threads close their connections and end; not waited for any longer."""
        for _ in self._threads:
            self._given.put(None)
        end = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))

    def _connections(self) -> list[RelayConnection]:
        return [connection for each in self._links for connection in each]

    def _converse(self, links: tuple[RelayConnection, ...]) -> None:
        try:
            while claimed := self._next(links):
                began_at = time.monotonic()
                tried = self._try_safely(links, claimed)
                self._events.put((tried, time.monotonic() - began_at))
        finally:
            _close(links)

    def _next(self, links: tuple[RelayConnection, ...]) -> Claimed | None:
        try:
            return self._given.get(timeout=LINGER_SECONDS)
        except queue.Empty:
            _close(links)
            return self._given.get()

    def _try_safely(self, links: tuple[RelayConnection, ...], claimed: Claimed) -> Tried:
        """A fault of ours defers the mail like one of the relay's, and ends no conversation."""
        try:
            return self._try(links, claimed)
        except Exception as error:
            fault = type(error).__name__
            log.error("conversation failed", reference=claimed.reference, error=fault)
            return Tried(claimed, (AttemptResult("-", Outcome.DEFERRED, None, fault),))

    def _try(self, links: tuple[RelayConnection, ...], claimed: Claimed) -> Tried:
        if all(link.health.is_paused for link in links):  # since it was claimed
            return Tried(claimed, ())
        results = deliver(
            links,
            claimed.content,
            claimed.recipient,
            message_id=claimed.id,
            operators=claimed.kind.is_alarmed,
        )
        lesser = None
        if self.lesser and lesser_forms.is_for_what_it_holds(results):
            lesser = lesser_forms.next_form(self.app, self.lesser, claimed)
        return Tried(claimed, results, lesser)


def _close(links: tuple[RelayConnection, ...]) -> None:
    for connection in links:
        connection.close()


def _key(claimed: Claimed) -> str:
    return f"{claimed.token}:{claimed.id}"
