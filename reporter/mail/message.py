"""What all our mails share: who they come from, how they are named, and their final bytes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from email.headerregistry import Address
from functools import lru_cache

from flask import current_app

from reporter.delivery.outbox import Mail
from reporter.formats.languages import tag
from reporter.links import sign
from reporter.mail.composition import Composition

# Of mails to customers, which nothing automatic shall answer (RFC 3834, section 5): an answer to
# what they sent, and what comes later by itself.
SUPPRESS = {"X-Auto-Response-Suppress": "AutoReply, OOF, DR, RN, NRN"}
AUTO_REPLIED = {"Auto-Submitted": "auto-replied", **SUPPRESS}
AUTO_GENERATED = {"Auto-Submitted": "auto-generated", **SUPPRESS}


def new_message(
    *,
    to: str,
    reply_to: Address | None = None,
    subject: str,
    mime_id: str,
    date: datetime,
    cc: Address | None = None,
) -> Composition:
    """A message from us, with no content yet.

    What we tell support by ourselves has no *reply_to*: an answer of the helpdesk's would come
    back to it as another ticket.
    """
    config = current_app.config
    mail = Composition(to)
    mail["From"] = mailbox(config["MAIL_DEFAULT_SENDER"], config["PROVIDER_NAME"])
    if reply_to:
        mail["Reply-To"] = reply_to
    mail["To"] = to
    if cc:
        mail["Cc"] = cc
    mail["Subject"] = subject
    mail["Message-ID"] = mime_id
    mail["Date"] = date
    return mail


def to_customer(
    email: str,
    language: str,
    *,
    subject: str,
    text: str,
    mime_id: str,
    root: str,
    date: datetime,
    headers: Mapping[str, str],
) -> Mail:
    """A mail of plain text to a customer, who answers to support. *root*: the Message-ID that its
    conversation refers to."""
    mail = new_message(
        to=written_to(email), reply_to=support(), subject=subject, mime_id=mime_id, date=date
    )
    mail["References"] = root
    mail.set_content(text)
    return finish(mail, {"Content-Language": tag(language), **headers})


def put_in_thread(mail: Composition, root: str) -> None:
    """Put *mail* in the thread of *root*: of several Message-IDs of one mail the last is the one
    that arrived."""
    mail["In-Reply-To"] = root.split()[-1]
    mail["References"] = root


def finish(mail: Composition, headers: Mapping[str, str]) -> Mail:
    """*mail* with its content and *headers*, each in the place of one of that name."""
    for name, value in headers.items():
        mail[name] = value
    return Mail(mail.recipient, mail.mime_id, mail.to_bytes())


def mailbox(email: str, name: str = "") -> Address:
    """An address that was checked before, with the *name* to show: to read it anew is slow."""
    local, _at, domain = email.rpartition("@")
    return Address(name, username=local, domain=domain)


def readdressed(mail: Mail, email: str) -> Mail:
    """The same mail to another address; nothing else of it changes."""
    recipient = ascii_address(email)
    head, blank, body = mail.content.partition(b"\r\n\r\n")
    head = re.sub(
        rb"(?m)^To: [^\r\n]*(?:\r\n[ \t][^\r\n]*)*+", b"To: " + recipient.encode(), head, count=1
    )
    return Mail(recipient, mail.mime_id, head + blank + body)


def support() -> Address:
    return mailbox(current_app.config["SUPPORT_EMAIL"])


def mime_id(reference: str, number: str) -> str:
    """The Message-ID of a mail: always the same for the same mail, and not guessable."""
    proof = sign("message-id", f"{reference}.{number}").hex()[:16]
    domain = current_app.config["MAIL_DEFAULT_SENDER"].rpartition("@")[2]
    return f"<{reference}.{number}.{proof}@{domain}>"


def written_to(email: str) -> str:
    """As `ascii_address`, of one that was checked before: only some have to be looked at again."""
    name, _at, domain = email.rpartition("@")
    return f"{name}@{domain.lower()}" if email.isascii() else ascii_address(email)


@lru_cache(64)  # each mail about a report asks for it
def ascii_address(email: str) -> str:
    """*email* with its domain in ASCII (IDNA 2008, UTS 46): the form that every relay takes.

    Raises email_validator.EmailNotValidError.
    """
    from email_validator import validate_email  # slow to load

    checked = validate_email(email, check_deliverability=False, allow_smtputf8=False)
    return str(checked.ascii_email)
