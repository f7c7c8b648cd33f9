"""What comes back by LMTP: support's answers and bounces, over a real connection."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
import sqlalchemy as sa
from customers import Customer
from ports import free_port
from provider import (
    Provider,
    a_provider,
    answer_to,
    block_of,
    link,
    text_of,
    to_customers,
    to_support,
)
from test_inbound_parse import a_bounce

from reporter import models
from reporter.demo.mailbox import LOOPBACK
from reporter.inbound import lmtp
from reporter.operations.purge import purge
from reporter.web import bounds

SECRET = "copies-7q2fx@example.com"
SENDER = "incident-reporter@example.com"


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def provider(tmp_path: Path, port: int) -> Iterator[Provider]:
    settings = {
        "INBOUND_LISTEN": f"{LOOPBACK}:{port}",
        "INBOUND_ADDRESS": SECRET,
        "INBOUND_AUTHSERV_ID": "mx.example.com",
    }
    with a_provider(tmp_path, **settings) as provider, lmtp.listening(provider.app):
        yield provider


@pytest.fixture
def server(provider: Provider, port: int) -> Iterator[smtplib.LMTP]:
    """A mail server of ours that hands mail over."""
    with smtplib.LMTP(LOOPBACK, port) as client:
        yield client


def counts(provider: Provider) -> dict[str, int]:
    with provider.database.read() as session:
        rows = session.execute(sa.select(models.HeardCount.sort, models.HeardCount.count))
        return {row.sort: row.count for row in rows}


def sent(provider: Provider) -> tuple[str, EmailMessage, EmailMessage]:
    """A report whose ticket and acknowledgement have left: its token, and both mails."""
    token = provider.report()
    mails = provider.work()
    return token, to_support(mails)[0], to_customers(mails)[0]


# Answers


def test_an_answer_of_supports_makes_the_report_seen(
    provider: Provider, server: smtplib.LMTP
) -> None:
    token, ticket, _ = sent(provider)
    provider.later(minutes=7)
    server.sendmail("support@example.com", [SECRET], answer_to(ticket))
    receipt = provider.receipt(token)
    assert receipt.seen_at == receipt.answered_at == provider.now
    page = provider.customer(token).page
    assert "El equipo de soporte le ha respondido: 23 nov 2026 03:29" in " ".join(page.text.split())
    assert "Palabras" not in page.text
    assert counts(provider) == {"answer": 1}


def test_the_same_answer_twice_is_one(provider: Provider, server: smtplib.LMTP) -> None:
    token, ticket, _ = sent(provider)
    for _ in range(2):
        server.sendmail("support@example.com", [SECRET], answer_to(ticket))
    with provider.database.read() as session:
        kinds = list(session.scalars(sa.select(models.Update.kind)))
    assert kinds == ["answered"]
    assert provider.receipt(token).seen_at == provider.now


def test_a_reference_in_the_subject_is_enough(provider: Provider, server: smtplib.LMTP) -> None:
    token, ticket, _ = sent(provider)
    content = answer_to(ticket, In_Reply_To="<another@helpdesk.example.com>")
    server.sendmail("support@example.com", [SECRET], content)
    assert provider.receipt(token).seen_at


def test_an_answer_that_our_server_vouches_for_is_as_good(
    provider: Provider, server: smtplib.LMTP
) -> None:
    token, ticket, _ = sent(provider)
    proof = "mx.example.com; dmarc=pass header.from=example.com"
    answer = answer_to(ticket, Authentication_Results=proof)
    server.sendmail("support@example.com", [SENDER], answer)
    assert provider.receipt(token).seen_at


@pytest.mark.parametrize(
    ("changes", "taken_as"),
    [
        ({"Auto_Submitted": "auto-replied"}, "automatic"),
        ({"From": "inigo@example.com"}, "unproven"),  # the customer, who saw the address in a Cc
        ({"RT_Originator": "inigo@example.com"}, "unproven"),
        ({"Subject": "Otra cosa", "In_Reply_To": "<x@y>"}, "unproven"),
        ({"From": SENDER}, "own"),
    ],
)
def test_what_is_no_answer_is_counted_and_left(
    provider: Provider, server: smtplib.LMTP, changes: dict[str, str], taken_as: str
) -> None:
    token, ticket, _ = sent(provider)
    server.sendmail("support@example.com", [SECRET], answer_to(ticket, **changes))
    assert provider.receipt(token).seen_at is None
    assert counts(provider) == {taken_as: 1}


def test_a_line_of_any_length_is_taken(provider: Provider, server: smtplib.LMTP) -> None:
    token, ticket, _ = sent(provider)
    content = answer_to(ticket).rstrip() + b"\r\n" + b"x" * 100_000 + b"\r\n"
    server.sendmail("support@example.com", [SECRET], content)
    assert provider.receipt(token).seen_at


def test_a_mail_has_a_bound_and_so_has_a_line_of_it(server: smtplib.LMTP) -> None:
    for size, code in ((bounds.MAIL_BYTES, 250), (bounds.MAIL_BYTES + 1, 552)):
        server.ehlo()
        assert server.mail("a@example.com", [f"size={size}"])[0] == code
        server.rset()
    for size, code in ((bounds.MAIL_LINE_BYTES, 250), (bounds.MAIL_LINE_BYTES + 1, 500)):
        server.mail("a@example.com")
        server.rcpt(SECRET)
        assert server.data(b"x" * (size - 2) + b"\r\n")[0] == code


def test_a_stranger_who_knows_reference_message_id_and_address_changes_nothing(
    provider: Provider, server: smtplib.LMTP
) -> None:
    token, ticket, _ = sent(provider)
    forged = answer_to(ticket, Authentication_Results="mx.example.com; dmarc=fail")
    for recipient in (SENDER, "support@example.com"):
        server.sendmail("eva@evil.example", [recipient], forged)
    assert provider.receipt(token).seen_at is None
    assert counts(provider) == {"unproven": 2}
    assert provider.work() == []


def test_our_own_ticket_come_round_changes_nothing(
    provider: Provider, server: smtplib.LMTP
) -> None:
    token, ticket, acknowledgement = sent(provider)
    for mail in (ticket, acknowledgement):
        server.sendmail(SENDER, [SECRET], mail.as_bytes())
    assert provider.receipt(token).seen_at is None
    assert counts(provider) == {"own": 2}


def test_each_recipient_has_an_answer_of_its_own(provider: Provider, server: smtplib.LMTP) -> None:
    token, ticket, _ = sent(provider)
    server.sendmail("support@example.com", [SENDER, SECRET, "x@y"], answer_to(ticket))
    others = [server.getreply(), server.getreply()]  # beside the first, which it has read
    assert others == [(250, b"2.0.0 heard")] * 2
    assert server.docmd("NOOP", "")[1] == b"OK"  # and no other is left over
    assert provider.receipt(token).seen_at


def test_a_database_that_is_away_has_the_server_try_again(
    provider: Provider, server: smtplib.LMTP
) -> None:
    _, ticket, _ = sent(provider)
    with provider.database.write() as session:
        session.execute(sa.text("ALTER TABLE heard_count RENAME TO away"))
    with pytest.raises(smtplib.SMTPDataError) as refusal:
        server.sendmail("support@example.com", [SECRET], answer_to(ticket))
    assert refusal.value.smtp_code == 451
    with provider.database.write() as session:
        session.execute(sa.text("ALTER TABLE away RENAME TO heard_count"))
    server.sendmail("support@example.com", [SECRET], answer_to(ticket))
    assert counts(provider) == {"answer": 1}


def test_nothing_that_comes_in_can_loop(provider: Provider, server: smtplib.LMTP) -> None:
    """Whatever leaves comes back, as it is, as a bounce, and with an automatic answer to it."""
    key, _follower = followed(provider)
    provider.command("notice", "update", key, "--text", "Casi")
    token = provider.report()
    provider.customer(token).submit("news", wanted="yes")
    provider.desk(token).submit(action="message", text="En ello")
    ticket, *others = first = provider.work()
    assert len(first) == 4
    # Support is told once that the customer cannot be reached, and of who follows: that comes too.
    for mails, kinds in (
        (others, {"followup", "digest"}),
        ([ticket], {"ticket", "followup", "digest"}),
    ):
        for mail in [*mails, *provider.work()]:
            server.sendmail("", [SENDER], bounce_of(mail))
            for recipient in (SENDER, SECRET):
                server.sendmail("support@example.com", [recipient], mail.as_bytes())
                away = answer_to(mail, Auto_Submitted="auto-replied", Message_ID=f"<{recipient}>")
                server.sendmail("support@example.com", [recipient], away)
        provider.later(minutes=20)
        assert {each.kind for each in provider.waiting()} == kinds
    assert provider.work() == []
    assert {mail.state for mail in provider.waiting()} == {"failed"}


@pytest.mark.settings(INBOUND_ADDRESS=SECRET)
def test_the_same_mail_at_the_same_moment_makes_one_change(on_both_engines: Provider) -> None:
    provider, ear = on_both_engines, lmtp.Ear(on_both_engines.app)
    _token, ticket, acknowledgement = sent(provider)
    mails = [(answer_to(ticket), [SECRET]), (bounce_of(acknowledgement), [SENDER])] * 3
    with ThreadPoolExecutor(6) as pool:
        replies = pool.map(lambda mail: ear.hear(*mail), mails)
        assert {*replies} == {lmtp.TAKEN}
    with provider.database.read() as session:
        assert {*session.scalars(sa.select(models.Update.kind))} == {"answered", "unreachable"}
        assert session.scalar(sa.select(sa.func.count()).select_from(models.Update)) == 2
    assert counts(provider) == {"answer": 3, "bounce": 3}


# Bounces


def bounce_of(mail: EmailMessage) -> bytes:
    return a_bounce(mime_id=mail["Message-ID"])


def test_a_bounce_to_the_customer_has_support_call_instead_and_once(
    provider: Provider, server: smtplib.LMTP
) -> None:
    token, ticket, acknowledgement = sent(provider)
    provider.customer(token).submit("news", wanted="yes")
    for _ in range(2):
        server.sendmail("", [SENDER], bounce_of(acknowledgement))
    (mail,) = provider.work()
    assert mail["In-Reply-To"] == ticket["Message-ID"]
    assert text_of(mail).startswith(
        "NUESTRO CORREO NO LLEGA AL CLIENTE: Llamar a Íñigo Muñoz, +34 600 00 00 00 "
        f"(actualización 1 de {ticket['X-Incident-Reference']})\n"
    )
    assert block_of(mail)["news"] == "unreachable"
    assert provider.receipt(token).unreachable_at == provider.now
    page = provider.customer(token).page
    assert "correo a inigo@example.com" in page.text
    assert "devuelto" in page.text
    desk = provider.desk(token)
    assert "Nuestro correo no llegó al cliente" in desk.page.text
    desk.submit(action="message", text="En ello")  # which goes out all the same, and comes back
    (news,) = provider.work()
    server.sendmail("", [SENDER], bounce_of(news))
    provider.later(minutes=2)
    assert provider.work() == []


def test_a_ticket_that_comes_back_is_failed_told_and_sent_again_by_a_person_only(
    provider: Provider, server: smtplib.LMTP, caplog: pytest.LogCaptureFixture
) -> None:
    token, ticket, _ = sent(provider)
    reference = ticket["X-Incident-Reference"]
    server.sendmail("", [SENDER], bounce_of(ticket))
    receipt = provider.receipt(token)
    assert (receipt.sent_at, receipt.ticket.is_refused) == (None, True)
    assert provider.work() == []
    assert "550 5.1.1 no such mailbox" in provider.command("outbox", "show", reference)
    with provider.database.read() as session:
        query = sa.select(models.Message).where(models.Message.kind == "ticket")
        message = session.scalars(query).one()
        assert message.alarmed_at == provider.now  # the worker has told it
    provider.customer(token).submit("update", kind="worse", text="")
    provider.later(minutes=2)
    assert provider.work() == []  # what follows a ticket waits for it
    provider.command("outbox", "retry", reference)
    late = bounce_of(ticket).replace(b"bounce-of", b"another-of")  # while it is on its way anew
    server.sendmail("", [SENDER], late)
    again, followup = to_support(provider.work())
    assert again.as_bytes() == ticket.as_bytes()
    assert followup["In-Reply-To"] == ticket["Message-ID"]
    assert provider.receipt(token).sent_at == provider.now
    server.sendmail("", [SENDER], bounce_of(ticket))  # the same as before
    assert provider.receipt(token).sent_at == provider.now


@pytest.mark.parametrize("kind", ["ticket", "acknowledgement"])
def test_what_comes_back_before_it_is_written_down_that_it_left_comes_once_more(
    provider: Provider, server: smtplib.LMTP, kind: str
) -> None:
    """A server nearby says no in less time than a busy database takes."""
    token, ticket, acknowledgement = sent(provider)
    bounce = bounce_of({"ticket": ticket, "acknowledgement": acknowledgement}[kind])
    in_hand = {"state": "queued", "sent_at": None, "claimed_by": "worker:1"}
    of_kind = sa.update(models.Message).where(models.Message.kind == kind)
    with provider.database.write() as session:
        session.execute(of_kind.values(in_hand))
    with pytest.raises(smtplib.SMTPDataError) as later:
        server.sendmail("", [SENDER], bounce)
    assert later.value.smtp_code == 451
    assert counts(provider) == {}
    with provider.database.write() as session:
        session.execute(of_kind.values(state="sent", sent_at=provider.now, claimed_by=None))
    server.sendmail("", [SENDER], bounce)
    assert counts(provider) == {"bounce": 1}
    assert provider.receipt(token).ticket.is_refused == (kind == "ticket")
    assert bool(provider.row(token).unreachable_at) == (kind == "acknowledgement")


def test_a_bounce_of_a_mail_that_is_not_ours_changes_nothing(
    provider: Provider, server: smtplib.LMTP
) -> None:
    token, ticket, _ = sent(provider)
    guessed = f"<{ticket['X-Incident-Reference']}.0.0000000000000000@example.com>"
    server.sendmail("", [SENDER], a_bounce(mime_id=guessed))
    assert provider.receipt(token).sent_at
    assert counts(provider) == {"unproven": 1}


def test_an_address_that_is_taken_is_left_to_whoever_has_it(provider: Provider) -> None:
    with lmtp.listening(provider.app):
        pass


def test_nothing_listens_where_it_is_not_set(tmp_path: Path) -> None:
    with a_provider(tmp_path) as provider, lmtp.listening(provider.app):
        assert provider.app.config["INBOUND_LISTEN"] == ""


# Bounces of mails to followers of a known incident


def followed(provider: Provider, *, contact: str = "ana@example.com") -> tuple[str, Customer]:
    """A known incident and somebody who follows it, in front of their page of it."""
    key = provider.command("notice", "open", "--service", "web-hosting", "--text", "Cae").strip()
    follower = Customer(provider.app)
    follower.open(f"/notices/{key}")
    follower.submit(name="Ana", contact=contact)
    (asked,) = to_customers(provider.work())
    follower.open(link(asked, "/notices/f/"))
    follower.submit(confirm="yes")
    return key, follower


def told(provider: Provider, key: str, text: str = "Casi") -> list[EmailMessage]:
    """The mails to customers that an update of a known incident makes."""
    provider.command("notice", "update", key, "--text", text)
    return to_customers(provider.work())


def test_a_follower_whose_mail_comes_back_is_mailed_no_more_and_the_desk_shows_it(
    provider: Provider, server: smtplib.LMTP
) -> None:
    key, follower = followed(provider, contact="Ana@example.com")
    (mail,) = told(provider, key)
    for _ in range(2):
        server.sendmail("", [SENDER], bounce_of(mail))
    assert to_support(provider.work()) == []  # nobody is disturbed for it
    desk = provider.support()
    page = " ".join(desk.open(f"/desk/notices/{key}").text.split())
    assert "Nuestros correos no les llegan" in page
    assert "Ana · Ana@example.com" in page
    assert told(provider, key, "Ya") == []
    assert counts(provider) == {"bounce": 2}
    follower.open(follower.page.action)  # whose address works again
    assert "devuelto" in follower.page.text
    follower.submit(confirm="yes")
    assert len(told(provider, key, "Listo")) == 1
    assert "no les llegan" not in desk.open(f"/desk/notices/{key}").text


def test_a_confirmation_that_comes_back_leaves_the_address_unconfirmed(
    provider: Provider, server: smtplib.LMTP
) -> None:
    key = provider.command("notice", "open", "--service", "web-hosting", "--text", "Cae").strip()
    stranger = Customer(provider.app)
    stranger.open(f"/notices/{key}")
    stranger.submit(name="Ana", contact="ana@example.com")
    (asked,) = to_customers(provider.work())
    server.sendmail("", [SENDER], bounce_of(asked))
    assert "ana@example.com" in provider.support().open(f"/desk/notices/{key}").text
    stranger.open(f"/notices/{key}")
    stranger.submit(name="Ana", contact="ana@example.com")  # saying it again sends nothing again
    assert to_customers(provider.work()) == []


def test_a_bounce_marks_nobody_else(provider: Provider, server: smtplib.LMTP) -> None:
    key, _follower = followed(provider)
    followed(provider, contact="ana@otra.example")  # of the same incident
    mails = {str(mail["To"]): mail for mail in told(provider, key)}
    server.sendmail("", [SENDER], bounce_of(mails["ana@example.com"]))
    assert [str(mail["To"]) for mail in told(provider, key, "Ya")] == ["ana@otra.example"]


def test_support_calls_a_follower_who_has_a_report_instead_and_once(
    provider: Provider, server: smtplib.LMTP
) -> None:
    token, ticket, _ = sent(provider)
    key, _follower = followed(provider, contact="inigo@example.com")
    reference = ticket["X-Incident-Reference"]
    desk = provider.support()
    desk.open(f"/desk/{reference}")
    desk.submit(action="link_notice", notice=key)
    provider.work()
    for text in ("Casi", "Ya"):
        for mail in told(provider, key, text):
            server.sendmail("", [SENDER], bounce_of(mail))
    followups = [m for m in provider.mails_of(token) if m["In-Reply-To"] == ticket["Message-ID"]]
    assert [block_of(each)["news"] for each in followups] == ["unreachable"]
    assert provider.receipt(token).unreachable_at == provider.now


def test_what_was_heard_is_marked_for_as_long_as_reports_are_kept(
    provider: Provider, server: smtplib.LMTP
) -> None:
    _token, ticket, _ = sent(provider)
    server.sendmail("support@example.com", [SECRET], answer_to(ticket))
    for days, marks in ((179, 1), (181, 0)):
        list(purge(provider.database, provider.app.config, provider.now + timedelta(days=days)))
        with provider.database.read() as session:
            count = session.scalar(sa.select(sa.func.count()).select_from(models.HeardOnce))
        assert count == marks
