"""What a mail that came in is: an answer of support's, a bounce, or nothing of ours. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from email.parser import BytesHeaderParser, BytesParser
from email.policy import Policy, compat32
from email.utils import getaddresses
from enum import StrEnum
from itertools import count, islice

from reporter.formats.text import one_line, shortened
from reporter.inbound.authentication import bare, passes_for
from reporter.web.bounds import MAIL_PARTS, MAIL_READ_BYTES

LISTED = 50  # of the identifiers, and of the remarks, in one header
HEADER_LENGTH = 20_000
SUBJECT_LENGTH = 2_000  # of one that has words to decode, which costs its square
REASON_LENGTH = 500
# Without what no database keeps: control characters, and halves of pairs.
MIME_ID = re.compile(r"<[^<>\s\x00-\x1f\x7f\ud800-\udfff]{1,250}>")
# As it stands in what is given back, also where that is not as RFC 3462 has it.
RETURNED_ID = re.compile(
    rb"^[ \t]{0,8}message-id:\s{0,8}(<[^<>\s\x00-\x1f\x7f]{1,250}>)", re.I | re.M
)
REFERENCE = re.compile(r"\bINC-[A-HJKMNP-TV-Z][0-9A-HJKMNP-TV-Z]{5}\b")


class Sort(StrEnum):
    """What a mail is taken for. Only the first two change anything."""

    ANSWER = "answer"
    BOUNCE = "bounce"
    OWN = "own"  # a mail of ours come round
    AUTOMATIC = "automatic"
    UNPROVEN = "unproven"  # it may be of anybody


@dataclass(frozen=True)
class Ears:
    """What the settings say of whom to believe."""

    sender: str
    support: str
    inbound_address: str = ""
    authserv_id: str = ""


@dataclass(frozen=True)
class Heard:
    """One mail. `key` is the same each time that it comes."""

    sort: Sort
    key: str
    senders: tuple[str, ...] = ()
    mime_ids: tuple[str, ...] = ()  # that it names, or gives back; the nearest first
    references: tuple[str, ...] = ()  # in its subject, the last first
    reason: str = ""  # of a bounce


def parse(content: bytes, recipients: Sequence[str], ears: Ears) -> Heard:
    """What the mail *content*, as it came for *recipients* of its envelope, says."""
    mail = _read(content[:MAIL_READ_BYTES])
    own_id = next(iter(_ids(mail, "Message-ID")), "")
    key = own_id or hashlib.sha256(content).hexdigest()
    senders = tuple(_addresses(mail, "From"))
    returned = tuple(dict.fromkeys(_returned_ids(mail, content[:MAIL_READ_BYTES])))
    if returned and (reason := _failure(mail)):
        return Heard(Sort.BOUNCE, key, senders, mime_ids=returned, reason=reason)
    return Heard(
        _sort(mail, senders, recipients, ears),
        key,
        senders,
        mime_ids=(*_ids(mail, "In-Reply-To"), *reversed(_ids(mail, "References"))),
        references=tuple(reversed(REFERENCE.findall(_subject(mail)))),
    )


def originators(content: bytes) -> tuple[str, ...]:
    """Whose words a helpdesk says that it passes on."""
    mail = _headers(content[:MAIL_READ_BYTES])
    return tuple(_addresses(mail, "RT-Originator"))


class _TooManyParts(Exception):
    """More than MAIL_PARTS, side by side or within each other."""


def _read(content: bytes) -> Message:
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
        return _headers(content)


def _headers(content: bytes) -> Message:
    return BytesHeaderParser(policy=compat32).parsebytes(content)


def _sort(mail: Message, senders: tuple[str, ...], recipients: Sequence[str], ears: Ears) -> Sort:
    if "X-Incident-Reference" in mail or ears.sender.lower() in senders:
        return Sort.OWN
    if bare(_header(mail, "Auto-Submitted")).partition(";")[0].strip().lower() not in {"", "no"}:
        return Sort.AUTOMATIC
    if mail.get_content_type() == "multipart/report":
        return Sort.AUTOMATIC
    return Sort.ANSWER if _is_proven(mail, senders, recipients, ears) else Sort.UNPROVEN


def _is_proven(
    mail: Message, senders: tuple[str, ...], recipients: Sequence[str], ears: Ears
) -> bool:
    secret = ears.inbound_address.lower()
    if secret and secret in {each.lower() for each in recipients}:
        return True
    if not ears.authserv_id or senders != (ears.support.lower(),):
        return False
    results = [_header_text(value) for value in mail.get_all("Authentication-Results", [])]
    return passes_for(ears.support, results, ears.authserv_id)


def _failure(mail: Message) -> str:
    """Why a mail did not arrive; empty where this does not say that one did not.

    It is said in a delivery-status (RFC 3464), or by Exim and Gmail in a header of their own.
    """
    blocks = [
        block
        for part in mail.walk()
        if part.get_content_type() == "message/delivery-status" and part.is_multipart()
        for block in part.get_payload()
        if isinstance(block, Message)
    ]
    failed = [block for block in blocks if _header(block, "Action").lower().startswith("fail")]
    if failed:
        words = [_header(failed[0], name) for name in ("Status", "Diagnostic-Code")]
    elif not blocks and "X-Failed-Recipients" in mail:
        words = ["failed for", _header(mail, "X-Failed-Recipients")]
    else:
        return ""
    return shortened(one_line(" ".join(words)), REASON_LENGTH) or "failed"


def _returned_ids(mail: Message, content: bytes) -> Iterator[str]:
    """Of the mail that is given back, whole, as its headers, or in words."""
    for part in mail.walk():
        if part.get_content_type() in {"text/rfc822-headers", "message/rfc822-headers"}:
            text = part.get_payload(decode=True)
            if isinstance(text, bytes):
                yield from _ids(_headers(text), "Message-ID")
    _before, _blank, body = content.replace(b"\r\n", b"\n").partition(b"\n\n")
    found = (each[1].decode(errors="replace") for each in RETURNED_ID.finditer(body))
    yield from islice(found, LISTED)


def _subject(mail: Message) -> str:
    """As people read it: a helpdesk encodes all of it for one letter with an accent (RFC 2047)."""
    text = _header(mail, "Subject")
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


def _ids(mail: Message, name: str) -> list[str]:
    return MIME_ID.findall(_header(mail, name))[:LISTED]


def _addresses(mail: Message, name: str) -> list[str]:
    lines = [_header_text(value) for value in mail.get_all(name, [])[:2]]
    # A remark within a remark, and so on, is read by a function that calls itself.
    found = getaddresses([line for line in lines if line.count("(") <= LISTED])
    return [address.lower() for _name, address in found[:LISTED] if address]


def _header(mail: Message, name: str) -> str:
    return _header_text(mail.get(name, ""))


def _header_text(value: object) -> str:
    return str(value)[:HEADER_LENGTH]
