"""What an alarm says. No word of a customer is in it, as it leaves through third parties."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from reporter.models import MailState, Message

LISTED = 20


def compose(messages: Sequence[Message], now: datetime) -> tuple[str, str]:
    """Title and text of one alarm for all of *messages*."""
    references = sorted({message.reference for message in messages})
    if all(message.kind.is_urgent for message in messages):
        title = f"Incident Reporter: {', '.join(references)}"
    elif len(references) == 1:
        title = f"Incident Reporter: {references[0]} is not sent"
    else:
        title = f"Incident Reporter: {len(references)} tickets are not sent"
    lines = [_line(message, now) for message in messages[:LISTED]]
    if len(messages) > LISTED:
        lines.append(f"and {len(messages) - LISTED} more: reporter outbox list")
    return title, "\n".join(lines)


def _line(message: Message, now: datetime) -> str:
    if message.kind.is_urgent:
        return f"{message.reference}: a mail of its own tells support more"
    age = spoken((now - message.created_at).total_seconds())
    state = "refused by every relay" if message.state == MailState.FAILED else "still waiting"
    last = "never tried"
    if message.attempts:
        attempt = message.attempts[-1]
        last = f"last answer of {attempt.relay}: {attempt.code or 'none'}"
    look = f"reporter outbox show {message.reference}"
    return f"{message.reference} ({message.kind}): {state} after {age}; {last}. Look: {look}"


def spoken(seconds: float) -> str:
    """A duration as a person says it, rounded down: "45 s", "7 min", "3 h", "2 d"."""
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{int(seconds // length)} {unit}"
    return f"{max(int(seconds), 0)} s"
