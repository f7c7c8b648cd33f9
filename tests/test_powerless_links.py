"""No link in a mail to support has power: whoever is not signed in changes nothing with any."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from factories import Customer, parsed
from provider import SUPPORT, Provider, a_provider, text_of
from test_promises import duties

from reporter.models import Base, MailKind, Message

URL = re.compile(r"https://incidents\.example\.com(/[^\s>\"]*)?")
PRESSED = [
    {"action": action, "text": "Hemos sido atacados", "next_news_at": "10:30",
     "notice": "N-00000", "email": "evil@example.com", "phone": "600000001",
     "started_at": "02:40", "report": "INC-A00000", "password": "una frase muy larga"}
    for action in ("acknowledge", "message", "solve", "reopen", "link_notice", "contact",
                   "update", "close", "link", "")
]  # fmt: skip


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[Provider]:
    with a_provider(tmp_path, SEND_ACKNOWLEDGEMENT=False) as provider:
        yield provider


def everything(provider: Provider) -> list[Any]:
    with provider.database.read() as session:
        return [session.execute(sa.select(table)).all() for table in Base.metadata.sorted_tables]


def every_kind(provider: Provider) -> dict[MailKind, EmailMessage]:
    """One mail to support of each kind there is."""
    key = provider.command("notice", "open", "--service", "web-hosting", "--text", "Nodo 7",
                           "--next-news", "03:58").strip()  # fmt: skip
    tokens = []
    for number in range(8):
        tokens.append(provider.report(f"draft{number}"))
        provider.later(minutes=1)
    provider.work()
    provider.customer(tokens[0]).submit(kind="worse", text="Peor")
    visitor = Customer(provider.app)
    visitor.open(f"/notices/{key}")
    visitor.submit(name="Ana", contact="600 000 002")
    provider.desk(tokens[0]).submit(action="message", text="En ello", next_news_at="03:59")
    provider.later(minutes=25)
    duties(provider)
    provider.work()
    with provider.database.read() as session:
        mails = session.scalars(sa.select(Message).where(Message.recipient == SUPPORT))
        return {mail.kind: parsed(mail.content) for mail in mails}


def text_and_headers(mail: EmailMessage) -> str:
    parts = [part.get_content() for part in mail.walk() if part.get_content_maintype() == "text"]
    twins = [
        part.get_content().decode()
        for part in mail.walk()
        if part.get_content_type() == "application/json" and isinstance(part.get_content(), bytes)
    ]
    headers = [str(value) for value in mail.values()]
    return "\n".join([*headers, text_of(mail), *parts, *twins])


def test_every_kind_of_mail_to_support_is_tried(provider: Provider) -> None:
    assert {*every_kind(provider)} >= {
        MailKind.TICKET,
        MailKind.FOLLOWUP,
        MailKind.SURGE,
        MailKind.DIGEST,
        MailKind.REMINDER,
    }


@pytest.mark.parametrize("whose", ["nobody's", "a customer's"])
def test_nothing_changes_by_any_address_in_any_mail_to_support(
    provider: Provider, whose: str
) -> None:
    mails = every_kind(provider)
    token = provider.report("mine")
    someone = Customer(provider.app)
    if whose == "a customer's":
        someone.open(f"/r/{token}")
        someone.fill("failure")
    else:
        someone.open("/")
    csrf = someone.open("/report/failure").fields["csrf_token"]
    before = everything(provider)
    tried = 0
    for mail in mails.values():
        found = {path for path in URL.findall(text_and_headers(mail)) if path}
        assert found or mail is None
        for path in sorted(found):
            path = path.rstrip(".,;)")
            for method in ("GET", "HEAD", "OPTIONS"):
                answer = someone.client.open(path, method=method, base_url=someone.base_url)
                assert answer.status_code < 500
            for pressed in PRESSED:
                for sent in (pressed, {**pressed, "csrf_token": csrf}):
                    answer = someone.client.post(path, data=sent, base_url=someone.base_url)
                    assert answer.status_code < 500
                    tried += 1
    assert tried >= 100
    assert everything(provider) == before


def test_no_mail_to_support_holds_a_secret(provider: Provider) -> None:
    for mail in every_kind(provider).values():
        for path in URL.findall(text_and_headers(mail)):
            assert re.fullmatch(
                r"(/desk/(INC-\w{6}|notices/N-\w{5}|notices/new\?service=[\w-]+&since=[\w:-]+Z)"
                r"|/schema/ticket-v1\.json)?",
                path.rstrip(".,;)"),
            ), path
