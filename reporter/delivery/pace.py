"""How many mails are claimed before a conversation is free for them.

Where a mail takes a moment, asking the database for each one would take longer than sending it. So
some are claimed ahead: as many as are sent in AHEAD_SECONDS, as far as one knows. Where a mail
takes longer than that there are none: what comes meanwhile and is more urgent goes first.
"""

from __future__ import annotations

AHEAD_SECONDS = 0.05
MOST_AHEAD = 96
SMALLEST_SECONDS = 0.0001
WEIGHT = 0.2  # of the latest one


class Pace:
    """What a mail takes, in a conversation, as the last ones did."""

    def __init__(self, conversations: int) -> None:
        self.conversations = conversations
        self._seconds: float | None = None

    @property
    def ahead(self) -> int:
        """None until a mail was accepted, nor after one that was not: it may be a relay's end."""
        if self._seconds is None:
            return 0
        each = max(self._seconds, SMALLEST_SECONDS)
        return min(MOST_AHEAD, int(self.conversations * AHEAD_SECONDS / each))

    def note(self, seconds: float, *, accepted: bool) -> None:
        if not accepted:
            self._seconds = None
        elif self._seconds is None:
            self._seconds = seconds
        else:
            self._seconds += WEIGHT * (seconds - self._seconds)
