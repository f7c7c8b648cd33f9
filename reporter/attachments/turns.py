"""What takes much memory is done one at a time, and only so many may stand in line for it: each of
them is a thread that serves nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore, Lock

from reporter.database import at_work

WAITING = 32


class Busy(Exception):
    """Too many stand in line already."""


class Turn:
    """Of all threads of this process, one at a time."""

    def __init__(self, waiting: int = WAITING) -> None:
        self._room = BoundedSemaphore(1 + waiting)
        self._one = Lock()

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Raises Busy, at once."""
        if not self._room.acquire(blocking=False):
            raise Busy
        try:
            with at_work.aside(), self._one:
                yield
        finally:
            self._room.release()
