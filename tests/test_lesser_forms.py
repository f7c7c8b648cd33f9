"""What is sent of a mail that no relay takes: without its files, then a stub."""

from __future__ import annotations

from email.message import EmailMessage
from itertools import repeat
from typing import Any

import pytest
import sqlalchemy as sa
from factories import ANSWERS, body
from provider import Provider, a_picture
from servers import SmtpServer

from reporter.delivery.lesser_forms import is_for_what_it_holds
from reporter.delivery.smtp import AttemptResult
from reporter.delivery.verdict import About
from reporter.models import MailForm, MailKind, Message, Outcome

pytestmark = pytest.mark.settings(SEND_ACKNOWLEDGEMENT=False)

CONTENT = "554 5.6.0 not this"
FILTER = "554 5.7.1 spam"


def answers(smtp: SmtpServer, *lines: str) -> None:
    """What the relay says to the next mails; "250 ok" after that."""
    smtp.scripts["DATA"] = iter(lines)


def message(provider: Provider, kind: MailKind = MailKind.TICKET) -> Message:
    with provider.database.read() as session:
        return session.scalars(sa.select(Message).where(Message.kind == kind)).one()


def parts(mail: EmailMessage) -> list[str]:
    return [part.get_content_type() for part in mail.walk()]


def test_a_ticket_that_is_refused_goes_without_its_files(provider: Provider) -> None:
    provider.report()
    answers(provider.smtp, CONTENT)
    full, lesser = provider.work()
    assert parts(full) == ["multipart/mixed", "text/plain", "application/json"]
    assert parts(lesser) == ["text/plain"]
    assert body(lesser.as_bytes()) == body(full.as_bytes())  # no file of the customer's was in it
    changed = {"Content-Type", "Content-Transfer-Encoding", "MIME-Version"}
    assert {k: v for k, v in full.items() if k not in changed} == {
        k: v for k, v in lesser.items() if k not in changed
    }
    assert message(provider).state == "sent"
    assert message(provider).form == MailForm.WITHOUT_FILES


def test_a_retry_begins_with_the_whole_mail_again(provider: Provider) -> None:
    provider.report()
    answers(provider.smtp, *[FILTER] * 3)
    (full,) = provider.work()
    provider.later(hours=1)
    provider.work()
    for words in (["--all"], ["--all", "--to", "other@example.com"]):
        assert message(provider).form == MailForm.STUB
        provider.command("outbox", "retry", *words)
        assert message(provider).form == MailForm.FULL
        answers(provider.smtp, FILTER, FILTER)
        (again,) = provider.work()
        assert again.as_bytes() == full.as_bytes()
        provider.later(hours=1)
        provider.work()
    provider.command("outbox", "retry", full["X-Incident-Reference"])
    (arrived,) = provider.work()
    assert arrived.as_bytes() == full.as_bytes()
    assert (message(provider).state, message(provider).form) == ("sent", MailForm.FULL)


@pytest.mark.settings(HELPDESK_HEADERS={"X-Queue": "Incidents"})
def test_then_it_goes_as_a_stub_with_no_word_of_the_customers(provider: Provider) -> None:
    provider.report()
    answers(provider.smtp, CONTENT, CONTENT)
    full, _without, stub = provider.work()
    reference = full["X-Incident-Reference"]
    assert stub["Subject"] == f"SEV1 Aviso sin su texto | web-hosting | {reference}"
    assert body(stub.as_bytes()) == (
        "Alojamiento web, crítico: ningún servidor de correo aceptó lo que escribió el cliente.\n"
        "\n"
        f"reference: {reference}\n"
        "update: 0\n"
        "severity: 1-critical\n"
        "service: web-hosting\n"
        "reporter_phone: +34 600 00 00 00\n"
        "\n"
        f"Todo está en el panel: https://incidents.example.com/desk/{reference}\n"
        "Responda allí: una respuesta a este correo no llega al cliente.\n"
    )
    assert stub["Message-ID"] == full["Message-ID"]
    assert stub["X-Queue"] == "Incidents"  # to where the ticket would have gone
    typed = {k: v for k, v in ANSWERS.items() if k in {"summary", "name", "email", "company"}}
    assert not any(word in stub.as_bytes().decode() for word in typed.values())
    assert message(provider).form == MailForm.STUB


