"""What the text of a setting can look like. Pure, no Flask."""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

# Of a host's name, as people write it, and as SMTP says it (RFC 5321, section 4.1.2).
LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
ASCII_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
HOST_LENGTH, LOCAL_LENGTH = 253, 64  # the longest there are
# Ends a line, or turns the direction of what follows.
NOT_ONE_LINE = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def is_one_line(text: str) -> bool:
    """Whether a mail, a header or a page can have it among its own words."""
    return NOT_ONE_LINE.search(text) is None


def is_site(url: str) -> bool:
    """Whether it is the address of a site: a scheme, a host, perhaps a port, and no more."""
    return is_page(url) and re.fullmatch(r"\w+://[^/?#@]+[^/?#@:]/*", url) is not None


def without_login(text: str) -> str:
    """*text* as it may be shown: whatever stands before an "@" may be a password."""
    return re.sub(r"[^/]*@", "…@", text)


def is_page(url: str) -> bool:
    """Whether it is an address that a browser opens."""
    try:
        parts = urlsplit(url)
        named = parts.scheme in {"http", "https"} and is_host(parts.hostname or "")
        named = named and parts.port != 0
    except ValueError:  # brackets or a port that are none
        return False
    return named and not re.search(r"[\s\x00-\x1f\x7f]", url)


def is_email(text: str) -> bool:
    """A bare ASCII address. Hosts of a private network are welcome, unlike in the form."""
    local, _at, host = text.rpartition("@")
    return bool(
        len(local) <= LOCAL_LENGTH
        and len(host) <= HOST_LENGTH
        and re.fullmatch(rf"{ATOM}(?:\.{ATOM})*+", local)
        and re.fullmatch(rf"{ASCII_LABEL}(?:\.{ASCII_LABEL})*+", host)
    )


def is_header_name(text: str) -> bool:
    return bool(re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*", text))


def is_host(text: str) -> bool:
    """A name or an address alone: no scheme, no port, no path."""
    named = len(text) <= HOST_LENGTH and re.fullmatch(rf"{LABEL}(?:\.{LABEL})*+\.?", text)
    return _is_address(text) or bool(named)


def is_loopback(host: str) -> bool:
    """Whether what is said to *host* stays on this machine."""
    if host.lower() == "localhost":
        return True
    return _is_address(host) and ip_address(host).is_loopback


def is_ehlo_name(text: str) -> bool:
    """A domain in ASCII or an address literal, as in "[192.0.2.1]" (RFC 5321, section 4.1.3)."""
    if literal := re.fullmatch(r"\[(?:IPv6:)?(.+)\]", text):
        return _is_address(literal[1])
    named = re.fullmatch(rf"{ASCII_LABEL}(?:\.{ASCII_LABEL})*+", text)
    return len(text) <= HOST_LENGTH and bool(named)


def ehlo_name(base_url: str) -> str:
    """What EHLO says of whoever is reached at *base_url*, a site."""
    host = urlsplit(base_url).hostname or "localhost"
    if _is_address(host):
        return f"[IPv6:{host}]" if ":" in host else f"[{host}]"
    try:
        return host.encode("idna").decode()
    except UnicodeError:
        return "localhost"


def is_listen_address(text: str) -> bool:
    """Of the form "host:port"; an IPv6 host stands in brackets."""
    host, _colon, port = text.rpartition(":")
    known = is_host(host.removeprefix("[").removesuffix("]"))
    return known and port.isascii() and port.isdigit() and 0 < int(port) <= 65535


def is_network(text: object) -> bool:
    """An IP address, or a network as in "10.0.0.0/8"."""
    try:
        ip_network(str(text), strict=False)
    except ValueError:
        return False
    return isinstance(text, str)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
