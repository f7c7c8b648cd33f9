"""Handing one stored mail to a relay, through Flask-Mail, and what came of it.

*Accepted* is the relay's 250 after the final dot. *Refused* is what `verdict` finds to be about
this mail. All else is *deferred*, to be tried again: 4xx, network, TLS, certificate, time-out, and
each 5xx that is about us or the relay. A connection lost after the final dot is deferred too, as
nobody knows.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast

import flask_mail
from flask import Flask, current_app

from reporter.delivery.connecting import RelayTooSlow
from reporter.delivery.conversation import Conversation
from reporter.delivery.handover import Answer, hand_over, is_speakable, printable
from reporter.delivery.health import RelayHealth
from reporter.delivery.relays import Relay, configured_relays
from reporter.delivery.stored_message import StoredMessage
from reporter.delivery.verdict import DEFERRED_BY_RELAY, About, Stage, enhanced_status, judge
from reporter.models import Outcome


@dataclass(frozen=True)
class AttemptResult:
    """What came of one mail at one relay. `code` is None where there was no answer."""

    relay: str
    outcome: Outcome
    code: int | None
    reply: str
    about: About = About.RELAY
    recovered: bool = False  # the relay took this mail, and did not take those before

    @property
    def is_permanent(self) -> bool:
        """Whether the relay said that it will not change its mind by itself (RFC 5321, 4.2.1)."""
        return self.outcome == Outcome.REFUSED or (self.code or 0) // 100 == 5


class RelayConnection(flask_mail.Connection):
    """A connection to one relay: opened when first needed, kept between mails until closed."""

    host: Conversation | None

    def __init__(self, app: Flask, relay: Relay, health: RelayHealth | None = None) -> None:
        super().__init__(app.extensions["mail"])
        self.app = app
        self.relay = relay
        self.health = health or RelayHealth()
        self.is_cut = False

    def configure_host(self) -> Conversation:
        host = self.relay.connect()
        host.takes_together = self.health.takes_together
        return host

    def __exit__(self, *exception: object) -> None:
        self.close()

    def attempt(self, message: StoredMessage) -> AttemptResult:
        """Try *message* once. Raises nothing, whatever relay and network do."""
        if self.mail.suppress:
            return self._accepted(message, None, "MAIL_SUPPRESS_SEND")
        if not is_speakable(message.recipient):  # no relay ever will take it
            reply = "SMTP cannot say this address"
            return AttemptResult(
                self.relay.name, Outcome.REFUSED, None, reply, about=About.RECIPIENT
            )
        began_at = time.monotonic()
        try:
            answer = self._hand_over(message)
        except (OSError, ValueError) as error:
            self.health.failed(began_at)
            return self._broken(error)
        if answer.stage is None:
            return self._accepted(message, answer.code, printable(answer.reply))
        return self._not_taken(message, answer, answer.stage, began_at)

    def close(self) -> None:
        if self.host is not None:
            self.host.leave()
            self.host = None

    def cut(self) -> None:
        """End the attempt under way, from another thread; there will be no other."""
        self.is_cut = True
        if (host := self.host) is not None:
            host.cut()

    def _hand_over(self, message: StoredMessage) -> Answer:
        """Over the open connection where that still answers, else over a new one."""
        if (host := self.host) is not None:
            unasked = host.is_fresh
            try:
                if host.begin_again():
                    return hand_over(host, message, self.relay.final_seconds)
            except RelayTooSlow:
                raise
            except OSError:
                if host.has_begun or not unasked:
                    raise
            host.close()  # its end has crossed this mail
            self.host = None
        self._refuse_when_cut()
        self.host = self.configure_host()
        self._refuse_when_cut()
        return hand_over(self.host, message, self.relay.final_seconds)

    def _refuse_when_cut(self) -> None:
        if self.is_cut:
            raise RelayTooSlow("cut off")

    def _accepted(self, message: StoredMessage, code: int | None, reply: str) -> AttemptResult:
        flask_mail.email_dispatched.send(self.app, message=message)
        recovered = self.health.succeeded()
        return AttemptResult(self.relay.name, Outcome.ACCEPTED, code, reply, recovered=recovered)

    def _not_taken(
        self, message: StoredMessage, answer: Answer, stage: Stage, began_at: float
    ) -> AttemptResult:
        reply = printable(answer.reply)
        outcome, about = judge(stage, answer.code, reply, operators=message.operators)
        is_address = about == About.RECIPIENT and outcome == Outcome.REFUSED
        if about == About.RELAY:
            self.health.failed(began_at)
        elif not (is_address and enhanced_status(reply)):
            # So many in a row is no property of the mails, whatever is said of each.
            in_a_row = self.health.did_not_take(message.id, began_at)
            if in_a_row and outcome == Outcome.REFUSED:
                outcome, about = DEFERRED_BY_RELAY
        return AttemptResult(self.relay.name, outcome, answer.code, reply, about=about)

    def _broken(self, error: Exception) -> AttemptResult:
        if self.host is not None:
            self.health.takes_together &= self.host.takes_together
            self.host.close()
            self.host = None
        code = getattr(error, "smtp_code", None)
        reply = getattr(error, "smtp_error", None) or f"{type(error).__name__}: {error}"
        return AttemptResult(self.relay.name, Outcome.DEFERRED, code, printable(reply))


class RelayMail(flask_mail.Mail):
    """Flask-Mail over our connections, which have a timeout and verify certificates."""

    def connect(self) -> RelayConnection:
        return connections(self.app or cast(Flask, current_app._get_current_object()))[0]  # type: ignore[attr-defined]


def connections(
    app: Flask, health: Mapping[Relay, RelayHealth] | None = None
) -> tuple[RelayConnection, ...]:
    """One for each relay of the settings, in order, none of them open yet.

    With *health* several conversations with a relay know of each other how it is.
    """
    known = health or {}
    relays = configured_relays(app.config)
    return tuple(RelayConnection(app, relay, known.get(relay)) for relay in relays)


def deliver(
    relays: Iterable[RelayConnection],
    content: bytes,
    recipient: str,
    *,
    message_id: int = 0,
    operators: bool = False,
) -> tuple[AttemptResult, ...]:
    """Try relay after relay until one accepts; one result for each that was tried.

    Relays that pause come last, so that a dead one does not cost every mail its timeout while
    another works. *operators*: the recipient is the operator's to set, as support's is.
    """
    results = []
    for connection in sorted(relays, key=lambda connection: not connection.health.may_be_first()):
        config = connection.app.config
        sender = config.get("MAIL_ENVELOPE_FROM") or connection.mail.default_sender or ""
        message = StoredMessage(content, recipient, sender, message_id, operators)
        results.append(connection.attempt(message))
        if results[-1].outcome == Outcome.ACCEPTED:
            break
    return tuple(results)
