"""What passes between those who compose mails, the outbox and the worker: frozen values."""

from __future__ import annotations

from dataclasses import dataclass

from reporter.models import MailForm, MailKind


@dataclass(frozen=True)
class Mail:
    """A mail ready to be sent: one recipient, a fixed Message-ID, final bytes.

    `content`: ASCII lines of at most 998 characters that end in CRLF.
    """

    recipient: str
    mime_id: str
    content: bytes


@dataclass(frozen=True)
class Claimed:
    """One mail in the hands of one worker. `token` is different for every claim."""

    token: str
    id: int
    kind: MailKind
    reference: str
    recipient: str
    content: bytes
    attempt_count: int  # this one included


@dataclass(frozen=True)
class LesserForm:
    """What goes on in place of a mail that every relay has refused for what it holds."""

    form: MailForm
    mail: Mail
