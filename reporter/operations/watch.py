"""The web half watches too: it lives when no worker does, and when the database does not answer.

One process of each machine looks every few seconds; what it sees twice in a row is told to the
alarm channels once, and so is its end. What is told of while the database answers is noted there,
so that several machines tell of it once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from reporter.database import Database
from reporter.database import file as database_file
from reporter.delivery import clock
from reporter.delivery.beats import beats
from reporter.delivery.channels import tell
from reporter.operations import condition, limits, place
from reporter.operations.noted import MENDED_BY_ANOTHER_FILE, NOTED, Noted
from reporter.operations.terminal import megabytes

LOOK_SECONDS = 15.0
EXAMINED_EVERY = timedelta(days=1)
log = structlog.get_logger(__name__)


class Watch:
    """What was seen, and what was told of it: also by a process of this machine before us, as far
    as its *file* says (`place`)."""

    def __init__(self, app: Flask, file: Path | None = None) -> None:
        self.app = app
        self.database: Database = app.extensions["sqlalchemy"]
        self.shown = database_file.shown(app.config["DATABASE_URL"])
        self.noted = Noted(self.database, app.config["DATABASE_URL"])
        self.seen: dict[str, str] = {}
        self.file = file
        self.told: dict[str, datetime] = {}  # since when
        self.kept: dict[str, datetime] | None = None  # of it, in the file
        self.examined_at: datetime | None = None
        self.said: dict[str, str] = {}  # last, in the log

    def step(self, now: datetime) -> None:
        """Look once, and tell what began and what ended."""
        self._recall()
        found = self.look(now)
        for key in found.keys() & self.seen.keys() - self.told.keys():
            self._begin(key, found[key], now)
        # What was told before we were started may be over too.
        told = self.told if "database" in found else self.noted.since() | self.told
        for key in told.keys() - found.keys() - self.seen.keys():
            self._end(key, told[key], now)
        self.seen = found
        self._keep()

    def _recall(self) -> None:
        """By now whoever told it is gone."""
        if self.file and self.kept is None:
            self.kept = place.told(self.file)
            self.told |= self.kept

    def _keep(self) -> None:
        elsewhere = NOTED - {MENDED_BY_ANOTHER_FILE}
        own = {key: since for key, since in self.told.items() if key not in elsewhere}
        if self.file and own != self.kept:
            place.leave(self.file, own)
            self.kept = own

    def look(self, now: datetime) -> dict[str, str]:
        """What is wrong now: a line for each thing, by its name. Raises nothing.

        What cannot be looked at is as it was.
        """
        found = {}
        free = database_file.free_bytes(self.app.config["DATABASE_URL"])
        if free is not None and free < self.app.config["MIN_FREE_BYTES"]:
            found["room"] = f"{self.shown}: {megabytes(free)} are free: no file is taken any more"
        if not limits.are_counted(self.app.config):
            found["limits"] = f"{limits.AWAY} (RATELIMIT_STORAGE_URI)"
        finding = condition.examine(self.app)
        if finding:
            found[finding.key] = finding.words
        try:
            shared = now + clock.behind(self.database)
            with self.database.read() as session:
                if not beats(session, shared):
                    found["worker"] = "no worker is running: nothing is sent"
            if damage := self._damage(now):
                found["damage"] = f"{self.shown} is damaged, restore a backup: {damage}"
        except SQLAlchemyError as error:
            found.setdefault("database", f"{self.shown}: {condition.reason(error)}")
            found |= {key: self.seen[key] for key in ("worker", "damage") if key in self.seen}
        return found

    def _damage(self, now: datetime) -> str:
        """What a page that was read has shown; and once a day all of a file is read for it, as it
        is to see whether it was mended."""
        if self.database.damage:
            return self.database.damage
        due = self.examined_at and now - self.examined_at >= EXAMINED_EVERY
        self.examined_at = self.examined_at or now
        if due or "damage" in self.noted.since() | self.told:
            self.examined_at = now
            return self.database.examine()
        return ""

    def _begin(self, key: str, words: str, now: datetime) -> None:
        self._say(log.error, "trouble", key)
        is_ours = self.noted.begin(key, now)
        if not is_ours or tell(
            self.app.config["ALARM_URLS"], "Incident Reporter: trouble", words
        ):  # another machine tells
            self.told[key] = now
        else:
            self.noted.end(key)

    def _end(self, key: str, since: datetime, now: datetime) -> None:
        self.told.pop(key, None)
        self._say(log.info, "trouble over", key)
        if self.noted.end(key):
            minutes = round((now - since).total_seconds() / 60)
            text = f"{key}: all is well again, after {minutes} min"
            if not tell(self.app.config["ALARM_URLS"], "Incident Reporter: over", text):
                self.noted.begin(key, since)  # whoever looks next tells it
                self.told[key] = since

    def _say(self, write: Callable[..., object], what: str, key: str) -> None:
        """In the log, once; the channels are tried until one takes it."""
        if self.said.get(key) != what:
            self.said[key] = what
            write(what, trouble=key)


def start(app: Flask) -> None:
    """Watch in a thread of this process, unless another one of this machine does.

    If that one ends, we go on in its place.
    """
    file = place.file_of(app.config["DATABASE_URL"])
    threading.Thread(target=_run, args=(Watch(app, file), file), name="watch", daemon=True).start()


def _run(watch: Watch, file: Path) -> None:
    pause = threading.Event()
    is_ours = place.take(file)
    while not pause.wait(LOOK_SECONDS):
        is_ours = is_ours or place.take(file)
        if is_ours:
            _safely(lambda: watch.step(datetime.now(UTC)))


def _safely(step: Callable[[], None]) -> None:
    try:
        step()
    except Exception as error:  # whoever watches does not stop
        log.error("watch failed", error=type(error).__name__)
