"""One mail in an open conversation: MAIL, RCPT, DATA, and what the relay said last."""

from __future__ import annotations

import re
import smtplib
import time
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from reporter.delivery.conversation import Conversation
from reporter.delivery.verdict import Stage

REPLY_LENGTH = 1000
# Every relay has to take as much (RFC 5321, section 4.5.3.1.7): less is no limit, but a mistake.
LEAST_SIZE = 64 * 1024
SIZE_DIGITS = 20  # of the most that it may say (RFC 1870, section 3)
# An address that smtplib leaves as it is.
PLAIN = re.compile(r"[a-z0-9_.+-]{1,64}@[a-z0-9-][a-z0-9.-]{0,254}", re.ASCII | re.IGNORECASE)


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
    commands = (
        f"MAIL FROM:{_quoted(mail.envelope_sender)}{size}",
        f"RCPT TO:{_quoted(mail.recipient)}",
        "DATA",
    )
    together = host.takes_together and host.has_extn("pipelining")
    if refusal := (_say_together if together else _say_in_turn)(host, commands):
        return refusal
    if host.has_unread:  # and is no answer to what it has not got yet
        host.close()
        raise smtplib.SMTPServerDisconnected("an answer before the mail")
    host.send(_stuffed(content))
    with host.patient(final_seconds):
        code, reply_bytes = host.getreply()
    if code // 100 != 2:
        return Answer(Stage.CONTENT, code, reply_bytes)
    host.accepted_at = time.monotonic()
    return Answer(None, code, reply_bytes)


# What goes before a mail's bytes, each with the first digit of the answer that lets us go on.
ENVELOPE = ((Stage.SENDER, 2), (Stage.RECIPIENT, 2), (Stage.DATA, 3))


def _say_in_turn(host: Conversation, commands: Sequence[str]) -> Answer | None:
    """The first answer that does not let us go on, if there is one."""
    for (stage, wanted), command in zip(ENVELOPE, commands, strict=True):
        code, reply = host.docmd(command)
        host.has_begun, host.accepted_at = True, float("-inf")
        if code // 100 != wanted:
            return Answer(stage, code, reply)
    return None


def _say_together(host: Conversation, commands: Sequence[str]) -> Answer | None:
    """The same to a relay that takes all of them at once (RFC 2920), which saves two round trips.

    It answers each. Where it has refused what came before and waits for a mail all the same, it is
    given one without a line, which goes to nobody (section 3.1).
    """
    host.send("".join(f"{command}\r\n" for command in commands))
    refusal: Answer | None = None
    has_answered = False
    try:
        for stage, wanted in ENVELOPE:
            code, reply = host.getreply()
            has_answered = True
            host.has_begun, host.accepted_at = True, float("-inf")
            if code // 100 != wanted:
                refusal = refusal or Answer(stage, code, reply)
        if refusal and code // 100 == 3:
            host.send(".\r\n")
            host.getreply()
    except OSError:
        if refusal is None:
            host.takes_together = not (has_answered and host.is_late)  # some lose all but the first
            raise
        host.close()  # it has said no already, and that is what counts
    return refusal


def _stuffed(content: bytes) -> bytes:
    """As it is sent: a dot before each line's own one, and the line that ends it (RFC 5321, 4.5.2).

    As smtplib does it, in a tenth of the time.
    """
    ended = content if content.endswith(b"\r\n") else content + b"\r\n"
    first = b"." if ended.startswith(b".") else b""
    return first + ended.replace(b"\n.", b"\n..") + b".\r\n"


def _size_limit(host: Conversation) -> int:
    """How many bytes the relay takes (RFC 1870); 0 where it does not say, or cannot mean it."""
    said = str(host.esmtp_features.get("size", ""))
    is_number = said.isascii() and said.isdecimal() and len(said) <= SIZE_DIGITS
    limit = int(said) if is_number else 0
    return limit if limit >= LEAST_SIZE else 0


def _quoted(address: str) -> str:
    """Raises ValueError for what would be another command."""
    # Taking an address apart takes as long as the rest of sending a mail: most need none of it.
    if PLAIN.fullmatch(address):
        return f"<{address}>"
    if "\r" in address or "\n" in address:
        raise ValueError("an address of several lines")
    return smtplib.quoteaddr(address)


def is_speakable(address: str) -> bool:
    """Whether smtplib would name this very address (without SMTPUTF8, RFC 6531)."""
    plain = address.isascii() and address.isprintable() and "@" in address
    return plain and _quoted(address) == f"<{address}>"
