"""A mail of the outbox as Flask-Mail takes it."""

from __future__ import annotations

from email import policy
from email.message import Message
from email.parser import BytesHeaderParser
from functools import cached_property

import flask_mail


class StoredMessage(flask_mail.Message):
    """A mail as its final bytes, for one recipient. Nothing is composed or changed."""

    def __init__(
        self, content: bytes, recipient: str, sender: str, id_: int = 0, operators: bool = False
    ) -> None:
        # Not Flask-Mail's own __init__, which looks up this host in DNS for a new Message-ID.
        self.id = id_
        self.operators = operators  # whether the recipient is the operator's to set
        self.content = content
        self.envelope_sender = sender
        self.recipient = recipient
        self.recipients = [recipient]
        self.cc, self.bcc = [], []
        self.sender = sender
        self.mail_options, self.rcpt_options = [], []
        self.reply_to = None
        self.date = 0.0  # it has its Date

    # Of Flask-Mail's own attributes these are for whoever listens to its signal.

    @cached_property
    def subject(self) -> str:  # type: ignore[override]  # it can be set, as those of Flask-Mail
        return str(self._headers["Subject"] or "")

    @cached_property
    def msgId(self) -> str:  # type: ignore[override]  # noqa: N802 (its name)
        return str(self._headers["Message-ID"] or "")

    @cached_property
    def _headers(self) -> Message:
        return BytesHeaderParser(policy=policy.compat32).parsebytes(self.content)

    def as_bytes(self) -> bytes:
        return self.content

    def as_string(self) -> str:
        return self.content.decode("ascii", "replace")
