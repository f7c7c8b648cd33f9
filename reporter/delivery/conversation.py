"""A conversation with a relay that always ends, whatever the relay, the network and DNS do.

One deadline stands over all of an attempt, from looking up the relay's address to the last answer,
and is looked at before every byte that is waited for. A relay that answers `250-` without end, or
greets us letter by letter, ends with it like one that says nothing.
"""

from __future__ import annotations

import base64
import hmac
import smtplib
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from reporter.delivery.connecting import RelayTooSlow, connect
from reporter.delivery.lines import Lines, wait_at_most

COURTESY_SECONDS = 3.0  # for answers that decide nothing
CHUNK = 64 * 1024
# So long after it has accepted a mail a relay is believed to be there.
FRESH_SECONDS = 1.0
SERVICE_CLOSES = 421  # wherever it comes, the relay ends the conversation (RFC 5321, 3.8)


class Conversation(smtplib.SMTP):
    """smtplib's, with a limit: one answer is waited for `patience` seconds, and none after the
    deadline. Both show as smtplib.SMTPServerDisconnected, a 421 as smtplib.SMTPResponseException.
    """

    def __init__(
        self,
        server: str,
        port: int,
        *,
        own_name: str,
        patience_seconds: float,
        limit_seconds: float,
        context: ssl.SSLContext | None = None,
    ) -> None:
        """Connect, with *context* in TLS from the first byte. Raises OSError."""
        self.usual_patience = patience_seconds
        self.limit_seconds = limit_seconds
        self.context = context
        self.accepted_at = float("-inf")
        self.takes_together = True  # several commands, where it says so
        self.begin()
        super().__init__(server, port, local_hostname=own_name, timeout=patience_seconds)

    def begin(self) -> None:
        """Start the clock of one attempt."""
        self.patience = self.usual_patience
        self.deadline = time.monotonic() + self.limit_seconds
        self.answer_by = self.deadline
        self.has_begun = False  # whether MAIL was answered

    def cut(self) -> None:
        """End it now, from another thread: whoever waits for an answer gets RelayTooSlow."""
        self.deadline = self.answer_by = time.monotonic()
        if (sock := self.sock) is not None:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def left_seconds(self) -> float:
        """Until the answer that we wait for is too late. Raises RelayTooSlow after that."""
        left = min(self.answer_by, self.deadline) - time.monotonic()
        if left <= 0:
            raise RelayTooSlow("the relay was too slow")
        return left

    def getreply(self) -> tuple[int, bytes]:
        self.answer_by = min(self.deadline, time.monotonic() + self.patience)
        if self.file is None and self.sock is not None:
            self.file = Lines(self.sock, self.left_seconds)
        if isinstance(self.file, Lines):
            self.file.begin_reply()
        try:
            code, reply = super().getreply()
        except smtplib.SMTPServerDisconnected as error:  # as smtplib calls whatever goes wrong
            if self.is_late:
                raise RelayTooSlow("the relay was too slow") from error
            raise
        if code == SERVICE_CLOSES:
            self.close()
            raise smtplib.SMTPResponseException(code, reply)
        return code, reply

    def send(self, s: Any) -> None:
        if self.sock is None:
            raise smtplib.SMTPServerDisconnected("please run connect() first")
        rest = memoryview(s.encode(self.command_encoding) if isinstance(s, str) else s)
        self.answer_by = self.deadline
        try:
            while rest:
                wait_at_most(self.sock, self.left_seconds())
                with suppress(TimeoutError):  # the deadline decides
                    rest = rest[self.sock.send(rest[:CHUNK]) :]
        except OSError as error:
            self.close()
            if self.is_late:
                raise RelayTooSlow("the relay was too slow") from error
            raise smtplib.SMTPServerDisconnected(f"not sent: {error}") from error

    def starttls(self, *args: Any, **options: Any) -> tuple[int, bytes]:
        if self.sock is not None:
            self.sock.settimeout(self.left_seconds())  # the handshake's, in all
        return super().starttls(*args, **options)

    def auth(
        self, mechanism: str, authobject: Any, *, initial_response_ok: bool = True
    ) -> tuple[int, bytes]:
        """smtplib's says ASCII only; a password is UTF-8 (RFC 4616, and what servers take)."""
        first = authobject() if initial_response_ok else None
        words = mechanism.upper() if first is None else f"{mechanism.upper()} {_base64(first)}"
        self._auth_challenge_count = 0 if first is None else 1
        code, reply = self.docmd("AUTH", words)
        while code == 334 and self._auth_challenge_count < 5:
            self._auth_challenge_count += 1
            code, reply = self.docmd(_base64(authobject(base64.decodebytes(reply))))
        if code in {235, 503}:
            return code, reply
        raise smtplib.SMTPAuthenticationError(code, reply)

    def auth_cram_md5(self, challenge: Any = None) -> Any:
        if challenge is None:
            return None
        digest = hmac.new(self.password.encode(), challenge, "md5").hexdigest()
        return f"{self.user} {digest}"

    @property
    def is_late(self) -> bool:
        """Whether the last answer that we waited for has not come in time."""
        return time.monotonic() >= min(self.answer_by, self.deadline)

    @property
    def has_unread(self) -> bool:
        """Whether it has said more than it was asked: what follows would be taken for the answer to
        something else."""
        return isinstance(self.file, Lines) and bool(self.file.buffer)

    @property
    def is_fresh(self) -> bool:
        """Whether it has accepted a mail a moment ago, and nothing was said since."""
        return time.monotonic() < self.accepted_at + FRESH_SECONDS

    def begin_again(self) -> bool:
        """Start another attempt. False when the relay no longer answers, as far as it is asked."""
        self.begin()
        if self.has_unread:
            return False
        if self.is_fresh:
            return True
        self.patience = min(self.usual_patience, COURTESY_SECONDS)
        try:
            return self.rset()[0] == 250
        except OSError:
            return False
        finally:
            self.patience = self.usual_patience

    @contextmanager
    def patient(self, seconds: float) -> Iterator[None]:
        """Wait so long for an answer meanwhile."""
        self.patience = seconds
        try:
            yield
        finally:
            self.patience = self.usual_patience

    def leave(self) -> None:
        """Say QUIT as a courtesy and close. Never raises for what the relay does."""
        self.patience = min(self.usual_patience, COURTESY_SECONDS)
        self.deadline = time.monotonic() + self.patience
        try:
            self.quit()
        except OSError:
            self.close()

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        """Connected to the first of the relay's addresses that answers."""
        found = connect(host, port, self.left_seconds, self.usual_patience)
        if self.context is None:
            return found
        try:
            found.settimeout(self.left_seconds())  # the handshake's, in all
            return self.context.wrap_socket(found, server_hostname=host)
        except BaseException:
            found.close()
            raise


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode("ascii")
