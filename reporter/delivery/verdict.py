"""What a relay's answer means for a mail: taken, to be tried again, or not to be sent like this."""

from __future__ import annotations

from enum import StrEnum


class About(StrEnum):
    """What an answer is about, which decides what follows from it."""

    RELAY = "relay"  # us or the relay: every mail would get it
    RECIPIENT = "recipient"  # this recipient's address, mailbox or server
    MAIL = "mail"  # what this mail holds: its size, a file, a word
