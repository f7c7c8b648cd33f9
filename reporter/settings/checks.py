"""What can be wrong with the settings, each thing said in one line."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

import phonenumbers
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from reporter.settings import accent

PROFILES = ("generic", "zammad", "znuny", "rt", "roundup", "django-helpdesk")
LOGO_SUFFIXES = (".svg", ".png", ".webp", ".jpg", ".jpeg")
RELAY_KEYS = {
    "server": str, "port": int, "use_tls": bool, "use_ssl": bool, "username": str,
    "password": str, "ca_file": str,
}  # fmt: skip
KINDS = {bool: "true or false", int: "a whole number", str: "text", list: "a list", dict: "a table"}
# Marks of automatic mail, which make a helpdesk drop a ticket; and what we write ourselves.
RESERVED_HEADERS = {
    "auto-submitted", "precedence", "x-auto-response-suppress", "x-loop", "sender", "bcc", "cc",
    "from", "to", "reply-to", "subject", "message-id", "date", "content-type", "mime-version",
    "content-transfer-encoding", "in-reply-to", "references", "return-path",
}  # fmt: skip

# What SQLAlchemy takes for a SQLite database that is not a file.
IN_MEMORY = {None, "", ":memory:"}

Settings = Mapping[str, Any]


def problems(settings: Settings, defaults: Settings) -> list[str]:
    """One line for each thing to mend; empty when the service can start."""
    unread = _wrong_kinds(settings, {name: type(value) for name, value in defaults.items()})
    # Their defaults stand in for them, so that the rest can be checked too.
    readable = {**settings, **{name: defaults[name] for name in unread}}
    lines = [line for check in CHECKS for line in check(readable)]
    return [*unread.values(), *(line for line in lines if not line.startswith(tuple(unread)))]


def sender(settings: Settings) -> str:
    """The address our mails come from."""
    domain = settings["SUPPORT_EMAIL"].rpartition("@")[2]
    return str(settings["MAIL_DEFAULT_SENDER"] or f"incident-reporter@{domain}")


def _wrong_kinds(settings: Settings, kinds: Mapping[str, type]) -> dict[str, str]:
    """What is to mend, by name, of the values of another kind than they must be."""
    return {
        name: f"{name} must be {KINDS[kind]}, not {settings[name]!r}"
        for name, kind in kinds.items()
        if name in settings and type(settings[name]) is not kind
    }


def _service(settings: Settings) -> Iterator[str]:
    if not settings["SECRET_KEY"]:
        yield "SECRET_KEY is missing: set it to at least 32 random characters"
    elif len(settings["SECRET_KEY"]) < 16:
        yield "SECRET_KEY is too short: set it to at least 32 random characters"
    if not settings["BASE_URL"]:
        yield 'BASE_URL is missing: the address customers use, as in "https://incidents.example.com"'
    elif not _is_site(settings["BASE_URL"]):
        yield f'BASE_URL must be "https://" and a host, with no path, not "{settings["BASE_URL"]}"'
    try:
        backend = make_url(settings["DATABASE_URL"]).get_backend_name()
        if backend not in {"sqlite", "postgresql", "postgres"}:
            yield f"DATABASE_URL must be sqlite:// or postgresql://, not {backend}://"
        elif backend == "sqlite" and make_url(settings["DATABASE_URL"]).database in IN_MEMORY:
            yield "DATABASE_URL must name a file: a database in memory would lose reports"
    except (ArgumentError, ValueError):
        yield "DATABASE_URL is not a database URL"
    if settings["WEB_PROCESSES"] < 1:
        yield "WEB_PROCESSES must be 1 or more"
    if settings["TRUSTED_PROXIES"] < 0:
        yield "TRUSTED_PROXIES must be 0 or more"
    uri = settings["RATELIMIT_STORAGE_URI"]
    if not re.fullmatch(r"memory://|redis(s|\+\w+)?://.+", uri):
        yield f'RATELIMIT_STORAGE_URI must be "memory://" or "redis://" and a host, not "{uri}"'


def _provider(settings: Settings) -> Iterator[str]:
    if not settings["SUPPORT_EMAIL"]:
        yield "SUPPORT_EMAIL is missing: the mailbox that receives the tickets"
    for name in ("SUPPORT_EMAIL", "MAIL_DEFAULT_SENDER"):
        if settings[name] and not _is_email(settings[name]):
            yield f'{name} is not an email address: "{settings[name]}"'
    if settings["SUPPORT_EMAIL"].lower() == sender(settings).lower():
        yield "MAIL_DEFAULT_SENDER must not be SUPPORT_EMAIL: helpdesks drop mail from themselves"
    if re.search(r"[\x00-\x1f\x7f]", settings["PROVIDER_NAME"]):
        yield "PROVIDER_NAME must be one line"
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", settings["ACCENT_COLOR"]):
        yield f'ACCENT_COLOR must be as in "#1d5fa8", not "{settings["ACCENT_COLOR"]}"'
    elif not accent.is_readable(settings["ACCENT_COLOR"]):
        yield "ACCENT_COLOR is too light to be read on white: take a darker one (WCAG 2.2, 4.5:1)"
    if settings["LOGO"] and not Path(settings["LOGO"]).is_file():
        yield f"LOGO names no file: {settings['LOGO']}"
    elif settings["LOGO"] and Path(settings["LOGO"]).suffix.lower() not in LOGO_SUFFIXES:
        yield f"LOGO must end in one of {', '.join(LOGO_SUFFIXES)}"
    if settings["TIMEZONE"] not in available_timezones():
        yield f'TIMEZONE must be an IANA name as in "Europe/Madrid", not "{settings["TIMEZONE"]}"'
    if settings["PHONE_REGION"] not in phonenumbers.SUPPORTED_REGIONS:
        yield f'PHONE_REGION must be a country code as in "ES", not "{settings["PHONE_REGION"]}"'


def _languages(settings: Settings) -> Iterator[str]:
    known = catalogues()
    if not settings["LANGUAGES"]:
        yield "LANGUAGES must name one language or more"
    for language in settings["LANGUAGES"]:
        if language not in known:
            yield f'LANGUAGES: there is no catalogue for "{language}", only {", ".join(known)}'
    if settings["SUPPORT_LOCALE"] not in settings["LANGUAGES"]:
        yield f'SUPPORT_LOCALE must be one of LANGUAGES, not "{settings["SUPPORT_LOCALE"]}"'
    ids = []
    for service in settings["SERVICES"]:
        if not isinstance(service, dict) or not isinstance(service.get("name"), dict):
            yield f"SERVICES: each is a table with id and name, not {service!r}"
            continue
        ids.append(service.get("id"))
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", str(service.get("id", ""))):
            yield f'SERVICES: an id is small letters, digits and "-", not "{service.get("id")}"'
        for language in set(settings["LANGUAGES"]) & set(known):
            if not service["name"].get(language):
                yield f'SERVICES: "{service.get("id")}" has no name in "{language}"'
    if not settings["SERVICES"]:
        yield "SERVICES must name one service or more"
    for repeated in {id_ for id_ in ids if ids.count(id_) > 1}:
        yield f'SERVICES: the id "{repeated}" is there twice'


def _mail(settings: Settings) -> Iterator[str]:
    first = {key: settings[f"MAIL_{key.upper()}"] for key in RELAY_KEYS}
    yield from _relay("MAIL_", str.upper, first)
    for number, relay in enumerate(settings["FALLBACK_RELAYS"], 1):
        where = f"FALLBACK_RELAYS, number {number}: "
        if not isinstance(relay, dict) or not set(relay) <= set(RELAY_KEYS):
            yield f"{where}a table with {', '.join(sorted(RELAY_KEYS))} is needed"
        elif unread := _wrong_kinds(relay, RELAY_KEYS):
            yield from (where + line for line in unread.values())
        else:
            yield from _relay(where, str, relay)
    if settings["MAIL_TIMEOUT"] < 1:
        yield "MAIL_TIMEOUT must be 1 second or more"
    if settings["ALARM_AFTER_SECONDS"] < 1:
        yield "ALARM_AFTER_SECONDS must be 1 or more"


def _relay(where: str, name: Callable[[str], str], relay: Settings) -> Iterator[str]:
    if not relay.get("server"):
        yield f"{where}{name('server')} is missing: the relay that takes our mail"
    port = relay.get("port", 25)
    if not 1 <= port <= 65535:
        yield f"{where}{name('port')} must be between 1 and 65535, not {port}"
    if relay.get("use_tls") and relay.get("use_ssl"):
        yield f"{where}{name('use_tls')} and {where}{name('use_ssl')} exclude each other"
    if bool(relay.get("username")) != bool(relay.get("password")):
        yield f"{where}{name('username')} and {where}{name('password')} go together"
    if relay.get("ca_file") and not Path(relay["ca_file"]).is_file():
        yield f"{where}{name('ca_file')} names no file: {relay['ca_file']}"


def _ticket(settings: Settings) -> Iterator[str]:
    if settings["HELPDESK_PROFILE"] not in PROFILES:
        yield f"HELPDESK_PROFILE must be one of {', '.join(PROFILES)}"
    for name, value in settings["HELPDESK_HEADERS"].items():
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*", name):
            yield f'HELPDESK_HEADERS: "{name}" is not a header name'
        elif name.lower() in RESERVED_HEADERS or name.lower().startswith("list-"):
            yield f"HELPDESK_HEADERS cannot set {name}"
        if not isinstance(value, str) or not re.fullmatch(r"[\x20-\x7e]*", value):
            yield f"HELPDESK_HEADERS: {name} must be one line of ASCII text"


CHECKS = (_service, _provider, _languages, _mail, _ticket)


def catalogues() -> list[str]:
    """The languages there is a catalogue for."""
    folder = Path(__file__).parent.parent / "translations"
    return sorted(path.parent.parent.name for path in folder.glob("*/LC_MESSAGES/messages.mo"))


def _is_site(url: str) -> bool:
    """Whether it is the address of a site: a scheme, a host, perhaps a port, and no more."""
    try:
        parts = urlsplit(url)
        named = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets or a port that are none
        return False
    return named and not (parts.path.strip("/") or parts.query or parts.fragment)


def _is_email(text: str) -> bool:
    """A bare ASCII address. Hosts of a private network are welcome, unlike in the form."""
    return bool(re.fullmatch(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]*[A-Za-z0-9]", text))
