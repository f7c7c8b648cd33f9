"""One mail in an open conversation: MAIL, RCPT, DATA, and what the relay said last."""

from __future__ import annotations

import smtplib
import time
from functools import lru_cache
from typing import NamedTuple, Protocol

from reporter.delivery.conversation import Conversation
from reporter.delivery.verdict import Stage

REPLY_LENGTH = 1000


class Enveloped(Protocol):
    """A mail's final bytes, from whom and to whom."""

    content: bytes
    envelope_sender: str
    recipient: str


class Answer(NamedTuple):
    """What the relay said last: `stage` is None where it has accepted the mail."""

    stage: Stage | None
    code: int
    reply: str | bytes


def printable(reply: str | bytes) -> str:
    """A relay's words as one can store and show them: no control characters, not endless."""
    text = reply.decode("ascii", "replace") if isinstance(reply, bytes) else reply
    if text.isprintable():  # as most are, and this is asked for each mail
        return text[:REPLY_LENGTH]
    return "".join(c if c.isprintable() or c == "\n" else "?" for c in text)[:REPLY_LENGTH]


def hand_over(host: Conversation, mail: Enveloped, final_seconds: float) -> Answer:
    """MAIL, RCPT, DATA. Raises OSError when the connection fails."""
    content = mail.content
    if 0 < (limit := _size_limit(host)) < len(content):
        reply = f"5.3.4 {len(content)} bytes, and the relay takes {limit}"  # not asked, as it said
        return Answer(Stage.SENDER, 552, reply)
    size = f" size={len(content)}" if host.has_extn("size") else ""
    reply_bytes: str | bytes
    code, reply_bytes = host.docmd("MAIL", f"FROM:{_quoted(mail.envelope_sender)}{size}")
    host.has_begun, host.accepted_at = True, float("-inf")
    if code // 100 != 2:
        return Answer(Stage.SENDER, code, reply_bytes)
    code, reply_bytes = host.docmd("RCPT", f"TO:{_quoted(mail.recipient)}")
    if code // 100 != 2:
        return Answer(Stage.RECIPIENT, code, reply_bytes)
    try:
        with host.patient(final_seconds):
            code, reply_bytes = host.data(content)
    except smtplib.SMTPDataError as error:  # no 354 after DATA
        return Answer(Stage.DATA, error.smtp_code, error.smtp_error)
    if code // 100 != 2:
        return Answer(Stage.CONTENT, code, reply_bytes)
    host.accepted_at = time.monotonic()
    return Answer(None, code, reply_bytes)


def _size_limit(host: Conversation) -> int:
    """How many bytes the relay takes (RFC 1870); 0 where it does not say."""
    said = str(host.esmtp_features.get("size", ""))
    return int(said) if said.isascii() and said.isdecimal() else 0


@lru_cache(maxsize=256)
def _quoted(address: str) -> str:
    return smtplib.quoteaddr(address)


def is_speakable(address: str) -> bool:
    """Whether smtplib would name this very address (without SMTPUTF8, RFC 6531)."""
    plain = address.isascii() and address.isprintable() and "@" in address
    return plain and _quoted(address) == f"<{address}>"
