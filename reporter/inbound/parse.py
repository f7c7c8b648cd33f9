"""What a mail that came in is: an answer of support's, a bounce, or nothing of ours. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.message import Message
from enum import StrEnum
from itertools import islice

from reporter.formats.text import one_line, shortened
from reporter.inbound.authentication import bare, passes_for
from reporter.inbound.headers import (
    LISTED,
    addresses,
    header,
    header_text,
    headers,
    mime_ids,
    read,
    subject,
)
from reporter.web.bounds import MAIL_READ_BYTES

REASON_LENGTH = 500
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
    mail = read(content[:MAIL_READ_BYTES])
    own_id = next(iter(mime_ids(mail, "Message-ID")), "")
    key = own_id or hashlib.sha256(content).hexdigest()
    senders = tuple(addresses(mail, "From"))
    returned = tuple(dict.fromkeys(_returned_ids(mail, content[:MAIL_READ_BYTES])))
    if returned and (reason := _failure(mail)):
        return Heard(Sort.BOUNCE, key, senders, mime_ids=returned, reason=reason)
    return Heard(
        _sort(mail, senders, recipients, ears),
        key,
        senders,
        mime_ids=(*mime_ids(mail, "In-Reply-To"), *reversed(mime_ids(mail, "References"))),
        references=tuple(reversed(REFERENCE.findall(subject(mail)))),
    )


def originators(content: bytes) -> tuple[str, ...]:
    """Whose words a helpdesk says that it passes on."""
    mail = headers(content[:MAIL_READ_BYTES])
    return tuple(addresses(mail, "RT-Originator"))


def _sort(mail: Message, senders: tuple[str, ...], recipients: Sequence[str], ears: Ears) -> Sort:
    if "X-Incident-Reference" in mail or ears.sender.lower() in senders:
        return Sort.OWN
    if bare(header(mail, "Auto-Submitted")).partition(";")[0].strip().lower() not in {"", "no"}:
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
    results = [header_text(value) for value in mail.get_all("Authentication-Results", [])]
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
    failed = [block for block in blocks if header(block, "Action").lower().startswith("fail")]
    if failed:
        words = [header(failed[0], name) for name in ("Status", "Diagnostic-Code")]
    elif not blocks and "X-Failed-Recipients" in mail:
        words = ["failed for", header(mail, "X-Failed-Recipients")]
    else:
        return ""
    return shortened(one_line(" ".join(words)), REASON_LENGTH) or "failed"


def _returned_ids(mail: Message, content: bytes) -> Iterator[str]:
    """Of the mail that is given back, whole, as its headers, or in words."""
    for part in mail.walk():
        if part.get_content_type() in {"text/rfc822-headers", "message/rfc822-headers"}:
            text = part.get_payload(decode=True)
            if isinstance(text, bytes):
                yield from mime_ids(headers(text), "Message-ID")
    _before, _blank, body = content.replace(b"\r\n", b"\n").partition(b"\n\n")
    found = (each[1].decode(errors="replace") for each in RETURNED_ID.finditer(body))
    yield from islice(found, LISTED)
