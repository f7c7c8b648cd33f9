"""What follows from the settings, and what Flask and its extensions ask for."""

from __future__ import annotations

from typing import Any

from reporter.settings.checks import sender
from reporter.settings.shapes import ehlo_name

# Around a text, or in the place of one.
UNSEEN = " \u00a0\u200b\u2060\ufeff"
# What a page waits for a Redis: limits are then counted by each process alone for a while.
REDIS_SECONDS = 0.5


def derive(settings: dict[str, Any]) -> None:
    """Fill what follows from other settings, and what Flask and its extensions ask for."""
    domain = settings["SUPPORT_EMAIL"].rpartition("@")[2]
    for name in ("PROVIDER_NAME", "SUPPORT_PHONE", "SUPPORT_HOURS"):
        settings[name] = settings[name].strip(UNSEEN)
    settings["PROVIDER_NAME"] = settings["PROVIDER_NAME"] or domain
    settings["MAIL_DEFAULT_SENDER"] = sender(settings)
    settings["BASE_URL"] = settings["BASE_URL"].rstrip("/").lower()  # a scheme and a host
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
