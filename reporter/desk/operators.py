"""Support that fills the form during a call: a signed link makes a browser an operator's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from reporter.links import full_url, seal, unseal
from reporter.web.browser import Browser

PURPOSE = "operator"
SHIFT = timedelta(hours=12)
LONGEST = timedelta(days=366)


def operator_url(valid_for: timedelta) -> str:
    """A link that works that long, at most LONGEST."""
    until = datetime.now(UTC) + valid_for
    return full_url("desk.operator", signed=seal(PURPOSE, int(until.timestamp())))


def begin(signed: str) -> bool:
    """Make this browser an operator's for one shift. False for a link that is not good."""
    match unseal(PURPOSE, signed, LONGEST):
        case int(until) if datetime.now(UTC).timestamp() < until:
            Browser().begin_shift(datetime.now(UTC) + SHIFT)
            return True
    return False


def end() -> None:
    """End the shift."""
    Browser().end_shift()
