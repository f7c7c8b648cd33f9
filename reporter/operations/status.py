"""How the service stands, on one screen: for people, and as JSON for monitors."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import Any

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from reporter.database import Database
from reporter.database import file as database_file
from reporter.delivery import clock
from reporter.delivery.alarm_words import spoken
from reporter.delivery.beats import skew_seconds
from reporter.models import MailKind
from reporter.operations import condition, figures, limits
from reporter.operations.terminal import megabytes, moment, table

# Clocks of machines that differ by more are told of.
SKEW_SECONDS = 30.0


@dataclass(frozen=True)
class Status:
    """What there is to know; a part that needs the database is None without it."""

    version: str
    database: str
    troubles: list[str]
    free_bytes: int | None
    unsent: dict[str, dict[str, int]] | None = None  # by kind: queued, failed
    oldest_unsent_at: datetime | None = None
    oldest_unsent_seconds: int | None = None
    to_mend: int | None = None
    workers: list[dict[str, Any]] | None = None
    last_beat_at: datetime | None = None
    reports: int | None = None
    unseen: int | None = None
    drafts: int | None = None

    @property
    def is_well(self) -> bool:
        return not self.troubles


def look(app: Flask, now: datetime) -> Status:
    """Raises nothing: a database that does not answer is a trouble like another."""
    url: str = app.config["DATABASE_URL"]
    found: dict[str, Any] = {
        "version": version("incident-reporter"),
        "database": database_file.shown(url),
        "free_bytes": database_file.free_bytes(url),
    }
    troubles = []
    if finding := condition.examine(app):
        troubles.append(finding.words)
    if not limits.are_counted(app.config):
        troubles.append(limits.AWAY)
    least: int = app.config["MIN_FREE_BYTES"]
    if found["free_bytes"] is not None and found["free_bytes"] < least:
        troubles.append(f"{megabytes(found['free_bytes'])} are free: no file is taken any more")
    if finding is None or finding.key == "disk":
        try:
            database: Database = app.extensions["sqlalchemy"]
            shared = now + clock.behind(database)
            with app.app_context(), database.read() as session:
                found |= _counted(session, shared)
        except SQLAlchemyError as error:
            troubles.append(f"{found['database']}: {condition.reason(error)}")
        else:
            troubles += _troubles(found, app.config["ALARM_AFTER_SECONDS"])
    return Status(troubles=troubles, **found)


def _counted(session: Session, now: datetime) -> dict[str, Any]:
    unsent: dict[str, dict[str, int]] = {}
    for (kind, state), count in figures.unsent(session).items():
        unsent.setdefault(kind, {})[state] = count
    oldest = figures.oldest_unsent_at(session)
    return {
        "unsent": unsent,
        "oldest_unsent_at": oldest,
        "oldest_unsent_seconds": int((now - oldest).total_seconds()) if oldest else None,
        "to_mend": figures.to_mend(session),
        "workers": [
            {
                "name": beat.name,
                "version": beat.version,
                "beat_at": beat.beat_at,
                "skew_seconds": round(skew_seconds(beat), 1),
            }
            for beat in figures.beats(session, now)
        ],
        "last_beat_at": figures.last_beat_at(session),
        "reports": figures.reports(session),
        "unseen": figures.unseen(session),
        "drafts": figures.drafts(session),
    }


def _troubles(found: dict[str, Any], alarm_after: int) -> list[str]:
    troubles = []
    # A customer's address that does not exist is told at the desk, and is no trouble of ours.
    refused = [of["failed"] for kind, of in found["unsent"].items() if MailKind(kind).is_alarmed]
    if failed := sum(refused):
        troubles.append(f"{failed} to support were refused: reporter outbox list")
    if (age := found["oldest_unsent_seconds"]) is not None and age > alarm_after:
        troubles.append(f"what support waits for is {spoken(age)} old: reporter outbox list")
    elif count := found["to_mend"]:
        troubles.append(f"{count} to support cannot be sent as it is set: reporter outbox list")
    if not found["workers"]:
        last = found["last_beat_at"]
        since = f"; the last was heard of at {moment(last)}" if last else ""
        troubles.append(f"no worker is running: nothing is sent{since}")
    for worker in found["workers"]:
        if abs(worker["skew_seconds"]) > SKEW_SECONDS:
            troubles.append(f"the clock of {worker['name']} is {worker['skew_seconds']:+.0f} s off")
    return troubles


def as_json(status: Status) -> dict[str, Any]:
    """Times as ISO 8601."""
    return {"status": "ok" if status.is_well else "trouble", **_plain(asdict(status))}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value.isoformat() if isinstance(value, datetime) else value


def as_text(status: Status, now: datetime | None = None) -> str:
    now = now or datetime.now(UTC)
    lines = [f"Incident Reporter {status.version}, {status.database}", ""]
    lines += [f"TROUBLE  {trouble}" for trouble in status.troubles] or ["All is well."]
    lines.append("")
    if status.unsent is not None:
        waiting = sum(states["queued"] for states in status.unsent.values())
        failed = sum(states["failed"] for states in status.unsent.values())
        oldest = status.oldest_unsent_at
        lines.append(f"mails     {waiting} wait, {failed} failed" + _oldest(oldest, now))
        lines.append(f"reports   {status.reports}, {status.unseen} open and not seen")
        lines.append(f"drafts    {status.drafts}")
    if status.free_bytes is not None:
        lines.append(f"disk      {megabytes(status.free_bytes)} free")
    if status.workers:
        rows = [
            [worker["name"], worker["version"], _ago(now - worker["beat_at"])]
            for worker in status.workers
        ]
        lines += ["", table(("WORKER", "VERSION", "HEARD OF"), rows)]
    return "\n".join(lines)


def _oldest(at: datetime | None, now: datetime) -> str:
    return f"; the oldest for support is {spoken((now - at).total_seconds())} old" if at else ""


def _ago(gone: timedelta) -> str:
    return f"{spoken(gone.total_seconds())} ago"