def test_a_stub_is_the_same_mail_after_a_new_key_and_another_sender(provider: Provider) -> None:
    """What follows refers to the Message-ID that it was queued with, and so does its bounce."""
    provider.report()
    answers(provider.smtp, FILTER, FILTER)
    (full,) = provider.work()
    provider.app.config["SECRET_KEY_FALLBACKS"] = [provider.app.config["SECRET_KEY"]]
    provider.app.config["SECRET_KEY"] = "another" * 6
    provider.app.config["MAIL_DEFAULT_SENDER"] = "incidents@another.example"
    provider.later(hours=1)
    (_without,) = provider.work()
    provider.later(hours=1)
    (stub,) = provider.work()
    assert message(provider).form == MailForm.STUB
    assert stub["Message-ID"] == full["Message-ID"] == message(provider).mime_id


REFUSED_FOR_A_FILE = AttemptResult("one:25", Outcome.REFUSED, 554, "5.6.0", About.MAIL)
AWAY = AttemptResult("other:25", Outcome.DEFERRED, None, "", About.RELAY)
NO_SUCH_ADDRESS = AttemptResult("other:25", Outcome.REFUSED, 550, "5.1.1", About.RECIPIENT)


@pytest.mark.parametrize(
    ("results", "is_one"),
    [
        ([REFUSED_FOR_A_FILE], True),
        ([REFUSED_FOR_A_FILE, NO_SUCH_ADDRESS], True),
        ([REFUSED_FOR_A_FILE, AWAY], False),  # which may take it whole
        ([AWAY, REFUSED_FOR_A_FILE], False),
        ([NO_SUCH_ADDRESS], False),
    ],
)
def test_a_lesser_form_is_for_what_every_relay_has_refused(
    results: list[AttemptResult], is_one: bool
) -> None:
    assert is_for_what_it_holds(results) == is_one


def test_a_stub_that_is_refused_has_failed(provider: Provider) -> None:
    provider.report()
    answers(provider.smtp, *[CONTENT] * 3)
    assert len(provider.work()) == 3
    assert message(provider).state == "failed"


def test_a_filters_no_is_given_time_and_is_never_final(provider: Provider) -> None:
    """It may be about us, and then the mail is to arrive whole once that is mended."""
    provider.report()
    answers(provider.smtp, *repeat(FILTER, 4))
    for form in (MailForm.WITHOUT_FILES, MailForm.STUB, MailForm.STUB, MailForm.STUB):
        assert len(provider.work()) == 1
        assert (message(provider).state, message(provider).form) == ("queued", form)
        assert provider.work() == []
        provider.later(hours=1)
    assert len(provider.work()) == 1
    assert message(provider).state == "sent"


def test_details_with_a_file_arrive_without_it_and_later_updates_too(provider: Provider) -> None:
    token = provider.report()
    provider.work()
    customer = provider.customer(token)
    customer.open(f"/r/{token}/details/evidence")
    customer.submit(files=[("photo.png", a_picture())], hypothesis="El disco")
    customer.open(f"/r/{token}/details/review")
    customer.submit()
    provider.later(minutes=5)
    answers(provider.smtp, "552 5.3.4 too large")
    full, lesser = provider.work()
    assert "image/png" in parts(full)
    assert parts(lesser) == ["text/plain"]
    first_line, rest = body(full.as_bytes()).split("\n\n", 1)
    assert "El disco" in rest
    assert body(lesser.as_bytes()) == (
        f"{first_line}\n\nNingún servidor de correo aceptó este correo con sus archivos. Están en "
        f"el panel: https://incidents.example.com/desk/{full['X-Incident-Reference']}\n\n{rest}"
    )
    assert message(provider, MailKind.FOLLOWUP).form == MailForm.WITHOUT_FILES


def test_what_has_no_lesser_form_is_refused(provider: Provider, queue_plain: Any) -> None:
    queue_plain(MailKind.DIGEST)
    answers(provider.smtp, CONTENT)
    provider.work()
    assert message(provider, MailKind.DIGEST).state == "failed"


@pytest.fixture
def queue_plain(provider: Provider) -> Any:
    from conftest import a_mail

    from reporter.delivery import outbox

    def queue(kind: MailKind) -> None:
        with provider.database.write() as session:
            mail = a_mail(mime_id="<1@example.com>")
            outbox.enqueue(session, mail, kind=kind, reference="N-7M9Q", due_at=provider.now)

    return queue
