"""What can be wrong with the settings, each thing said in one line that shows no secret."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from reporter.settings import mail_checks, provider_checks, service_checks
from reporter.settings.mail_checks import PROFILES, sender
from reporter.settings.provider_checks import catalogues

__all__ = ["PROFILES", "SECRETS", "catalogues", "problems", "sender", "wrong_kind"]

# Of these no value is ever printed: a part of each opens something.
SECRETS = {
    "ALARM_URLS", "DATABASE_URL", "FALLBACK_RELAYS", "HOOK_SECRET", "INBOUND_ADDRESS",
    "MAIL_PASSWORD", "MAIL_USERNAME", "METRICS_TOKEN", "RATELIMIT_STORAGE_URI", "SECRET_KEY",
    "SECRET_KEY_FALLBACKS",
}  # fmt: skip
KINDS = {bool: "true or false", int: "a whole number", str: "text", list: "a list", dict: "a table"}
# How a list or a table looks, where the default is an empty one.
EXAMPLES = {
    "ALARM_URLS": '["ntfys://ntfy.example.com/incidents"]',
    "FALLBACK_RELAYS": '[{"server": "relay.example.net"}]',
    "HELPDESK_HEADERS": '{"X-Queue": "Incidents"}',
    "SECRET_KEY_FALLBACKS": '["the key of before"]',
}

Settings = Mapping[str, Any]
# The setting it is about, and the whole line.
Problem = tuple[str, str]

CHECKS: tuple[Callable[[Settings], Iterable[Problem]], ...] = (
    *service_checks.CHECKS,
    *provider_checks.CHECKS,
    *mail_checks.CHECKS,
)


def problems(settings: Settings, defaults: Settings) -> list[str]:
    """One line for each thing to mend; empty when the service can start."""
    unread = {
        name: wrong_kind(name, settings[name], default)
        for name, default in defaults.items()
        if type(settings.get(name, default)) is not type(default)
    }
    # Their defaults stand in for them, so that the rest can be checked too.
    readable = {**settings, **{name: defaults[name] for name in unread}}
    found = [problem for check in CHECKS for problem in check(readable)]
    return [*unread.values(), *(line for name, line in found if name not in unread)]


def wrong_kind(name: str, value: Any, default: Any) -> str:
    """That *value* is of another kind than *default*; without it, where it may be a secret."""
    line = f"{name} must be {KINDS[type(default)]}"
    if isinstance(default, (list, dict)):
        return f"{line}, as in {example(name, default)}, not {KINDS.get(type(value), 'that')}"
    return line if name in SECRETS else f"{line}, not {value!r}"


def example(name: str, default: Any) -> str:
    """A value as it is written in JSON, and a list in TOML too."""
    if name == "SERVICES":
        return '[{"id": "web", "name": {"es": "Web", "en": "Web"}}]'
    return EXAMPLES.get(name) or json.dumps(default)
