"""A mail that came in, and what stands in its headers: so much of either as has a bound. Pure."""

from __future__ import annotations

import re
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from email.parser import BytesHeaderParser, BytesParser
from email.policy import Policy, compat32
from email.utils import getaddresses
from itertools import count

from reporter.web.bounds import MAIL_PARTS

LISTED = 50  # of the identifiers, and of the remarks, in one header
HEADER_LENGTH = 20_000
SUBJECT_LENGTH = 2_000  # of one that has words to decode, which costs its square
# Without what no database keeps: control characters, and halves of pairs.
MIME_ID = re.compile(r"<[^<>\s\x00-\x1f\x7f\ud800-\udfff]{1,250}>")


class _TooManyParts(Exception):
    """More than MAIL_PARTS, side by side or within each other."""


def read(content: bytes) -> Message:
    """A mail with its parts; of one with too many, its headers alone: an answer needs no more."""
    parts = count()

    def part(policy: Policy[Message]) -> Message:
        if next(parts) > MAIL_PARTS:
            raise _TooManyParts
        return Message(policy)

    parser = BytesParser(policy=compat32.clone(message_factory=part))
    try:
        return parser.parsebytes(content)
    except _TooManyParts:
        return headers(content)


def headers(content: bytes) -> Message:
    """A mail without its parts."""
    return BytesHeaderParser(policy=compat32).parsebytes(content)


def subject(mail: Message) -> str:
    """As people read it: a helpdesk encodes all of it for one letter with an accent (RFC 2047)."""
    text = header(mail, "Subject")
    try:
        parts = decode_header(text[:SUBJECT_LENGTH])
    except HeaderParseError:
        return text
    return "".join(_decoded(part, charset) for part, charset in parts)


def _decoded(part: str | bytes, charset: str | None) -> str:
    if isinstance(part, str):
        return part
    try:
        return part.decode(charset or "ascii", "replace")
    except (LookupError, ValueError):  # of a charset that is none, or of no text
        return part.decode("ascii", "replace")


def mime_ids(mail: Message, name: str) -> list[str]:
    """As in "<a@example.com>", in their order in the header of that name."""
    return MIME_ID.findall(header(mail, name))[:LISTED]


def addresses(mail: Message, name: str) -> list[str]:
    """In small letters, of at most two headers of that name."""
    lines = [header_text(value) for value in mail.get_all(name, [])[:2]]
    # A remark within a remark, and so on, is read by a function that calls itself.
    found = getaddresses([line for line in lines if line.count("(") <= LISTED])
    return [address.lower() for _name, address in found[:LISTED] if address]


def header(mail: Message, name: str) -> str:
    """The first of that name; empty where there is none."""
    return header_text(mail.get(name, ""))


def header_text(value: object) -> str:
    """What compat32 read, of whatever type, within the bound."""
    return str(value)[:HEADER_LENGTH]
