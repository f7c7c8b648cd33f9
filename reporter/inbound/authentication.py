"""What our mail server found of who sent a mail: `Authentication-Results` (RFC 8601). Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

COMMENT = re.compile(r"\([^()]{0,2000}\)")
RESULT = re.compile(r"([a-z0-9-]{1,40})\s*=\s*([a-z]{1,40})\b(.{0,2000})", re.DOTALL)
PROPERTY = re.compile(r"\b([a-z]{1,20}\.[a-z-]{1,20})\s*=\s*\"?([^\s\";]{1,320})\"?")


def passes_for(address: str, results: Sequence[str], authserv_id: str) -> bool:
    """Whether the server *authserv_id* found that a mail is of *address*, which is its From.

    *results* are the headers in their order. Only the first that bears that name is read: a server
    puts its own on top, and those below may have come with the mail.
    """
    own = next((each for each in results if _server(each) == authserv_id.lower()), "")
    domain = address.rpartition("@")[2]
    return any(
        _passes(method, properties, address.lower(), domain.lower())
        for method, result, properties in _methods(own)
        if result == "pass"
    )


def _passes(method: str, properties: dict[str, str], address: str, domain: str) -> bool:
    match method:
        case "dmarc":
            return properties.get("header.from") == domain
        case "dkim":
            signer = properties.get("header.d") or properties.get("header.i", "").rpartition("@")[2]
            return signer == domain
        case "spf":
            return properties.get("smtp.mailfrom") == address
    return False


def _methods(header: str) -> list[tuple[str, str, dict[str, str]]]:
    _server_name, _semicolon, rest = COMMENT.sub(" ", header).partition(";")
    found = [RESULT.match(part.strip().lower()) for part in rest.split(";")[:50]]
    return [(each[1], each[2], dict(PROPERTY.findall(each[3]))) for each in found if each]


def _server(header: str) -> str:
    """The name of the server, without the version that may follow it."""
    words = COMMENT.sub(" ", header).partition(";")[0].split()
    return words[0].lower() if words else ""
