"""The conversations of one worker: so many mails in flight at once, each in a thread of its own.

A mail that is slow or hangs holds its own conversation, and no other.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Mapping
from typing import NamedTuple

import structlog
from flask import Flask

from reporter.delivery import lesser_forms
from reporter.delivery.health import RelayHealth
from reporter.delivery.lesser_forms import Lesser
from reporter.delivery.mail import Claimed, LesserForm
from reporter.delivery.relays import Relay
from reporter.delivery.smtp import AttemptResult, RelayConnection, connections, deliver
from reporter.models import Outcome

# How long a connection stays open with nothing to send: it holds a place of the relay's.
LINGER_SECONDS = 0.5

log = structlog.get_logger(__name__)


class Done(NamedTuple):
    """One mail that was tried, and what came of it."""

    claimed: Claimed
    results: tuple[AttemptResult, ...]
    lesser: LesserForm | None


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
        self.in_hand: dict[str, Claimed] = {}
        self._given: queue.SimpleQueue[Claimed | None] = queue.SimpleQueue()
        self._events: queue.SimpleQueue[Done | None] = queue.SimpleQueue()
        self._links = [connections(app, health) for _ in range(count)]
        # Daemons: one that hangs in a look-up, which nothing can end, does not keep us alive.
        self._threads = [
            threading.Thread(target=self._converse, args=(each,), name="relay", daemon=True)
            for each in self._links
        ]
        for thread in self._threads:
            thread.start()

    @property
    def free(self) -> int:
        return self.count - len(self.in_hand)

    def hand(self, claimed: Claimed) -> None:
        self.in_hand[_key(claimed)] = claimed
        self._given.put(claimed)

    def wake(self) -> None:
        """Have `wait` return, from any thread."""
        self._events.put(None)

    def wait(self, seconds: float) -> list[Done] | None:
        """What was tried since, once there is any; [] when woken, None when *seconds* are over."""
        events: list[Done | None] = []
        try:
            events.append(
                self._events.get(timeout=seconds) if seconds else self._events.get_nowait()
            )
            while True:
                events.append(self._events.get_nowait())
        except queue.Empty:
            if not events:
                return None
        done = [event for event in events if event]
        for each in done:
            del self.in_hand[_key(each.claimed)]
        return done

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
                self._events.put(self._try_safely(links, claimed))
        finally:
            _close(links)

    def _next(self, links: tuple[RelayConnection, ...]) -> Claimed | None:
        try:
            return self._given.get(timeout=LINGER_SECONDS)
        except queue.Empty:
            _close(links)
            return self._given.get()

    def _try_safely(self, links: tuple[RelayConnection, ...], claimed: Claimed) -> Done:
        """A fault of ours defers the mail like one of the relay's, and ends no conversation."""
        try:
            return self._try(links, claimed)
        except Exception as error:
            fault = type(error).__name__
            log.error("conversation failed", reference=claimed.reference, error=fault)
            return Done(claimed, (AttemptResult("-", Outcome.DEFERRED, None, fault),), None)

    def _try(self, links: tuple[RelayConnection, ...], claimed: Claimed) -> Done:
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
        return Done(claimed, results, lesser)


def _close(links: tuple[RelayConnection, ...]) -> None:
    for connection in links:
        connection.close()


def _key(claimed: Claimed) -> str:
    return f"{claimed.token}:{claimed.id}"
