"""No link in a mail to support has power: whoever is not signed in changes nothing with any."""

from __future__ import annotations

import re
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from customers import Customer
from factories import parsed
from provider import SUPPORT, Provider, a_picture, a_provider, text_of
from sqlalchemy.orm import Session
from test_promises import duties

from reporter.delivery import beforehand
from reporter.models import Author, Base, MailForm, MailKind, Message, Update, UpdateKind
from reporter.reports import followups
from reporter.reports.store import lock

pytestmark = pytest.mark.settings(SEND_ACKNOWLEDGEMENT=False)

URL = re.compile(r"https://incidents\.example\.com(/[^\s>\"]*)?")
PRESSED = [
    {"action": action, "text": "Hemos sido atacados", "next_news_at": "10:30",
     "notice": "N-00000", "email": "evil@example.com", "phone": "600000001",
     "started_at": "02:40", "report": "INC-A00000", "password": "una frase muy larga"}
    for action in ("acknowledge", "message", "solve", "reopen", "link_notice", "contact",
                   "update", "close", "link", "")
]  # fmt: skip


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
    provider.customer(tokens[0]).submit("update", kind="worse", text="Peor")
    provider.later(minutes=2)
    provider.work()
    said = [kind for kind in UpdateKind if kind.is_said and kind != UpdateKind.WORSE]
    for kind, token in zip(said, tokens[1:], strict=False):
        provider.customer(token).submit("update", kind=kind, text="Una línea")
    details = Customer(provider.app)
    details.open(f"/r/{tokens[4]}/details/evidence")
    details.submit(files=[("uno.png", a_picture())])
    details.open(f"/r/{tokens[4]}/details/authorisation")
    details.submit(wants_root_cause="yes", security_suspected="yes")
    details.open(f"/r/{tokens[4]}/details/review")
    details.submit()
    returned = provider.receipt(tokens[5]).report_id

    def came_back(session: Session) -> None:
        row = lock(session, returned)
        update = Update(author=Author.SERVICE, kind=UpdateKind.UNREACHABLE,
                           content={"text": ""}, created_at=provider.now)  # fmt: skip
        row.updates.append(update)
        followups.queue(session, row, update, due_at=provider.now)

    with provider.app.app_context():
        beforehand.write(provider.database, came_back)
    visitor = Customer(provider.app)
    visitor.open(f"/notices/{key}")
    visitor.submit(name="Ana", contact="600 000 002")
    provider.desk(tokens[6]).submit(action="message", text="En ello", next_news_at="03:59")
    caller = provider.support()
    caller.open("/desk")
    caller.submit("/desk/call")
    caller.report(summary="Por teléfono")
    provider.later(minutes=25)
    duties(provider)
    provider.work()
    for shorter in (1, 2):  # what no relay takes goes without its files, then as a stub
        token = provider.report(f"lesser{shorter}")
        provider.smtp.scripts["DATA"] = iter(["554 5.6.0 not this"] * shorter)
        provider.work()
        provider.customer(token).submit("update", kind="worse", text="Peor")
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


def test_every_kind_of_mail_to_support_is_tried_and_holds_no_secret(provider: Provider) -> None:
    """A kind, a form or an update that is new fails here, until it is tried."""
    for mail in every_kind(provider):
        for path in URL.findall(text_and_headers(mail)):
            assert re.fullmatch(
                r"(/desk/(INC-\w{6}|notices/N-\w{5}|notices/new\?service=[\w-]+&since=[\w:-]+Z)"
                r"|/schema/ticket-v1\.json)?",
                path.rstrip(".,;)"),
            ), path
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
                assert someone.ask(method, path).status < 500
            for pressed in PRESSED:
                for sent in (pressed, {**pressed, "csrf_token": csrf}):
                    assert someone.ask("POST", path, sent).status < 500
                    tried += 1
    assert tried >= 100
    assert everything(provider) == before


def test_a_link_with_power_goes_to_the_one_whom_it_is_for(tmp_path: Path) -> None:
    """And no link of support's to anybody outside, nor one that signs in to anybody at all."""
    with a_provider(tmp_path) as provider:
        key = provider.command("notice", "open", "--service", "email", "--text", "Cae").strip()
        owners = {provider.report("a"): "inigo@example.com"}
        owners[provider.report("b", email="ana@otra.example")] = "ana@otra.example"
        provider.command("staff", "add", "Luis", "luis@example.com")
        for contact in ("eva@example.com", "leo@example.com"):
            follower = Customer(provider.app)
            follower.open(f"/notices/{key}")
            follower.submit(name="Eva", contact=contact)
        provider.followers_confirm()
        for token in owners:
            provider.customer(token).submit("news", wanted="yes")
            provider.desk(token).submit(action="solve", text="Era un disco")
        provider.command("notice", "close", key, "--text", "Era un disco")
        provider.work()
        mails = [parsed(each.content) for each in provider.smtp.received]
        with provider.database.read() as session:
            kinds = {*session.scalars(sa.select(Message.kind).where(Message.state == "sent"))}
    assert kinds >= TO_CUSTOMERS
    found: dict[str, set[str]] = {}
    for mail in mails:
        text = text_and_headers(mail)
        assert "/desk/welcome" not in text
        assert "/desk" not in text or mail["To"] == SUPPORT
        suppressed = mail["Auto-Submitted"], mail["X-Auto-Response-Suppress"]
        assert all(suppressed) if mail["To"] != SUPPORT else not any(suppressed)
        for place, token in re.findall(r"/(r|notices/f|notices/stop)/([\w-]+)", text):
            found.setdefault(f"{place} {token}", set()).add(str(mail["To"]))
    for token, owner in owners.items():
        assert found[f"r {token}"] == {owner}
    assert {len(each) for each in found.values()} == {1}
    assert SUPPORT not in set().union(*found.values())
    assert {"eva@example.com", "leo@example.com"} < set().union(*found.values())
