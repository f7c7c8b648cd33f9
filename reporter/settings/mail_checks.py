"""What can be wrong with the settings of mails: addresses, relays, alarms, tickets, answers."""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from reporter.settings import shapes
from reporter.settings.provider_checks import stray

PROFILES = (
    "generic", "zammad", "znuny", "rt", "roundup", "django-helpdesk", "osticket", "freescout",
    "redmine", "glpi",
)  # fmt: skip
SEVERITIES = ("critical", "major", "minor", "question")
RELAY_KEYS = {
    "server": str, "port": int, "use_tls": bool, "use_ssl": bool, "username": str,
    "password": str, "ca_file": str,
}  # fmt: skip
KINDS = {bool: "true or false", int: "a whole number", str: "text"}
# Marks of automatic mail, which make a helpdesk drop a ticket; and what we write ourselves.
RESERVED_HEADERS = {
    "auto-submitted", "precedence", "x-auto-response-suppress", "x-loop", "sender", "bcc", "cc",
    "from", "to", "reply-to", "subject", "message-id", "date", "content-type", "mime-version",
    "content-transfer-encoding", "in-reply-to", "references", "return-path", "received",
    "dkim-signature",
}  # fmt: skip
RESERVED_BEGINNINGS = ("list-", "content-", "resent-", "x-incident-")
LONGEST_HEADER = 900  # of the 998 that a line may have (RFC 5322, section 2.1.1)
LONGEST_TIMEOUT = 3_600
LONGEST_UNSEEN = 525_600  # a year

Settings = Mapping[str, Any]
Problems = Iterator[tuple[str, str]]


def sender(settings: Settings) -> str:
    """The address our mails come from."""
    domain = settings["SUPPORT_EMAIL"].rpartition("@")[2]
    return str(settings["MAIL_DEFAULT_SENDER"] or f"incident-reporter@{domain}")


def addresses(settings: Settings) -> Problems:
    if not settings["SUPPORT_EMAIL"]:
        yield "SUPPORT_EMAIL", "SUPPORT_EMAIL is missing: the mailbox that receives the tickets"
    for name in ("SUPPORT_EMAIL", "MAIL_DEFAULT_SENDER", "MAIL_ENVELOPE_FROM"):
        if settings[name] and not shapes.is_email(settings[name]):
            yield name, f'{name} is not an email address: "{settings[name]}"'
    if settings["SUPPORT_EMAIL"].lower() == sender(settings).lower():
        line = "MAIL_DEFAULT_SENDER must not be SUPPORT_EMAIL: helpdesks drop mail from themselves"
        yield "MAIL_DEFAULT_SENDER", line
    own_name = settings["MAIL_EHLO_NAME"]
    if own_name and not shapes.is_ehlo_name(own_name):
        line = f'MAIL_EHLO_NAME must be a host name as in "incidents.example.com", not "{own_name}"'
        yield "MAIL_EHLO_NAME", line


def relays(settings: Settings) -> Problems:
    first = {key: settings[f"MAIL_{key.upper()}"] for key in RELAY_KEYS}
    yield from _relay(lambda key: f"MAIL_{key.upper()}", first)
    name = "FALLBACK_RELAYS"
    for number, relay in enumerate(settings[name], 1):
        where = f"{name}, number {number}"
        if not isinstance(relay, dict):
            yield name, f"{where}: a table with {', '.join(sorted(RELAY_KEYS))} is needed"
            continue
        keys = ", ".join(sorted(RELAY_KEYS))
        unknown = [stray(where, key, settings, f"[[{name}]]", keys) for key in relay
                   if key not in RELAY_KEYS]  # fmt: skip
        # Never the value, which may be a password.
        unread = [f"{where}: {key} must be {KINDS[kind]}" for key, kind in RELAY_KEYS.items()
                  if key in relay and type(relay[key]) is not kind]  # fmt: skip
        if unknown or unread:
            yield from ((name, line) for line in (*unknown, *unread))
        else:
            lines = _relay(lambda key, where=where: f"{where}: {key}", relay)  # type: ignore[misc]
            yield from ((name, line) for _key, line in lines)
    if settings["MAIL_TIMEOUT"] < 1:
        yield "MAIL_TIMEOUT", "MAIL_TIMEOUT must be 1 second or more"
    elif settings["MAIL_TIMEOUT"] > LONGEST_TIMEOUT:
        yield "MAIL_TIMEOUT", f"MAIL_TIMEOUT must be {LONGEST_TIMEOUT} seconds or less"


