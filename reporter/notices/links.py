"""The signed links of a known incident, as support gets them in its mails."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from reporter.links import full_url, seal, unseal

PURPOSE, DESK_PURPOSE = "open-notice", "notice-desk"
VALID_FOR, DESK_VALID_FOR = timedelta(days=7), timedelta(days=30)


@dataclass(frozen=True)
class Opening:
    """What a known incident is opened for. `report`: its reference and the epoch of its links."""

    service: str
    since: datetime
    report: tuple[str, int] | None = None


def open_notice_url(service: str, since: datetime, report: tuple[str, int] | None = None) -> str:
    """Of the page that opens a known incident for *service*, filled in."""
    value = [service, since.isoformat(timespec="minutes"), *(report or ())]
    return full_url("desk_notices.open_notice", signed=seal(PURPOSE, value))


def read_open_notice(signed: str) -> Opening | None:
    """What such a link opens one for; None when it is forged or expired."""
    match unseal(PURPOSE, signed, VALID_FOR):
        case [str(service), str(since)]:
            return Opening(service, datetime.fromisoformat(since))
        case [str(service), str(since), str(reference), int(epoch)]:
            return Opening(service, datetime.fromisoformat(since), (reference, epoch))
    return None


def notice_desk_url(key: str) -> str:
    """Of the page on which support tells more of a known incident, and closes it."""
    return full_url("desk_notices.notice", signed=seal(DESK_PURPOSE, key))


def read_notice_desk(signed: str) -> str | None:
    """The key of the known incident; None when the link is forged or expired."""
    match unseal(DESK_PURPOSE, signed, DESK_VALID_FOR):
        case str(key):
            return key
    return None
