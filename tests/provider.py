"""A provider whose service runs: reports that were sent, the relay that takes its mails, a clock.

What comes after "send" is tested with it: customers and support have browsers, a worker hands the
mails to a real SMTP server, and time passes when a test says so.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import time_machine
from customers import Customer
from factories import COMPILED, SENT_AT, SETTINGS, a_report, an_app, body, parsed
from flask import Flask
from flask_babel import force_locale
from PIL import Image
from servers import SmtpServer, smtp_server
from werkzeug.datastructures import FileStorage

from reporter.database import Database
from reporter.delivery import worker
from reporter.demo.mailbox import LOOPBACK
from reporter.models import Base, Message
from reporter.models import Report as ReportRow
from reporter.report import Receipt
from reporter.reports.receipts import find
from reporter.reports.submission import submit
from reporter.staff import accounts, sessions

SUPPORT = "support@example.com"


class Provider:
    """One application, the relay it sends to, and the clock of both, which stands still."""

    def __init__(self, app: Flask, smtp: SmtpServer, clock: time_machine.Traveller) -> None:
        self.app = app
        app.jinja_env.bytecode_cache = COMPILED
        self.smtp = smtp
        self.clock = clock
        self.database: Database = app.extensions["sqlalchemy"]

    def later(self, **duration: float) -> None:
        self.clock.shift(timedelta(**duration))

    def at(self, moment: datetime) -> None:
        self.clock.move_to(moment, tick=False)

    @property
    def now(self) -> datetime:
        return datetime.now(SENT_AT.tzinfo)

    def report(self, draft: str = "draft", *, language: str = "es", **changes: Any) -> str:
        """A report sent now; the token of its receipt."""
        with self.app.test_request_context(), force_locale(language):
            filing = a_report(language=language, at=self.now, **changes)
            return submit(draft, filing)

    def customer(self, token: str, language: str = "es") -> Customer:
        """The customer in front of the receipt."""
        customer = Customer(self.app, language)
        customer.open(f"/r/{token}")
        return customer

    def receipt(self, token: str) -> Receipt:
        with self.app.app_context(), self.database.read() as session:
            found = find(session, token)
        assert found is not None
        return found

    def row(self, token: str) -> ReportRow:
        with self.database.read() as session:
            return session.get_one(ReportRow, self.receipt(token).report_id)

    def work(self) -> list[EmailMessage]:
        """Hand over what is due; the mails that the relay accepted, as they arrived."""
        already = len(self.smtp.received)
        worker.run(self.app, once=True)
        return [parsed(mail.content) for mail in self.smtp.received[already:]]

    def waiting(self, **columns: Any) -> list[Message]:
        """The mails that are not sent yet, oldest first."""
        query = sa.select(Message).where(Message.state != "sent").filter_by(**columns)
        with self.database.read() as session:
            return list(session.scalars(query.order_by(Message.id)))

    def support(self, name: str = "Ana", language: str = "es") -> Customer:
        """Somebody of support in a browser that is signed in."""
        return supporter(self.app, name, language)

    def desk(self, token: str, language: str = "es", name: str = "Ana") -> Customer:
        """Somebody of support at the page that the ticket's link opens."""
        someone = self.support(name, language)
        someone.open(desk_link(self.mails_of(token)[0]))
        return someone

    def mails_of(self, token: str) -> list[EmailMessage]:
        """Every mail there is of a report, sent or not, oldest first."""
        query = sa.select(Message).where(Message.report_id == self.receipt(token).report_id)
        with self.database.read() as session:
            return [parsed(mail.content) for mail in session.scalars(query.order_by(Message.id))]

    def followers_confirm(self) -> int:
        """Whoever was asked whether an address is theirs says so; how many were asked."""
        self.work()
        asked = [mail for mail in self.smtp.received if b"/notices/f/" in mail.content]
        asked = [mail for mail in asked if b"List-Unsubscribe" not in mail.content]
        for mail in asked:
            customer = Customer(self.app)
            customer.open(link(parsed(mail.content), "/notices/f/"))
            if 'name="confirm"' in customer.page.html:
                customer.submit(confirm="yes")
        return len(asked)

    def command(self, *words: str, fails: bool = False) -> str:
        """What a command of the operator's says."""
        result = self.app.test_cli_runner().invoke(args=words)
        assert (result.exit_code != 0) == fails, result.output
        return result.output


