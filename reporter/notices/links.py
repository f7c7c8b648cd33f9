"""The signed link that opens a known incident, as support gets it in its mails."""

from __future__ import annotations

from datetime import datetime, timedelta

from reporter.links import full_url, seal, unseal

PURPOSE = "open-notice"
VALID_FOR = timedelta(days=7)


def open_notice_url(service: str, since: datetime) -> str:
    """Of the page that opens a known incident for *service*, filled in."""
    signed = seal(PURPOSE, [service, since.isoformat(timespec="minutes")])
    return full_url("desk.open_notice", signed=signed)


def read_open_notice(signed: str) -> tuple[str, datetime] | None:
    """The service and the time of such a link; None when it is forged or expired."""
    match unseal(PURPOSE, signed, VALID_FOR):
        case [str(service), str(since)]:
            return service, datetime.fromisoformat(since)
    return None
