"""The relays that take our mail, and a conversation with one that always ends.

Certificates are verified whatever the settings, for STARTTLS as for TLS from the first byte.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# A relay may scan a mail before it answers the final dot, and whoever gives up there sends the
# mail twice (RFC 5321, section 4.5.3.2.6): that answer may take this many timeouts.
FINAL_TIMEOUTS = 4
# All of one attempt, from connecting to the last answer.
LIMIT_TIMEOUTS = 6
COURTESY_SECONDS = 3.0  # for answers that decide nothing


@dataclass(frozen=True)
class Relay:
    """Where mail is handed over. `timeout` is in seconds, for one answer."""

    server: str
    port: int = 25
    use_tls: bool = False
    use_ssl: bool = False
    username: str = ""
    password: str = field(default="", repr=False)
    ca_file: str = ""
    timeout: float = 30

    @property
    def name(self) -> str:
        return f"{self.server}:{self.port}"

    @property
    def limit_seconds(self) -> float:
        """The longest that one attempt takes, apart from looking up the relay's address."""
        return LIMIT_TIMEOUTS * self.timeout

    def connect(self) -> Conversation:
        """A conversation that is ready for a mail: greeted, encrypted, logged in.

        Raises OSError (smtplib's errors are) or ValueError.
        """
        if self.use_ssl:
            host: Conversation = EncryptedConversation(self, context=self._verifying())
        else:
            host = Conversation(self)
        try:
            host.ehlo_or_helo_if_needed()
            if self.use_tls:
                host.starttls(context=self._verifying())
            if self.username:
                host.login(self.username, self.password)
            host.ehlo_or_helo_if_needed()
        except BaseException:
            host.close()
            raise
        return host

    def _verifying(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.ca_file or None)


class Conversation(smtplib.SMTP):
    """smtplib's, with a limit: no answer is waited for longer than `patience` seconds, and none
    after the deadline. Both show as smtplib.SMTPServerDisconnected.
    """

    def __init__(self, relay: Relay, **options: Any) -> None:
        self.relay = relay
        self.begin()
        super().__init__(
            relay.server,
            relay.port,
            local_hostname=_own_name(),
            timeout=relay.timeout,
            **options,
        )

    def begin(self) -> None:
        """Start the clock of one attempt."""
        self.patience = self.relay.timeout
        self.deadline = time.monotonic() + self.relay.limit_seconds

    def getreply(self) -> tuple[int, bytes]:
        left = self.deadline - time.monotonic()
        if left <= 0:
            self.close()
            raise smtplib.SMTPServerDisconnected("the relay was too slow in all")
        if self.sock is not None:
            self.sock.settimeout(min(self.patience, left))
        return super().getreply()

    def begin_again(self) -> bool:
        """Start another attempt. False when the relay no longer answers."""
        self.begin()
        self.patience = min(self.relay.timeout, COURTESY_SECONDS)
        try:
            return self.rset()[0] == 250
        except OSError:
            return False
        finally:
            self.patience = self.relay.timeout

    def leave(self) -> None:
        """Say QUIT as a courtesy and close. Never raises for what the relay does."""
        self.patience = min(self.relay.timeout, COURTESY_SECONDS)
        self.deadline = time.monotonic() + self.patience
        try:
            self.quit()
        except OSError:
            self.close()


class EncryptedConversation(Conversation, smtplib.SMTP_SSL):
    """TLS from the first byte."""


def configured_relays(config: Mapping[str, Any]) -> tuple[Relay, ...]:
    """MAIL_* first, then FALLBACK_RELAYS in their order."""
    keys = ("server", "port", "use_tls", "use_ssl", "username", "password", "ca_file")
    first = {key: config[f"MAIL_{key.upper()}"] for key in keys}
    tables = [first, *config["FALLBACK_RELAYS"]]
    return tuple(Relay(**table, timeout=config["MAIL_TIMEOUT"]) for table in tables)


def _own_name() -> str:
    """What EHLO says (RFC 5321, section 4.1.4), found without DNS, which may be what is down."""
    name = socket.gethostname()
    return name if "." in name and name.isascii() else "[127.0.0.1]"
