"""Times as support writes them: an hour of today, or a date and an hour, in TIMEZONE."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask import current_app

FORMATS = ("%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%d/%m/%Y %H:%M")


def support_zone() -> ZoneInfo:
    return ZoneInfo(current_app.config["TIMEZONE"])


def parse_time(text: str, now: datetime, *, ahead: bool) -> datetime:
    """The instant meant by *text*, in UTC. Raises ValueError.

    An hour alone, as in "10:30", is the next one when *ahead*, else the last one.
    """
    text = text.strip()
    zone = support_zone()
    for pattern in FORMATS:
        try:
            return datetime.strptime(text, pattern).replace(tzinfo=zone).astimezone(UTC)
        except ValueError:
            continue
    if ":" in text and len(text) <= 5:
        here = now.astimezone(zone)
        hour, _colon, minute = text.partition(":")
        moment = datetime.combine(here.date(), time(int(hour), int(minute)), zone)
        if ahead and moment <= here:
            moment += timedelta(days=1)
        elif not ahead and moment > here:
            moment -= timedelta(days=1)
        return moment.astimezone(UTC)
    full = datetime.fromisoformat(text)
    return (full if full.tzinfo else full.replace(tzinfo=zone)).astimezone(UTC)
