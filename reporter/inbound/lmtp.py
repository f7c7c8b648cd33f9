"""Mail that a mail server of ours hands over by LMTP (RFC 2033), one answer for each recipient."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import structlog
from aiosmtpd.controller import Controller
from aiosmtpd.lmtp import LMTP
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from reporter.database import Database
from reporter.delivery import beforehand
from reporter.delivery.outbox import InHand
from reporter.inbound import changes
from reporter.inbound.parse import Ears, originators, parse
from reporter.web import bounds

RECIPIENTS = 100
TAKEN = "250 2.0.0 heard"
LATER = "451 4.3.0 not now, please try again"

log = structlog.get_logger(__name__)


@contextmanager
def listening(app: Flask) -> Iterator[None]:
    """Take mail at INBOUND_LISTEN for as long as the block lasts; where that is not set, nothing.

    An address that another worker of this machine has already is left to it.
    """
    listen: str = app.config["INBOUND_LISTEN"]
    if not listen:
        yield
        return
    host, _colon, port = listen.rpartition(":")
    host = host.strip("[]")
    controller = _Listener(Ear(app), hostname=host, port=int(port))
    try:
        _take(host, int(port))
        controller.start()
    except OSError as error:
        log.warning("inbound not listening", address=listen, error=error.strerror)
        controller.loop.close()
        yield
        return
    log.info("inbound listening", address=listen)
    try:
        yield
    finally:
        controller.stop(no_assert=True)


def _take(host: str, port: int) -> None:
    """Raises OSError where that cannot be had, which the controller waits five seconds to tell."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family):
        pass


class _Session(LMTP):
    line_length_limit = bounds.MAIL_LINE_BYTES


class _Listener(Controller):
    def factory(self) -> Any:
        return _Session(
            self.handler, data_size_limit=bounds.MAIL_BYTES, enable_SMTPUTF8=True, ident="LMTP"
        )


class Ear:
    """Hears one mail after another. Nothing is ever sent back, so nothing that comes can loop."""

    def __init__(self, app: Flask) -> None:
        self.app = app

    async def handle_RCPT(  # noqa: N802  (aiosmtpd's name)
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: list[str]
    ) -> str:
        if len(envelope.rcpt_tos) >= RECIPIENTS:
            return "452 4.5.3 too many recipients"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        content, recipients = envelope.content, list(envelope.rcpt_tos)
        reply = await asyncio.to_thread(self.hear, content, recipients)
        return "\r\n".join([reply] * len(recipients))

    def hear(self, content: bytes, recipients: list[str]) -> str:
        """Take a mail into account. The server keeps it for later when that cannot be done now."""
        config = self.app.config
        ears = Ears(
            sender=config["MAIL_DEFAULT_SENDER"],
            support=config["SUPPORT_EMAIL"],
            inbound_address=config["INBOUND_ADDRESS"],
            authserv_id=config["INBOUND_AUTHSERV_ID"],
        )
        database: Database = self.app.extensions["sqlalchemy"]
        try:
            heard = parse(content, recipients, ears)
            known, now = originators(content), datetime.now(UTC)
            with self.app.app_context():
                sort = beforehand.write(
                    database, lambda session: changes.apply(session, heard, known, now)
                )
        except SQLAlchemyError as error:
            log.error("inbound not kept", error=type(error).__name__)
            return LATER
        except InHand:
            log.info("inbound too early")
            return LATER
        except Exception as error:  # a mail that cannot be read is not to be sent again for ever
            log.error("inbound not read", error=type(error).__name__)
            return TAKEN
        log.info("inbound", sort=sort, size=len(content))
        return TAKEN
