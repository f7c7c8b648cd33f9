"""Handing one stored mail to a relay, through Flask-Mail, and what came of it.

*Accepted* is the relay's 250 after the final dot. *Refused* is a 5xx to the mail itself: its
sender, its recipient or its content. All else is *deferred*, to be tried again: 4xx, network,
TLS, certificate, time-out, and a 5xx at the greeting or the login, which are the relay's trouble
and not the mail's. A connection lost after the final dot is deferred too, as nobody knows.
"""

from __future__ import annotations

import smtplib
import time
from collections.abc import Iterable
from dataclasses import dataclass
from email import policy
from email.parser import BytesHeaderParser
from typing import cast

import flask_mail
from flask import Flask, current_app

from reporter.delivery.relays import FINAL_TIMEOUTS, Conversation, Relay, configured_relays
from reporter.delivery.verdict import About
from reporter.models import Outcome

# A relay that could not be reached is tried after the others for so long.
AVOID_SECONDS = 60.0
REPLY_LENGTH = 1000


@dataclass(frozen=True)
class AttemptResult:
    """What came of one mail at one relay. `code` is None where there was no answer."""

    relay: str
    outcome: Outcome
    code: int | None
    reply: str
    about: About = About.RELAY

    @property
    def is_permanent(self) -> bool:
        """Whether the relay said that it will not change its mind by itself (RFC 5321, 4.2.1)."""
        return self.outcome == Outcome.REFUSED or (self.code or 0) // 100 == 5


class StoredMessage(flask_mail.Message):
    """A mail as its final bytes, for one recipient. Nothing is composed or changed."""

    def __init__(self, content: bytes, recipient: str, sender: str) -> None:
        # Not Flask-Mail's own __init__, which looks up this host in DNS for a new Message-ID.
        headers = BytesHeaderParser(policy=policy.compat32).parsebytes(content)
        self.content = content
        self.envelope_sender = sender
        self.recipient = recipient
        self.recipients = [recipient]
        self.cc, self.bcc = [], []
        self.sender = sender
        self.subject = str(headers["Subject"] or "")
        self.msgId = str(headers["Message-ID"] or "")
        self.mail_options, self.rcpt_options = [], []
        self.reply_to = None
        self.date = 0.0  # it has its Date

    def as_bytes(self) -> bytes:
        return self.content

    def as_string(self) -> str:
        return self.content.decode("ascii", "replace")


class RelayConnection(flask_mail.Connection):
    """A connection to one relay: opened when first needed, kept between mails until closed."""

    host: Conversation | None

    def __init__(self, app: Flask, relay: Relay) -> None:
        super().__init__(app.extensions["mail"])
        self.app = app
        self.relay = relay
        self.avoid_until = 0.0

    def configure_host(self) -> Conversation:
        return self.relay.connect()

    def __exit__(self, *exception: object) -> None:
        self.close()

    def attempt(self, message: StoredMessage) -> AttemptResult:
        """Try *message* once. Raises nothing, whatever relay and network do."""
        if self.mail.suppress:
            return self._accepted(message, None, "MAIL_SUPPRESS_SEND")
        if not _speakable(message.recipient):  # no relay ever will take it
            return AttemptResult(
                self.relay.name, Outcome.REFUSED, None, "SMTP cannot say this address"
            )
        try:
            outcome, code, reply = _hand_over(self._ready(), message)
        except (OSError, ValueError) as error:
            return self._broken(error)
        self.avoid_until = 0.0
        if outcome == Outcome.ACCEPTED:
            return self._accepted(message, code, printable(reply))
        return AttemptResult(self.relay.name, outcome, code, printable(reply))

    def close(self) -> None:
        if self.host is not None:
            self.host.leave()
            self.host = None

    def _ready(self) -> Conversation:
        """The open connection where it still answers, else a new one."""
        if self.host is not None:
            if self.host.begin_again():
                return self.host
            self.host.close()
            self.host = None
        self.host = self.configure_host()
        return self.host

    def _accepted(self, message: StoredMessage, code: int | None, reply: str) -> AttemptResult:
        flask_mail.email_dispatched.send(self.app, message=message)
        return AttemptResult(self.relay.name, Outcome.ACCEPTED, code, reply)

    def _broken(self, error: Exception) -> AttemptResult:
        if self.host is not None:
            self.host.close()
            self.host = None
        self.avoid_until = time.monotonic() + AVOID_SECONDS
        code = getattr(error, "smtp_code", None)
        reply = getattr(error, "smtp_error", None) or f"{type(error).__name__}: {error}"
        return AttemptResult(self.relay.name, Outcome.DEFERRED, code, printable(reply))


class RelayMail(flask_mail.Mail):
    """Flask-Mail over our connections, which have a timeout and verify certificates."""

    def connect(self) -> RelayConnection:
        return connections(self.app or cast(Flask, current_app._get_current_object()))[0]  # type: ignore[attr-defined]


def connections(app: Flask) -> tuple[RelayConnection, ...]:
    """One for each relay of the settings, in order, none of them open yet."""
    return tuple(RelayConnection(app, relay) for relay in configured_relays(app.config))


def deliver(
    relays: Iterable[RelayConnection], content: bytes, recipient: str
) -> tuple[AttemptResult, ...]:
    """Try relay after relay until one accepts; one result for each that was tried.

    Relays that were out of reach a moment ago come last, so that a dead one does not cost
    every mail its timeout while another works.
    """
    results = []
    now = time.monotonic()
    for connection in sorted(relays, key=lambda connection: connection.avoid_until > now):
        sender = connection.mail.default_sender or ""
        results.append(connection.attempt(StoredMessage(content, recipient, sender)))
        if results[-1].outcome == Outcome.ACCEPTED:
            break
    return tuple(results)


def printable(reply: str | bytes) -> str:
    """A relay's words as one can store and show them: no control characters, not endless."""
    text = reply.decode("ascii", "replace") if isinstance(reply, bytes) else reply
    return "".join(c if c.isprintable() or c == "\n" else "?" for c in text)[:REPLY_LENGTH]


def _hand_over(host: Conversation, message: StoredMessage) -> tuple[Outcome, int, str | bytes]:
    """MAIL, RCPT, DATA. Raises OSError when the connection fails."""
    content = message.as_bytes()
    size = [f"size={len(content)}"] if host.has_extn("size") else []
    reply: str | bytes
    code, reply = host.mail(message.envelope_sender, size)
    if code // 100 == 2:
        code, reply = host.rcpt(message.recipient)
    if code // 100 != 2:
        return _not_taken(code), code, reply
    host.patience = FINAL_TIMEOUTS * host.relay.timeout
    try:
        code, reply = host.data(content)
    except smtplib.SMTPDataError as error:  # no 354 after DATA
        return _not_taken(error.smtp_code), error.smtp_code, error.smtp_error
    return (Outcome.ACCEPTED if code // 100 == 2 else _not_taken(code)), code, reply


def _speakable(address: str) -> bool:
    """Whether smtplib would name this very address (without SMTPUTF8, RFC 6531)."""
    plain = address.isascii() and address.isprintable()
    return plain and smtplib.quoteaddr(address) == f"<{address}>"


def _not_taken(code: int) -> Outcome:
    return Outcome.REFUSED if code // 100 == 5 else Outcome.DEFERRED
