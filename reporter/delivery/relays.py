"""The relays that take our mail, as they are set; a connection that is ready for a mail.

Certificates are verified whatever the settings, for STARTTLS as for TLS from the first byte.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reporter.delivery.conversation import Conversation

# A relay may scan a mail before it answers the final dot, and whoever gives up there sends the
# mail twice (RFC 5321, section 4.5.3.2.6): that answer may take this many timeouts.
FINAL_TIMEOUTS = 4
# All of one attempt, from looking up the relay's address to the last answer.
LIMIT_TIMEOUTS = 6


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
    ehlo_name: str = "localhost"

    @property
    def name(self) -> str:
        return f"{self.server}:{self.port}"

    @property
    def final_seconds(self) -> float:
        """How long the answer to a whole mail may take."""
        return FINAL_TIMEOUTS * self.timeout

    @property
    def limit_seconds(self) -> float:
        """The longest that one attempt takes."""
        return LIMIT_TIMEOUTS * self.timeout

    def connect(self) -> Conversation:
        """A conversation that is ready for a mail: greeted, encrypted, logged in.

        Raises OSError (smtplib's errors are) or ValueError, within the limit of an attempt.
        """
        host = Conversation(
            self.server,
            self.port,
            own_name=self.ehlo_name,
            patience_seconds=self.timeout,
            limit_seconds=self.limit_seconds,
            context=self._verifying() if self.use_ssl else None,
        )
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


def configured_relays(config: Mapping[str, Any]) -> tuple[Relay, ...]:
    """MAIL_* first, then FALLBACK_RELAYS in their order."""
    keys = ("server", "port", "use_tls", "use_ssl", "username", "password", "ca_file")
    first = {key: config[f"MAIL_{key.upper()}"] for key in keys}
    shared = {"timeout": config["MAIL_TIMEOUT"], "ehlo_name": config["MAIL_EHLO_NAME"]}
    return tuple(Relay(**table, **shared) for table in [first, *config["FALLBACK_RELAYS"]])