def _relay(name: Callable[[str], str], relay: Settings) -> Problems:
    def problem(key: str, words: str) -> tuple[str, str]:
        return name(key), f"{name(key)} {words}"

    server, port = relay.get("server", ""), relay.get("port", 25)
    encrypted = relay.get("use_tls") or relay.get("use_ssl")
    if not server:
        yield problem("server", "is missing: the relay that takes our mail")
    elif not shapes.is_host(server):
        port_is = name("port").rpartition(" ")[2]
        shown = shapes.without_login(server)
        yield problem("server", f'must be a host alone, not "{shown}": its port is {port_is}')
    if not 1 <= port <= 65535:
        yield problem("port", f"must be between 1 and 65535, not {port}")
    if relay.get("use_tls") and relay.get("use_ssl"):
        yield problem("use_tls", f"and {name('use_ssl')} exclude each other")
    if bool(relay.get("username")) != bool(relay.get("password")):
        yield problem("username", f"and {name('password')} go together")
    elif relay.get("username") and not encrypted and not shapes.is_loopback(server):
        yield problem(
            "password",
            f"would be sent in clear to {server}: set {name('use_tls')} or {name('use_ssl')}",
        )
    for key in ("username", "password"):
        if "\0" in relay.get(key, ""):
            yield problem(key, "must have no NUL in it, as no login can say it")
    if relay.get("ca_file") and not Path(relay["ca_file"]).is_file():
        yield problem("ca_file", f"names no file: {relay['ca_file']}")


def alarms(settings: Settings) -> Problems:
    name = "ALARM_URLS"
    for number in _unknown_channels(settings[name]):  # a URL holds secrets
        yield name, f"{name}, number {number} is no address that Apprise knows"
    name = "SEEN_WITHIN_MINUTES"
    for key, minutes in settings[name].items():
        if key not in SEVERITIES:
            yield name, stray(name, key, settings, f"[{name}]", ", ".join(SEVERITIES))
        elif type(minutes) is not int or minutes < 1:
            yield name, f"{name}: {key} must be a whole number of 1 or more, not {minutes!r}"
        elif minutes > LONGEST_UNSEEN:
            yield name, f"{name}: {key} must be {LONGEST_UNSEEN} or less"


def _unknown_channels(urls: Sequence[Any]) -> list[int]:
    if not urls:
        return []
    log = logging.getLogger("apprise")
    level = log.level
    log.setLevel(logging.CRITICAL + 1)  # it would print the URL
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # its own, of its imports
            import apprise  # seldom needed, and slow to load

            known = [isinstance(url, str) and apprise.Apprise.instantiate(url) for url in urls]
    finally:
        log.setLevel(level)
    return [number for number, channel in enumerate(known, 1) if not channel]


def ticket(settings: Settings) -> Problems:
    if settings["HELPDESK_PROFILE"] not in PROFILES:
        yield "HELPDESK_PROFILE", f"HELPDESK_PROFILE must be one of {', '.join(PROFILES)}"
    name = "HELPDESK_HEADERS"
    seen: set[str] = set()
    for header, value in settings[name].items():
        if header.lower() in seen:
            yield name, f"{name}: {header} is there twice"
        seen.add(header.lower())
        if header in settings:
            yield name, stray(name, header, settings, f"[{name}]")
        elif not shapes.is_header_name(header):
            yield name, f'{name}: "{header}" is not a header name'
        elif header.lower() in RESERVED_HEADERS or header.lower().startswith(RESERVED_BEGINNINGS):
            yield name, f"{name} cannot set {header}"
        elif not isinstance(value, str) or not re.fullmatch(r"[\x20-\x7e]*", value):
            yield name, f"{name}: {header} must be one line of ASCII text"
        elif len(value) > LONGEST_HEADER:
            yield name, f"{name}: {header} must have {LONGEST_HEADER} characters or less"


def inbound(settings: Settings) -> Problems:
    listen = settings["INBOUND_LISTEN"]
    if listen and not shapes.is_listen_address(listen):
        yield "INBOUND_LISTEN", f'INBOUND_LISTEN must be as in "127.0.0.1:8024", not "{listen}"'
    if settings["INBOUND_ADDRESS"] and not shapes.is_email(settings["INBOUND_ADDRESS"]):
        yield "INBOUND_ADDRESS", "INBOUND_ADDRESS is not an email address"
    known = {settings["SUPPORT_EMAIL"], sender(settings), settings["MAIL_ENVELOPE_FROM"]}
    if settings["INBOUND_ADDRESS"].lower() in {each.lower() for each in known if each}:
        line = "INBOUND_ADDRESS must be one that no customer sees: whoever knows it is believed"
        yield "INBOUND_ADDRESS", line
    name = "INBOUND_AUTHSERV_ID"
    if re.search(r"[\s;]", settings[name]):
        yield name, f'{name} must be one word, as in "mx.example.com"'


CHECKS = (addresses, relays, alarms, ticket, inbound)
