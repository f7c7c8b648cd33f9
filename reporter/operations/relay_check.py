"""A relay tried as far as it goes without sending: TLS, login, sender, recipients."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from reporter.delivery.conversation import Conversation
from reporter.delivery.handover import printable
from reporter.delivery.relays import Relay, configured_relays
from reporter.formats.text import one_line
from reporter.operations.result import Result, mend, note, ok
from reporter.settings.shapes import is_loopback

# A certificate that ends sooner is told of.
CERTIFICATE_DAYS = 21


def check_relays(config: Mapping[str, Any]) -> Iterator[Result]:
    for relay in configured_relays(config):
        yield from check_relay(relay, config)


def check_relay(relay: Relay, config: Mapping[str, Any]) -> Iterator[Result]:
    what = f"relay {relay.name}"
    try:
        host = relay.connect()
    except ssl.SSLCertVerificationError as error:
        yield mend(what, f"its certificate is not good: {error.verify_message}")
        return
    except smtplib.SMTPAuthenticationError as error:
        yield mend(what, f"it refused the login: {_said(error.smtp_code, error.smtp_error)}")
        return
    except (OSError, ValueError) as error:
        yield mend(what, f"no connection: {one_line(str(error)) or type(error).__name__}")
        return
    try:
        yield from _encryption(what, host, relay)
        yield from _recipients(what, host, config)
    except (OSError, ValueError) as error:
        yield mend(what, f"the connection broke: {one_line(str(error)) or type(error).__name__}")
    finally:
        host.leave()


def _encryption(what: str, host: Conversation, relay: Relay) -> Iterator[Result]:
    if isinstance(host.sock, ssl.SSLSocket):
        ends_at = _ends_at(host.sock)
        if ends_at and ends_at - datetime.now(UTC) < timedelta(days=CERTIFICATE_DAYS):
            yield note(what, f"its certificate ends on {ends_at:%Y-%m-%d}")
        return
    if host.has_extn("starttls") and not is_loopback(relay.server):
        yield note(what, "mails go there in clear although it offers STARTTLS: set use_tls")


def _ends_at(sock: ssl.SSLSocket) -> datetime | None:
    certificate = sock.getpeercert() or {}
    ends = certificate.get("notAfter")
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(ends)), UTC) if ends else None


def _recipients(what: str, host: Conversation, config: Mapping[str, Any]) -> Iterator[Result]:
    """Support's address as a ticket has it, and our own, to which bounces and answers go."""
    sender = config["MAIL_ENVELOPE_FROM"]
    code, said = host.mail(sender)
    if code // 100 != 2:
        yield mend(what, f"it refused the sender {sender}: {_said(code, said)}")
        return
    support = config["SUPPORT_EMAIL"]
    code, said = host.rcpt(support)
    host.rset()
    if code // 100 == 4:
        yield note(what, f"it defers mail to {support}: {_said(code, said)}")
    elif code // 100 != 2:
        yield mend(what, f"it refused mail to {support}: {_said(code, said)}")
    else:
        yield ok(what, f"takes mail from {sender} to {support}")
    host.mail(sender)
    code, said = host.rcpt(config["MAIL_DEFAULT_SENDER"])
    host.rset()
    if code // 100 == 5:
        yield note(
            what,
            f"bounces would be lost: it refused mail to {config['MAIL_DEFAULT_SENDER']}: "
            f"{_said(code, said)}",
        )


def _said(code: int, reply: bytes | str) -> str:
    return one_line(f"{code} {printable(reply)}")
