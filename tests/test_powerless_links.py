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
from provider import SUPPORT, Provider, Visitor, a_picture, a_provider, text_of
from test_promises import duties

from reporter.models import Author, Base, MailForm, MailKind, Message, Update, UpdateKind
from reporter.reports import followups
from reporter.reports.store import lock

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


def every_kind(provider: Provider) -> list[EmailMessage]:
    """The mails to support of every kind there is, in every form, with all that one can bring."""
    key = provider.command("notice", "open", "--service", "web-hosting", "--text", "Nodo 7",
                           "--next-news", "03:58").strip()  # fmt: skip
    tokens = []
    for number in range(8):
        tokens.append(provider.report(f"draft{number}"))
        provider.later(minutes=1)
    provider.work()
    provider.customer(tokens[0]).submit(kind="worse", text="Peor")
    provider.later(minutes=2)
    provider.work()
    for kind, token in zip(("info", "better", "solved"), tokens[1:], strict=False):
        provider.customer(token).submit(kind=kind, text="Una línea")
    details = Visitor(provider.app)
    details.open(f"/r/{tokens[4]}/details/evidence")
    details.chooses(("uno.png", a_picture()))
    details.open(f"/r/{tokens[4]}/details/authorisation")
    details.submit(wants_root_cause="yes", security_suspected="yes")
    details.open(f"/r/{tokens[4]}/details/review")
    details.submit()
    with provider.app.app_context(), provider.database.write() as session:  # one came back
        row = lock(session, provider.receipt(tokens[5]).report_id)
        came_back = Update(author=Author.SERVICE, kind=UpdateKind.UNREACHABLE,
                           content={"text": ""}, created_at=provider.now)  # fmt: skip
        row.updates.append(came_back)
        followups.queue(session, row, came_back, due_at=provider.now)
    visitor = Customer(provider.app)
    visitor.open(f"/notices/{key}")
    visitor.submit(name="Ana", contact="600 000 002")
    provider.desk(tokens[6]).submit(action="message", text="En ello", next_news_at="03:59")
    caller = provider.support()
    caller.open("/desk").action = "/desk/call"
    caller.submit()
    caller.report(summary="Por teléfono")
    provider.later(minutes=25)
    duties(provider)
    provider.work()
    for shorter in (1, 2):  # what no relay takes goes without its files, then as a stub
        token = provider.report(f"lesser{shorter}")
        provider.smtp.scripts["DATA"] = iter(["554 5.6.0 not this"] * shorter)
        provider.work()
        provider.customer(token).submit(kind="worse", text="Peor")
        provider.later(minutes=2)
        provider.smtp.scripts["DATA"] = iter(["554 5.6.0 not this"] * shorter)
        provider.work()
    provider.command("notice", "close", key, "--text", "Era un disco")
    provider.work()
    return [parsed(m.content) for m in provider.smtp.received if m.recipients == (SUPPORT,)]


def text_and_headers(mail: EmailMessage) -> str:
    parts = [part.get_content() for part in mail.walk() if part.get_content_maintype() == "text"]
    twins = [
        part.get_content().decode()
        for part in mail.walk()
        if part.get_content_type() == "application/json" and isinstance(part.get_content(), bytes)
    ]
    headers = [str(value) for value in mail.values()]
    return "\n".join([*headers, text_of(mail), *parts, *twins])


# To customers and those who follow; what is none of these goes to support.
TO_CUSTOMERS = {
    MailKind.ACKNOWLEDGEMENT,
    MailKind.NEWS,
    MailKind.NOTICE,
    MailKind.CONFIRMATION,
}
# What support itself says is no mail to support.
BY_SUPPORT = {
    UpdateKind.ACKNOWLEDGE,
    UpdateKind.MESSAGE,
    UpdateKind.SOLVE,
    UpdateKind.REOPEN,
    UpdateKind.LINK_NOTICE,
    UpdateKind.CONTACT,
    UpdateKind.ANSWERED,
}


def test_every_kind_of_mail_to_support_is_tried(provider: Provider) -> None:
    """A kind, a form or an update that is new fails here, until it is tried."""
    every_kind(provider)
    with provider.database.read() as session:
        sent = sa.select(Message).where(Message.recipient == SUPPORT, Message.state == "sent")
        mails = session.scalars(sent).all()
        told = session.scalars(sa.select(Update.kind).where(Update.number.is_not(None))).all()
        reminded = {mail.reference[0] for mail in mails if mail.kind == MailKind.REMINDER}
    assert {mail.kind for mail in mails} == {*MailKind} - TO_CUSTOMERS
    assert {mail.form for mail in mails if mail.kind == MailKind.TICKET} == {*MailForm}
    assert MailForm.STUB in {mail.form for mail in mails if mail.kind == MailKind.FOLLOWUP}
    assert {*told} == {*UpdateKind} - BY_SUPPORT - {UpdateKind.FILES}
    assert reminded == {"I", "N"}  # of a report, and of a known incident


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
    addresses = set()
    for mail in mails:
        found = {path.rstrip(".,;)") for path in URL.findall(text_and_headers(mail)) if path}
        assert found, mail["Subject"]
        addresses |= found
    for path in sorted(addresses):
        if path:
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
    for mail in every_kind(provider):
        for path in URL.findall(text_and_headers(mail)):
            assert re.fullmatch(
                r"(/desk/(INC-\w{6}|notices/N-\w{5}|notices/new\?service=[\w-]+&since=[\w:-]+Z)"
                r"|/schema/ticket-v1\.json)?",
                path.rstrip(".,;)"),
            ), path
