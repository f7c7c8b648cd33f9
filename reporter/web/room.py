"""Room for what is on its way through this process: so many bytes, of which a client has a part."""

from __future__ import annotations

import threading
from collections import Counter


class Room:
    """*most* bytes of all clients, *of_a_client* of one; who has no name is not told apart."""

    def __init__(self, most: int, of_a_client: int) -> None:
        self.held = 0
        self.held_of: Counter[str] = Counter()
        self._most, self._of_a_client = most, of_a_client
        self._lock = threading.RLock()  # what is forgotten gives back, also while we count

    def takes(self, client: str, size: int) -> bool:
        """Whether there was room; then it is taken, and has to be given back."""
        with self._lock:
            if self.held + size > self._most:
                return False
            if client:
                if self.held_of[client] + size > self._of_a_client:
                    return False
                self.held_of[client] += size
            self.held += size
        return True

    def give_back(self, client: str, size: int) -> None:
        with self._lock:
            self.held -= size
            if client:
                self.held_of[client] -= size
                if not self.held_of[client]:
                    del self.held_of[client]
