"""Letting so many in at once, in the order in which they came."""

from __future__ import annotations

import threading
from collections import deque

# Hundreds who came together and wait in vain do not all go at the same moment.
APART_SECONDS = 0.0005


class Gate:
    """As threading.Semaphore, which lets whoever comes next pass those who have waited."""

    def __init__(self, places: int) -> None:
        self._lock = threading.Lock()
        self._free = places
        self._waiting: deque[threading.Lock] = deque()

    def acquire(self, timeout: float) -> bool:
        """Whether there was a place within *timeout* seconds."""
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            mine = threading.Lock()
            mine.acquire()
            self._waiting.append(mine)
            timeout += len(self._waiting) * APART_SECONDS
        if mine.acquire(timeout=timeout):
            return True
        with self._lock:
            if mine in self._waiting:
                self._waiting.remove(mine)
                return False
        return True  # it was given at this very moment

    def release(self) -> None:
        """Give the place to who has waited longest."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._free += 1
