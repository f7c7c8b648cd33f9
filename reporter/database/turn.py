"""Who writes next to a SQLite file."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from reporter.database import patience, sqlite

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
        self.inside = threading.Lock()
        self.file: tuple[int, int] | None = None  # process, descriptor
        self.moved_at = 0.0  # when somebody of this process came in or went out

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Raises patience.NotAnswering for a page, once nobody's turn comes."""
        waited = self._wait()
        file = self._enter() if waited else None
        try:
            self.breaker.check()
            yield
        finally:
            if file is not None:
                fcntl.lockf(file, fcntl.LOCK_UN, 1, self.ROOM)
            if waited:
                self.moved_at = time.monotonic()
                self.inside.release()

    def _wait(self) -> bool:
        """Whether our turn came."""
        end = time.monotonic() + TURN_SECONDS
        while not self.inside.acquire(timeout=LOOK_UP_SECONDS):
            now = time.monotonic()
            if now > end:
                return False
            if now - self.moved_at > sqlite.BUSY_TIMEOUT_SECONDS:
                return False  # who is inside waits for another process: SQLite knows what for
            self.breaker.check()
        self.moved_at = time.monotonic()
        return True

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
