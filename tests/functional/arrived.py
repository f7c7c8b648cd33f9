"""What the relay of a service that runs has taken, found by what a test knows of it."""

from __future__ import annotations

import re
from email.message import EmailMessage

from factories import parsed
from provider import text_of
from running import Service, until
from servers import SmtpServer


def mail_to_support(smtp: SmtpServer, reference: str, number: int = 0) -> EmailMessage:
    """The ticket, or follow-up *number*, once the relay has it."""

    def arrived() -> list[EmailMessage]:
        name = f"Message-ID: <{reference}.{number}.".encode()
        return [parsed(mail.content) for mail in smtp.received if name in mail.content]

    return until(arrived)[0]


def desk_of(smtp: SmtpServer, service: Service, reference: str) -> str:
    """The path of the desk, from the ticket."""
    text = text_of(mail_to_support(smtp, reference))
    found = re.search(rf"{service.url}(/desk/\S+)", text)
    assert found
    return found[1]


def confirmation(smtp: SmtpServer, service: Service, address: str) -> str:
    """The path at which a follower confirms *address*, from the latest mail that asks for it."""

    def asked() -> list[str]:
        mails = [parsed(mail.content) for mail in smtp.received]
        texts = [text_of(mail) for mail in mails if mail["To"] == address]
        return re.findall(rf"{service.url}(/notices/f/\S+)", "\n".join(texts))

    return until(asked)[-1]