def supporter(app: Flask, name: str = "Ana", language: str = "es") -> Customer:
    """Somebody of support in a browser that is signed in."""
    someone, now = Customer(app, language), datetime.now(UTC)
    database: Database = app.extensions["sqlalchemy"]
    with app.test_request_context(headers={"User-Agent": "Firefox/140.0 (Linux)"}):
        with database.write() as session:
            row = accounts.by_name(session, name)
            row = row or accounts.add(session, name, f"{name.lower()}@example.com", now)
            token = sessions.begin(session, row.id, now)
        cookie = sessions.cookie_name()
    someone.client.set_cookie(cookie, token)
    return someone


@contextmanager
def a_provider(folder: Path, *, at: datetime = SENT_AT, **settings: Any) -> Iterator[Provider]:
    """A provider over SQLite, at the time *at*."""
    with (
        smtp_server() as smtp,
        an_app(folder, **_relay(smtp), **settings) as app,
        time_machine.travel(at, tick=False) as clock,
    ):
        yield Provider(app, smtp, clock)


@contextmanager
def a_provider_made_by(make_app: Callable[..., Flask], **settings: Any) -> Iterator[Provider]:
    """A provider over the database of the fixture `make_app`: each engine in turn."""
    with smtp_server() as smtp, time_machine.travel(SENT_AT, tick=False) as clock:
        app = make_app(**SETTINGS, **_relay(smtp), **settings)
        Base.metadata.create_all(app.extensions["sqlalchemy"].engine)
        yield Provider(app, smtp, clock)


def _relay(smtp: SmtpServer) -> dict[str, Any]:
    return {
        "MAIL_SERVER": LOOPBACK,
        "MAIL_PORT": smtp.port,
        "MAIL_TIMEOUT": 20,
        "MAIL_SUPPRESS_SEND": False,
    }


def text_of(mail: EmailMessage) -> str:
    return body(mail.as_bytes()).replace("\r\n", "\n")


def block_of(mail: EmailMessage) -> dict[str, str]:
    """The first block of "key: value" lines, as a program reads it."""
    lines = text_of(mail).split("\n\n")[1].splitlines()
    return dict(line.split(": ", 1) for line in lines)


def twin_of(mail: EmailMessage) -> dict[str, Any]:
    """What a mail to support says to programs: its last attachment."""
    *_, part = mail.iter_attachments()
    content: dict[str, Any] = json.loads(part.get_content())
    return content


def desk_link(mail: EmailMessage) -> str:
    """The path of the desk in a mail to support."""
    return link(mail, "/desk/")


def link(mail: EmailMessage, below: str) -> str:
    """The path of the one link in a mail that is below *below*."""
    (found,) = set(re.findall(rf"https://incidents\.example\.com({below}\S+)", text_of(mail)))
    return found


def to_support(mails: list[EmailMessage]) -> list[EmailMessage]:
    return [mail for mail in mails if str(mail["To"]) == SUPPORT]


def to_customers(mails: list[EmailMessage]) -> list[EmailMessage]:
    return [mail for mail in mails if str(mail["To"]) != SUPPORT]


def a_picture(kind: str = "PNG", color: str = "red", **options: Any) -> bytes:
    """A small picture."""
    content = io.BytesIO()
    Image.new("RGB", (64, 48), color).save(content, kind, **options)
    return content.getvalue()


def upload(name: str, content: bytes) -> FileStorage:
    """A file as a view has it."""
    return FileStorage(io.BytesIO(content), name)


def answer_to(ticket: EmailMessage, **changes: str) -> bytes:
    """What support writes in its mail program, in answer to a ticket; *changes* of its headers."""
    mail = EmailMessage()
    mail["From"] = SUPPORT
    mail["To"] = str(ticket["Reply-To"])
    mail["Subject"] = f"Re: {ticket['Subject']}"
    mail["Message-ID"] = "<answer-1@helpdesk.example.com>"
    mail["In-Reply-To"] = ticket["Message-ID"]
    for name, value in changes.items():
        del mail[name.replace("_", "-")]
        mail[name.replace("_", "-")] = value
    mail.set_content("Palabras que nadie más ha de leer.")
    return mail.as_bytes()
