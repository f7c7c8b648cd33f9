"""What can be wrong with the settings of the service itself: keys, database, proxy, time kept."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from reporter.settings import shapes

KEY_LENGTH = 32
SIGNED_WITH = "whsec_"  # before a key of Standard Webhooks
DRIVERS = {"sqlite", "sqlite+pysqlite", "postgresql", "postgres", "postgresql+psycopg"}
# What SQLAlchemy takes for a SQLite database that is not a file.
IN_MEMORY = {None, "", ":memory:"}
# The least and the most that each number may be. What is over that is a slip of the hand, or wishes
# for "never": it would be no date and no thread any more. Of bytes there may be as many as a file
# can have, as a room that there never is stops uploads.
A_CENTURY, A_YEAR, BYTES = 36_500, 31_536_000, 2**63 - 1  # days, seconds
BETWEEN = {
    "WEB_PROCESSES": (1, 100), "TRUSTED_PROXIES": (0, 100), "MAX_ATTACHMENT_BYTES": (0, BYTES),
    "MAX_DESK_FILE_BYTES": (0, BYTES), "MIN_FREE_BYTES": (0, BYTES),
    "RETENTION_DAYS": (1, A_CENTURY), "SENT_MAIL_DAYS": (0, A_CENTURY),
    "DRAFT_DAYS": (1, A_CENTURY), "WORKER_CONNECTIONS": (1, 1_000),
    "ALARM_AFTER_SECONDS": (1, A_YEAR),
}  # fmt: skip
RATELIMIT_SCHEMES = {"redis", "rediss", "redis+unix", "redis+sentinel"}

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
    if settings["HOOK_SECRET"] == SIGNED_WITH:  # with no key: anybody has that
        yield "HOOK_SECRET", f'HOOK_SECRET has nothing behind "{SIGNED_WITH}"'


def site(settings: Settings) -> Problems:
    url = settings["BASE_URL"]
    if not url:
        line = (
            'BASE_URL is missing: the address customers use, as in "https://incidents.example.com"'
        )
        yield "BASE_URL", line
    elif not shapes.is_site(url):
        shown = shapes.without_login(url)
        yield "BASE_URL", f'BASE_URL must be "https://" and a host, with no path, not "{shown}"'
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
    elif url.get_backend_name() == "sqlite" and (
        url.database in IN_MEMORY or url.query.get("mode") == "memory"
    ):
        yield name, "DATABASE_URL must name a file: a database in memory would lose reports"
    elif url.get_backend_name() == "sqlite" and not _is_path_of_file(url.database or ""):
        yield name, "DATABASE_URL must name a file by its path, and no folder"


def _is_path_of_file(path: str) -> bool:
    if path.startswith("file:") or path.endswith("/") or "\x00" in path:
        return False
    return not Path(path).is_dir()


def limits(settings: Settings) -> Problems:
    for name, (least, most) in BETWEEN.items():
        if settings[name] < least:
            yield name, f"{name} must be {least} or more"
        elif settings[name] > most:
            yield name, f"{name} must be {most} or less"
    name = "RATELIMIT_STORAGE_URI"
    if settings[name] != "memory://" and not _is_redis(settings[name]):
        yield name, f'{name} must be "memory://" or "redis://" and a host'


def _is_redis(uri: str) -> bool:
    """Whether it says where a Redis is, in full: a client is made of it at the start."""
    try:
        parts = urlsplit(uri)
        if parts.scheme == "redis+sentinel":  # several hosts, and the name of the service
            return bool(parts.netloc and parts.path.strip("/"))
        place = parts.path if parts.scheme == "redis+unix" else parts.hostname
        return parts.scheme in RATELIMIT_SCHEMES and bool(place) and parts.port != 0
    except ValueError:
        return False


CHECKS = (keys, site, database, limits)
