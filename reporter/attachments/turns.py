"""What takes much memory is done one at a time, and only so many may stand in line for it: each of
them is a thread that serves nobody else. One client has its part of the line, and of the time."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from reporter.database import at_work

# Of them one client has two thirds of what the others leave, and one in any case.
WAITING = 32
# What one client has converted by this process in a while: some 500 photos of a phone, which take
# it a fifth of that while.
CONVERTED_PIXELS, CONVERTED_WITHIN_SECONDS = 6_000_000_000, 600.0


class Busy(Exception):
    """Too many stand in line already, or the client has had its part."""


class Turn:
    """Of all threads of this process, one at a time. Each client has a line of its own, and whose
    line it is goes round: who comes waits for one of each other client, however many they have."""

    def __init__(self, waiting: int = WAITING) -> None:
        self._places = 1 + waiting
        self._here: Counter[str] = Counter()
        self._lines: dict[str, deque[Lock]] = {}  # that of the client who is next stands first
        self._counting = Lock()

    @contextmanager
    def taken(self, client: str = "") -> Iterator[None]:
        """*client*: who asks; without it they are not told apart. Raises Busy, at once."""
        called = self._stand(client)
        with at_work.aside():
            try:
                called.acquire()
                yield
            finally:
                self._leave(client)

    def _stand(self, client: str) -> Lock:
        """In line; who can take what is returned has the turn. Raises Busy."""
        called = Lock()
        with self._counting:
            here, all_here = self._here[client], self._here.total()
            left = self._places - all_here
            if not left or (client and here >= max(1, (left + here) * 2 // 3)):
                raise Busy
            self._here[client] += 1
            if all_here:
                called.acquire()
                self._lines.setdefault(client, deque()).append(called)
        return called

    def _leave(self, client: str) -> None:
        with self._counting:
            self._here[client] -= 1
            if not self._here[client]:
                del self._here[client]
            if not self._lines:
                return
            next_one = next(iter(self._lines))
            line = self._lines.pop(next_one)
            line.popleft().release()
            if line:  # behind all others
                self._lines[next_one] = line


class Spending:
    """What each client has had of something, in whiles of *within_seconds*, by *clock*."""

    def __init__(
        self, most: int, within_seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most, self._within, self._clock = most, within_seconds, clock
        self._had: Counter[str] = Counter()
        self._since = clock()
        self._lock = Lock()

    def spend(self, client: str, amount: int) -> None:
        """Without a *client* nothing is counted. Raises Busy, and counts nothing, over the most."""
        if not client:
            return
        with self._lock:
            if self._clock() - self._since >= self._within:
                self._had.clear()
                self._since = self._clock()
            if self._had[client] + amount > self._most:
                raise Busy
            self._had[client] += amount

    def add(self, client: str, amount: int) -> None:
        """What it came to have besides what was spent before; it is never less."""
        if client and amount > 0:
            with self._lock:
                self._had[client] += amount
