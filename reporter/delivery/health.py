"""How well a relay is, as all the conversations of a worker with it have seen.

A relay that is out of reach, throttles, or says no to mail after mail pauses for itself: the mails
are left alone meanwhile. After the pause one of them finds out whether it is well again.
"""

from __future__ import annotations

import random
import threading
import time

FIRST_PAUSE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 60.0
SPREAD = 0.2
# So many different mails that are not taken in a row are no property of the mails.
IN_A_ROW = 3


def pause_seconds(failures: int, jitter: float) -> float:
    """How long a relay pauses after so many failures (1 or more) in a row, *jitter* in [0, 1).

    5 s, doubled each time up to a minute, then spread by a fifth either way.
    """
    seconds = min(FIRST_PAUSE_SECONDS * 2 ** min(failures - 1, 10), LONGEST_PAUSE_SECONDS)
    return float(seconds) * (1 - SPREAD + 2 * SPREAD * jitter)


class RelayHealth:
    """Of one relay. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._paused_at = self._paused_until = self._success_at = float("-inf")
        self._probed_until = float("-inf")
        self._failures = 0
        self._not_taken: set[int] = set()
        self.takes_together = True  # several commands at once, as far as it says so
        # What it was before we began is not known: the first success may be a recovery.
        self._troubled = True

    @property
    def is_paused(self) -> bool:
        return time.monotonic() < self._paused_until

    @property
    def is_troubled(self) -> bool:
        """Whether the last thing known of it is a failure, be its pause over or not."""
        return self._failures > 0

    def may_be_first(self) -> bool:
        """Whether a mail is to be tried there before other relays. After a pause that is true of
        one mail alone, for as long as a pause: the others need not find out too.
        """
        with self._lock:
            now = time.monotonic()
            if now < max(self._paused_until, self._probed_until):
                return False
            if self._failures:
                self._probed_until = now + FIRST_PAUSE_SECONDS
            return True

    @property
    def pause_left_seconds(self) -> float:
        return max(0.0, self._paused_until - time.monotonic())

    def succeeded(self) -> bool:
        """It took a mail. Whether it did not before, so that others may have waited for this."""
        with self._lock:
            was_troubled, self._troubled = self._troubled, False
            self._success_at = time.monotonic()
            self._paused_until = self._probed_until = float("-inf")
            self._failures = 0
            self._not_taken.clear()
            return was_troubled

    def failed(self, began_at: float) -> None:
        """An attempt that began at that time (monotonic) came to nothing for the relay's sake.

        It does not count when another mail got through meanwhile, nor twice for one pause.
        """
        with self._lock:
            if began_at < max(self._success_at, self._paused_at):
                return
            self._pause()

    def did_not_take(self, message_id: int, began_at: float) -> bool:
        """A mail was not taken, for its own sake as it seems; whether it only seems so."""
        with self._lock:
            if began_at < self._success_at:
                return False
            self._not_taken.add(message_id)
            seems_so = len(self._not_taken) >= IN_A_ROW
            # What was tried to see whether the relay is back has not shown that it is.
            if (seems_so or self._failures) and began_at >= self._paused_at:
                self._pause()
            return seems_so

    def _pause(self) -> None:
        self._failures += 1
        self._troubled = True
        jitter = random.random()  # noqa: S311  (spreads tries, guards nothing)
        self._paused_at = time.monotonic()
        self._paused_until = self._paused_at + pause_seconds(self._failures, jitter)
