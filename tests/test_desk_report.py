"""One report at the desk: how its customer is reached, what became of its mails, its files, and
what it was."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from customers import Customer
from details_of import answer
from provider import Provider, a_picture, text_of, to_customers, to_support

from reporter.models import MailState, Message

WORDS = "Era un disco lleno."
WRITTEN = "Escriba qué era, o qué se ha hecho."


def mended(provider: Provider, token: str, **contact: str) -> Customer:
    desk = provider.desk(token)
    desk.submit(action="contact", **contact)
    return desk


# How the customer is reached


def test_a_mail_that_waits_goes_to_the_mended_address(provider: Provider) -> None:
    token = provider.report(email="inigo@exmaple.com")
    before = [mail for mail in provider.mails_of(token) if mail["To"] == "inigo@exmaple.com"]
    page = mended(provider, token, email="inigo@example.com").page
    assert page.status == 200
    assert "inigo@exmaple.com → inigo@example.com" in page.text
    ticket, acknowledgement = provider.work()
    assert acknowledgement["To"] == "inigo@example.com"
    assert provider.smtp.received[-1].recipients == ("inigo@example.com",)
    assert acknowledgement["Message-ID"] == before[0]["Message-ID"]
    assert text_of(acknowledgement) == text_of(before[0])
    assert ticket["To"] == "support@example.com"


def test_a_mail_that_was_refused_is_sent_again_to_it(provider: Provider) -> None:
    token = provider.report(email="inigo@exmaple.com")
    provider.work()
    with provider.database.write() as session:
        message = session.scalars(sa.select(Message).where(Message.kind == "acknowledgement")).one()
        message.state, message.sent_at = MailState.FAILED, None
    assert "rechazado" in provider.desk(token).page.text
    mended(provider, token, email="inigo@example.com")
    (mail,) = provider.work()
    assert mail["To"] == "inigo@example.com"


def test_the_receipt_says_where_a_mail_went_that_was_sent_before(provider: Provider) -> None:
    token = provider.report(email="inigo@exmaple.com")
    provider.work()
    mended(provider, token, email="inigo@example.com")
    text = " ".join(provider.customer(token).page.text.split())
    assert "Hemos enviado esta referencia y el enlace a esta página a inigo@exmaple.com." in text
    assert "inigo@example.com" in text  # which is what support writes to


def test_what_comes_later_knows_the_mended_address_and_number(provider: Provider) -> None:
    token = provider.report(email="inigo@exmaple.com")
    provider.work()
    customer = provider.customer(token)
    customer.submit("news", wanted="yes")
    mended(provider, token, email="inigo@example.com", phone="611 222 333")
    provider.desk(token).submit(action="message", text="En ello")
    (news,) = to_customers(provider.work())
    assert news["To"] == "inigo@example.com"
    provider.customer(token).submit("update", kind="worse", text="Peor")
    provider.later(minutes=1)
    (followup,) = to_support(provider.work())
    assert followup["Reply-To"].endswith("<inigo@example.com>")
    assert "+34 611 22 23 33" in text_of(followup)
    support = provider.support()
    reference = provider.receipt(token).report.reference
    for asked in ("inigo@example.com", "611222333"):
        assert f'data-report="{reference}"' in support.open(f"/desk?q={asked}").html
    assert "data-report" not in support.open("/desk?q=inigo@exmaple.com").html


@pytest.mark.parametrize(
    ("sent", "field"),
    [({"email": "nobody"}, "email"), ({"email": ""}, "email"), ({"phone": "abc"}, "phone")],
)
def test_what_reaches_nobody_is_refused_and_given_back(
    provider: Provider, sent: dict[str, str], field: str
) -> None:
    token = provider.report()
    desk = provider.desk(token)
    page = desk.submit(action="contact", **sent)
    assert (page.status, set(page.errors)) == (422, {field})
    assert page.fields[field] == sent[field]
    assert "<details open>" in page.html
    assert provider.receipt(token).report.text("email") == "inigo@example.com"


def test_the_same_contact_again_is_no_news(provider: Provider) -> None:
    desk = provider.desk(provider.report())
    desk.submit(action="contact")
    assert "Dirección o número corregidos" not in desk.page.text


# What was said, by either


def test_columns_stay_at_the_desk_on_the_receipt_and_in_the_mails(provider: Provider) -> None:
    table = "ID\tNAME\r\nab12\tnginx"
    token = provider.report(error_message=table)
    customer = provider.customer(token)
    customer.submit("update", kind="worse", text=table)
    answer(customer, token, "evidence", tests_done=table)
    review = customer.open(f"/r/{token}/details/review")
    customer.submit()
    desk = provider.desk(token)
    desk.submit(action="message", text=table)
    shown = '<pre class="exact" tabindex="0" role="region"'
    for page, count in ((review, 1), (desk.page, 4), (provider.customer(token).page, 4)):
        assert page.html.count(shown) == page.html.count("ab12\tnginx</pre>") == count
    ticket, followup = to_support(provider.work())
    for mail, count in ((ticket, 1), (followup, 2)):
        assert text_of(mail).count("\n| ID      NAME\n| ab12    nginx\n") == count


# What became of its mails


def test_the_page_says_what_became_of_each_mail(provider: Provider) -> None:
    token = provider.report()
    text = " ".join(provider.desk(token).page.text.split())
    assert "Ticket al equipo de soporte: en espera desde el 23 nov 2026 03:22" in text
    provider.work()
    text = " ".join(provider.desk(token).page.text.split())
    assert "Ticket al equipo de soporte: enviado el 23 nov 2026 03:22 support@example.com" in text
    assert "Acuse de recibo al cliente: enviado el 23 nov 2026 03:22 inigo@example.com" in text


def test_there_is_no_row_for_what_has_not_happened(provider: Provider) -> None:
    page = provider.desk(provider.report()).page
    assert "–</dd>" not in page.html
    assert "<dt>Visto</dt>" not in page.html


# Its files


def test_a_file_is_a_download_without_a_type(provider: Provider) -> None:
    token = provider.report()
    customer = Customer(provider.app)
    customer.open(f"/r/{token}/details/evidence")
    picture = a_picture()
    customer.submit(files=[("captura.png", picture)])
    desk = provider.desk(token)
    (path,) = [path for path in desk.page.links if "/files/" in path]
    answer = desk.peek(path)
    assert answer.status == 200
    assert answer.response.content_type == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    other = provider.receipt(provider.report("other")).report.reference
    reference = provider.receipt(token).report.reference
    assert desk.peek(path.replace(reference, other)).status == 404
    assert Customer(provider.app).peek(path).status == 303


# What it was


def wants_cause(provider: Provider, token: str) -> None:
    customer = Customer(provider.app)
    customer.open(f"/r/{token}/details/authorisation")
    customer.submit(wants_root_cause="yes")
    customer.open(f"/r/{token}/details/review")
    customer.submit()


def test_solving_without_a_cause_is_asked_about_once(provider: Provider) -> None:
    token = provider.report()
    desk = provider.desk(token)
    page = desk.submit(action="solve", text="")
    assert page.status == 422
    assert WRITTEN in page.errors["text"]
    assert provider.row(token).solved_at is None
    assert desk.submit(action="solve", text="").status == 200
    assert provider.row(token).solved_at is not None


def test_who_asked_for_the_cause_is_mailed_it_and_nothing_before(provider: Provider) -> None:
    token = provider.report()
    wants_cause(provider, token)
    provider.later(minutes=15)
    provider.work()
    desk = provider.desk(token)
    assert "El cliente pidió saber la causa" in desk.page.text
    desk.submit(action="message", text="En ello")
    assert to_customers(provider.work()) == []
    desk.submit(action="solve", text=WORDS)
    (mail,) = to_customers(provider.work())
    assert WORDS in text_of(mail)
