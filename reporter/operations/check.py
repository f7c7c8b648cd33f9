"""A doctor: everything that a ticket needs on its way, tried, with a word of what to mend."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from reporter.database import Database
from reporter.database import file as database_file
from reporter.delivery import clock
from reporter.delivery.channels import notify
from reporter.delivery.smtp import connections, deliver
from reporter.formats.text import one_line
from reporter.mail.message import finish, mime_id, new_message
from reporter.models import Outcome
from reporter.operations import condition, figures, limits
from reporter.operations.relay_check import check_relays
from reporter.operations.result import Result, mend, note, ok
from reporter.operations.site_check import check_site
from reporter.operations.status import SKEW_SECONDS
from reporter.operations.terminal import megabytes
from reporter.web import bounds, uploads

# Shorter ones can be tried out by whoever has the time.
SECRET_LENGTH = 20
# What a helpdesk has to be told before it takes our mails as they are meant.
NEEDS = {
    "zammad": "trust our sender, so that X-Zammad headers count (docs/helpdesks)",
    "znuny": "trust our sender, so that X-OTRS headers count (docs/helpdesks)",
    "django-helpdesk": "let its queue take mail by IMAP or POP3 (docs/helpdesks)",
}


def check(app: Flask, *, send: bool) -> Iterator[Result]:
    """One result after the other, as they are found. In an application context."""
    yield ok("settings", "read and understood")
    yield from _advice(app.config)
    yield from check_database(app)
    yield from _temporary_files(app.config["MIN_FREE_BYTES"])
    yield from _limits(app.config)
    yield from check_relays(app.config)
    yield from check_site(app.config)
    yield from _alarms(app.config, send=send)
    if send:
        yield _test_ticket(app)


def _advice(config: Mapping[str, Any]) -> Iterator[Result]:
    if not config["PRIVACY_URL"]:
        yield note("PRIVACY_URL", "not set: customers are asked for personal data (GDPR, 13)")
    for name in ("HOOK_SECRET", "METRICS_TOKEN"):
        if config[name] and len(config[name]) < SECRET_LENGTH:
            yield note(name, f"shorter than {SECRET_LENGTH} characters")
    if config["RATELIMIT_STORAGE_URI"] == "memory://" and config["DATABASE_URL"].startswith("post"):
        yield note("RATELIMIT_STORAGE_URI", "each process counts alone: Redis for several machines")
    if config["INBOUND_LISTEN"] and not (
        config["INBOUND_ADDRESS"] or config["INBOUND_AUTHSERV_ID"]
    ):
        words = "no answer of support's will count: set INBOUND_ADDRESS or INBOUND_AUTHSERV_ID"
        yield mend("INBOUND_LISTEN", words)
    if need := NEEDS.get(config["HELPDESK_PROFILE"]):
        yield note(f"helpdesk {config['HELPDESK_PROFILE']}", need)


def check_database(app: Flask) -> Iterator[Result]:
    """Writable, at head, with room; clocks and workers. Raises nothing."""
    url = app.config["DATABASE_URL"]
    if finding := condition.examine(app):
        yield mend("database", finding.words)
        return
    free = database_file.free_bytes(url)
    room = f", {megabytes(free)} free" if free is not None else ""
    yield ok("database", f"{database_file.shown(url)}: written to, at this version{room}")
    if free is not None and free < app.config["MIN_FREE_BYTES"]:
        yield mend("disk", f"{megabytes(free)} are free: no file is taken any more")
    database: Database = app.extensions["sqlalchemy"]
    try:
        behind = clock.behind(database)
        yield from _clock(behind.total_seconds())
        with database.read() as session:
            if not figures.beats(session, datetime.now(UTC) + behind):
                yield note("worker", "none is running: nothing is sent")
        if damage := database.examine():
            yield mend("database", f"it is damaged, restore a backup: {one_line(damage)}")
    except SQLAlchemyError as error:
        yield mend("database", condition.reason(error))


def _temporary_files(least: int) -> Iterator[Result]:
    """Where they go as they arrive: a form with files may be as large as that."""
    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free
    if not uploads.has_room(least) or free < bounds.FILES_BODY_BYTES:
        words = f"{folder}, where files arrive, has {megabytes(free)} free: large ones are declined"
        yield mend("temporary files", f"{words} (make room, or set TMPDIR)")


def _limits(config: Mapping[str, Any]) -> Iterator[Result]:
    """Where they are counted, if not in memory."""
    if config["RATELIMIT_STORAGE_URI"] == "memory://":
        return
    if why := limits.why_not(config):
        words = "limits are counted in memory, by each process alone"
        yield note("RATELIMIT_STORAGE_URI", f"does not answer ({why}): {words}")
    else:
        yield ok("RATELIMIT_STORAGE_URI", "answers")


def _clock(skew: float) -> Iterator[Result]:
    if abs(skew) > SKEW_SECONDS:
        yield mend("clock", f"PostgreSQL's is {skew:+.0f} s off from this one (NTP)")


def _alarms(config: Mapping[str, Any], *, send: bool) -> Iterator[Result]:
    urls = config["ALARM_URLS"]
    if not urls:
        yield note("ALARM_URLS", "not set: trouble is told in the log alone")
    elif not send:
        yield ok("ALARM_URLS", f"{len(urls)} of a known form; --send tries them")
    for number, url in enumerate(urls, 1) if send else ():
        text = "A test by reporter check --send: nothing is wrong."
        if notify(url, "Incident Reporter: a test alarm", text):
            yield ok(f"alarm channel {number}", "took a test alarm: see that it arrived")
        else:
            yield mend(f"alarm channel {number}", "did not take a test alarm")


def _test_ticket(app: Flask) -> Result:
    """A mail to support as a ticket travels: the same relays, sender and recipient."""
    now = datetime.now(UTC)
    mail = new_message(
        to=app.config["SUPPORT_EMAIL"],
        subject="SEV4 Test of Incident Reporter, please close | other | INC-TEST",
        mime_id=mime_id("INC-TEST", f"{now:%Y%m%d%H%M%S%f}"),
        date=now,
    )
    mail.set_content("A test by reporter check --send. Nothing is wrong, and nobody waits.\n")
    stored = finish(mail, app.config["HELPDESK_HEADERS"])
    relays = connections(app)
    try:
        results = deliver(relays, stored.content, stored.recipient)
    finally:
        for relay in relays:
            relay.close()
    for result in results:
        if result.outcome == Outcome.ACCEPTED:
            return ok("test ticket", f"{result.relay} took it: see that it became a ticket")
    said = "; ".join(f"{result.relay}: {result.code or ''} {result.reply}" for result in results)
    return mend("test ticket", f"no relay took it: {said}")
