"""What can be wrong with the settings of the service itself: keys, database, proxy, time kept."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from reporter.settings import shapes

KEY_LENGTH = 32
DRIVERS = {"sqlite", "sqlite+pysqlite", "postgresql", "postgres", "postgresql+psycopg"}
# What SQLAlchemy takes for a SQLite database that is not a file.
IN_MEMORY = {None, "", ":memory:"}
# The least that each number may be.
LEAST = {
    "WEB_PROCESSES": 1, "TRUSTED_PROXIES": 0, "MAX_ATTACHMENT_BYTES": 0, "MAX_DESK_FILE_BYTES": 0,
    "MIN_FREE_BYTES": 0, "RETENTION_DAYS": 1, "SENT_MAIL_DAYS": 0, "DRAFT_DAYS": 1,
    "WORKER_CONNECTIONS": 1, "ALARM_AFTER_SECONDS": 1,
}  # fmt: skip

Settings = Mapping[str, Any]
Problems = Iterator[tuple[str, str]]


def keys(settings: Settings) -> Problems:
    key = settings["SECRET_KEY"]
    advice = f"set it to at least {KEY_LENGTH} random characters"
    if not key:
        yield "SECRET_KEY", f"SECRET_KEY is missing: {advice}"
    elif len(key) < KEY_LENGTH:
        yield "SECRET_KEY", f"SECRET_KEY is too short: {advice}"
    elif len(set(key)) == 1:
        yield "SECRET_KEY", f"SECRET_KEY is one character again and again: {advice}"
    name = "SECRET_KEY_FALLBACKS"
    for number, former in enumerate(settings[name], 1):
        if not isinstance(former, str) or not former:
            yield name, f"{name}, number {number} must be text: a SECRET_KEY of before"
    for name in ("HOOK_SECRET", "METRICS_TOKEN"):
        if not re.fullmatch(r"[\x21-\x7e]*", settings[name]):
            yield name, f"{name} must be ASCII characters without spaces"


def site(settings: Settings) -> Problems:
    url = settings["BASE_URL"]
    if not url:
        line = (
            'BASE_URL is missing: the address customers use, as in "https://incidents.example.com"'
        )
        yield "BASE_URL", line
    elif not shapes.is_site(url):
        yield "BASE_URL", f'BASE_URL must be "https://" and a host, with no path, not "{url}"'
    header = settings["STAFF_HEADER"]
    if header and not shapes.is_header_name(header):
        yield "STAFF_HEADER", f'STAFF_HEADER must be the name of a header, not "{header}"'
    for peer in settings["STAFF_HEADER_FROM"]:
        if not shapes.is_network(peer):
            line = f"STAFF_HEADER_FROM must list addresses or networks, not {peer!r}"
            yield "STAFF_HEADER_FROM", line


def database(settings: Settings) -> Problems:
    name = "DATABASE_URL"
    try:
        url = make_url(settings[name])
    except (ArgumentError, ValueError):
        yield name, "DATABASE_URL is not a database URL"
        return
    if url.drivername not in DRIVERS:
        yield name, f"DATABASE_URL must be sqlite:// or postgresql://, not {url.drivername}://"
    elif url.get_backend_name() == "sqlite" and url.host:
        yield (
            name,
            (
                "DATABASE_URL needs three slashes for a path from here, four for one from the "
                'root, as in "sqlite:////var/lib/incident-reporter/reporter.db"'
            ),
        )
    elif url.get_backend_name() == "sqlite" and url.database in IN_MEMORY:
        yield name, "DATABASE_URL must name a file: a database in memory would lose reports"


def limits(settings: Settings) -> Problems:
    for name, least in LEAST.items():
        if settings[name] < least:
            yield name, f"{name} must be {least} or more"
    name = "RATELIMIT_STORAGE_URI"
    if not re.fullmatch(r"memory://|redis(s|\+\w+)?://.+", settings[name]):
        yield name, f'{name} must be "memory://" or "redis://" and a host'


CHECKS = (keys, site, database, limits)
