"""What our mail server found of who sent a mail: `Authentication-Results` (RFC 8601). Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

PIECE = re.compile(r"\\.?|[\"()]|[^\\\"()]{1,2000}", re.DOTALL)
PARTING = re.compile(r"[\s;=]")
RESULT = re.compile(r"([a-z0-9-]{1,40})\s*=\s*([a-z]{1,40})\b(.{0,2000})", re.DOTALL)
PROPERTY = re.compile(r"\b([a-z]{1,20}\.[a-z-]{1,20})\s*=\s*([^\s;]{1,320})")


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


def bare(header: str) -> str:
    """*header* without its comments, and with nothing in quotes that would begin another word.

    What stands in them may be the sender's: before the @ of an address everything may, in quotes
    (RFC 5321, section 4.1.2), as in `smtp.mailfrom="a; dmarc=pass"@example.net`. A comment with a
    quote that does not end hides the rest, so that nothing passes by it.
    """
    kept, depth, quoted = [], 0, False
    for piece in PIECE.findall(header):
        if piece == '"':
            quoted = not quoted
        elif piece in {"(", ")"} and not quoted:
            depth = depth + 1 if piece == "(" else max(0, depth - 1)
            kept.append(" ")
        elif not depth:
            kept.append(PARTING.sub(r"\\", piece) if quoted else piece)
    return "".join(kept)


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
    _server_name, _semicolon, rest = bare(header).partition(";")
    found = [RESULT.match(part.strip().lower()) for part in rest.split(";")[:50]]
    return [(each[1], each[2], dict(PROPERTY.findall(each[3]))) for each in found if each]


def _server(header: str) -> str:
    """The name of the server, without the version that may follow it."""
    words = bare(header).partition(";")[0].split()
    return words[0].lower() if words else ""
