"""Settings: config.py, then a TOML file, then the environment; checked before anything starts.

A wrong start is refused with one `SettingsError` that lists everything to mend.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from flask import Config, Flask

from reporter.settings.checks import example, problems, sender
from reporter.settings.shapes import ehlo_name

HERE = Path(__file__).resolve().parent.parent
# A wheel carries templates/ and config.py inside the package; a checkout has them beside it.
ROOT = HERE if (HERE / "templates").is_dir() else HERE.parent

# Read where REPORTER_SETTINGS names no other, and it exists.
SYSTEM_FILE = Path("/etc/incident-reporter/settings.toml")
PREFIX = "REPORTER_"
# What a page waits for a Redis: limits are then counted by each process alone for a while.
REDIS_SECONDS = 0.5
# Variables with our prefix that are no settings.
NOT_SETTINGS = {"REPORTER_SETTINGS", "REPORTER_TEST_POSTGRES_URL"}


class SettingsError(click.ClickException):
    """The service cannot start as it is set. `problems` has one line for each thing to mend.

    A command shows the list and exits with 1.
    """

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        lines = "\n".join(f"  - {problem}" for problem in problems)
        super().__init__(f"Incident Reporter cannot start. Please mend these settings:\n{lines}")


def init_app(app: Flask, overrides: Mapping[str, Any] | None = None) -> None:
    """Fill `app.config`. Raises SettingsError."""
    settings, defaults, found = resolve()
    settings.update(overrides or {})
    # What a file that cannot be read would have said is unknown, and not missing.
    if not isinstance(_toml(), str):
        found += problems(settings, defaults)
    if found:
        raise SettingsError(found)
    _derive(settings)
    app.config.update(settings)
    app.config.update({k: v for k, v in (overrides or {}).items() if k not in defaults})


def resolve() -> tuple[dict[str, Any], Mapping[str, Any], list[str]]:
    """Settings as they stand, their defaults, and what cannot be read; not checked yet."""
    defaults = Config(str(ROOT))
    defaults.from_pyfile(str(ROOT / "config.py"))
    settings: dict[str, Any] = dict(defaults)
    file = _toml()
    found = [file] if isinstance(file, str) else _merge(settings, defaults, file, kind="a list")
    found += _merge(settings, defaults, _environment(), kind="written as JSON")
    return settings, defaults, found


def _toml() -> dict[str, Any] | str:
    """What the TOML file says, or why it cannot be read."""
    named = os.environ.get("REPORTER_SETTINGS")
    path = Path(named) if named else SYSTEM_FILE
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        if isinstance(error, (FileNotFoundError, NotADirectoryError)) and not named:
            return {}
        reason = error.strerror if isinstance(error, OSError) else error
        who = f"REPORTER_SETTINGS names {path}, which" if named else str(path)
        return f"{who} cannot be read: {reason}"


def _environment() -> dict[str, Any]:
    return {
        name.removeprefix(PREFIX): value
        for name, value in os.environ.items()
        if name.startswith(PREFIX) and name not in NOT_SETTINGS
    }


def _merge(
    settings: dict[str, Any], defaults: Mapping[str, Any], layer: Mapping[str, Any], kind: str
) -> list[str]:
    """Lay *layer* over *settings*; text becomes what the default is. Says what is wrong.

    *kind* is what a list or a table has to be in that layer.
    """
    found = []
    for name, value in layer.items():
        if name not in defaults:
            found.append(f"{name} is not a setting")
            continue
        try:
            settings[name] = _parse(value, defaults[name]) if isinstance(value, str) else value
        except ValueError as error:
            found.append(f"{name} {error}")
        except LookupError:
            wanted = kind.replace("a list", "a table") if defaults[name] == {} else kind
            found.append(f"{name} must be {wanted}, as in {example(name, defaults[name])}")
    return found


def _parse(text: str, default: Any) -> Any:
    """*text* as the type of *default*. Raises ValueError with the words after the name, and
    LookupError for what is no list or table."""
    if isinstance(default, bool):
        if text.lower() in {"true", "1", "yes", "on"}:
            return True
        if text.lower() in {"false", "0", "no", "off", ""}:
            return False
        raise ValueError(f'must be true or false, not "{text}"')
    if isinstance(default, int):
        try:
            return int(text)
        except ValueError:
            raise ValueError(f'must be a whole number, not "{text}"') from None
    if isinstance(default, (list, dict)):
        try:
            return json.loads(text)
        except ValueError:
            raise LookupError from None
    return text


def _impatient(uri: str) -> dict[str, Any]:
    """Options of a Redis, which its client would wait for without an end, and then try thrice
    more: no page waits for a count."""
    if not uri.startswith("redis"):
        return {}
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    return {
        "socket_timeout": REDIS_SECONDS,
        "socket_connect_timeout": REDIS_SECONDS,
        "retry": Retry(NoBackoff(), 0),
    }


def _derive(settings: dict[str, Any]) -> None:
    """Fill what follows from other settings, and what Flask and its extensions ask for."""
    domain = settings["SUPPORT_EMAIL"].rpartition("@")[2]
    settings["PROVIDER_NAME"] = settings["PROVIDER_NAME"] or domain
    settings["MAIL_DEFAULT_SENDER"] = sender(settings)
    settings["BASE_URL"] = settings["BASE_URL"].rstrip("/")
    settings["MAIL_ENVELOPE_FROM"] = (
        settings["MAIL_ENVELOPE_FROM"] or settings["MAIL_DEFAULT_SENDER"]
    )
    settings["MAIL_EHLO_NAME"] = settings["MAIL_EHLO_NAME"] or ehlo_name(settings["BASE_URL"])
    is_secure = settings["BASE_URL"].startswith("https://")
    settings |= {
        "RATELIMIT_HEADERS_ENABLED": True,
        # Of each client and route (web/bounds.py); counted before anything else is done.
        "RATELIMIT_APPLICATION": "600 per minute",
        "RATELIMIT_IN_MEMORY_FALLBACK_ENABLED": True,
        "RATELIMIT_STORAGE_OPTIONS": _impatient(settings["RATELIMIT_STORAGE_URI"]),
        # Later ones override single texts of those before.
        "BABEL_TRANSLATION_DIRECTORIES": ";".join(
            ["translations", *([folder] if (folder := settings["TRANSLATIONS"]) else [])]
        ),
        "BABEL_DEFAULT_LOCALE": settings["LANGUAGES"][0],
        "BABEL_DEFAULT_TIMEZONE": "UTC",
        # All migrations or none, also on SQLite, which can change tables in a transaction.
        "ALEMBIC_CONTEXT": {"transactional_ddl": True, "render_as_batch": True},
        # The limit of a whole request, and of its text: room for far more than the form takes,
        # so that a text that is too long comes back with a message and not as an error page.
        "MAX_CONTENT_LENGTH": 2 * 1024 * 1024,
        "MAX_FORM_MEMORY_SIZE": 2 * 1024 * 1024,
        "MAX_FORM_PARTS": 200,
        # Pages are compressed though they hold a token. What BREACH could learn from their sizes
        # is the part of it that stays the same, and that part without its signature, which is
        # another every second, opens nothing (tests/test_assets.py).
        "COMPRESS_ALGORITHM": ["br", "zstd", "gzip"],
        "COMPRESS_BR_LEVEL": 5,
        "COMPRESS_STREAMS": False,
        "PERMANENT_SESSION_LIFETIME": 30 * 24 * 3600,
        # Else each look of a receipt in one tab sends the cookie that it came with, and may put
        # it over the one that names the draft just begun in another.
        "SESSION_REFRESH_EACH_REQUEST": False,
        # A browser takes a cookie of that prefix from this host alone (RFC 6265bis).
        "SESSION_COOKIE_NAME": "__Host-reporter" if is_secure else "reporter",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": is_secure,
        # The last one signs, as itsdangerous has it: a page that was open when the key was changed
        # can still be sent.
        "WTF_CSRF_SECRET_KEY": [
            *reversed(settings["SECRET_KEY_FALLBACKS"]),
            settings["SECRET_KEY"],
        ],
        # A form has no expiry that a person could run into.
        "WTF_CSRF_TIME_LIMIT": None,
        # Nor is a Referer asked for, which browsers may leave out and proxies confuse: the token
        # and the cookie's SameSite are enough.
        "WTF_CSRF_SSL_STRICT": False,
    }
