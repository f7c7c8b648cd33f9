"""Who writes next to a SQLite file."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from reporter.database import patience, sqlite
from reporter.database.gate import Gate

# How long a page waits among many that write at once.
TURN_SECONDS = 60
LOOK_UP_SECONDS = 0.5  # how often who waits for a turn looks whether it will come


class Turn:
    """Whose turn it is to write to a SQLite file, among the threads and processes of one machine.

    SQLite's own lock is polled, and whoever polls may find it taken again each time: the slowest of
    many writers waited fifty times as long as most. Here each process sends one thread at a time,
    and a process that has written waits behind the one that stands at the door. It is a courtesy:
    that two never write at once is SQLite's to see to, so whoever has waited for long enough goes
    on without, and what ends a process ends its turn.
    """

    DOOR, ROOM = 0, 1  # bytes of the file that are locked

    def __init__(self, path: str, breaker: patience.Breaker) -> None:
        self.path = path
        self.breaker = breaker
        self.inside = Gate(1)
        self.file: tuple[int, int] | None = None  # process, descriptor
        self.moved_at = 0.0  # when somebody of this process came in or went out

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Raises patience.NotAnswering for a page, once nobody's turn comes."""
        waited = self._wait()
        entered = None
        try:
            if waited:
                entered = self._enter()
            self.breaker.check()
            yield
        finally:
            if waited:
                self._leave(entered)

    def is_in_vain(self, since: float) -> bool:
        """Whether who has waited *since* then (monotonic) should go on without a turn. Raises as
        `taken`."""
        now = time.monotonic()
        # Who is inside waits for another process: SQLite knows what for.
        is_stuck = now - self.moved_at > sqlite.BUSY_TIMEOUT_SECONDS
        if now > since + TURN_SECONDS or is_stuck:
            return True
        self.breaker.check()
        return False

    def _wait(self) -> bool:
        """Whether our turn came."""
        since = time.monotonic()
        while not self.inside.acquire(timeout=LOOK_UP_SECONDS):
            if self.is_in_vain(since):
                return False
        self.moved_at = time.monotonic()
        return True

    def _leave(self, file: int | None) -> None:
        try:
            if file is not None:
                fcntl.lockf(file, fcntl.LOCK_UN, 1, self.ROOM)
            self.moved_at = time.monotonic()
        finally:
            self.inside.release()

    def close(self) -> None:
        if self.file and self.file[0] == os.getpid():
            os.close(self.file[1])
        self.file = None

    def _enter(self) -> int | None:
        """The file, locked; None where it cannot be, as on a disk that is full."""
        try:
            if self.file is None or self.file[0] != os.getpid():  # a child opens its own
                flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
                self.file = os.getpid(), os.open(self.path, flags, 0o600)
            file = self.file[1]
            fcntl.lockf(file, fcntl.LOCK_EX, 1, self.DOOR)
            fcntl.lockf(file, fcntl.LOCK_EX, 1, self.ROOM)
            fcntl.lockf(file, fcntl.LOCK_UN, 1, self.DOOR)
        except OSError:
            return None
        return file
