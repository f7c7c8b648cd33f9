"""Screenshots beside the error message: kept at once, and sent without another press."""

from __future__ import annotations

import io
from email.message import EmailMessage

import pytest
import sqlalchemy as sa
from chosen_files import files_in, pdf
from customers import Customer, Page
from factories import parsed, values
from provider import Provider, a_picture, text_of, to_support, twin_of
from test_filetypes import a_photo, a_zip, telling
from werkzeug.datastructures import FileStorage

from reporter.attachments import keeping
from reporter.attachments.store import Owner
from reporter.models import Attachment, Draft, Message

PNG = a_picture("PNG")


@pytest.fixture
def customer(provider: Provider) -> Customer:
    return Customer(provider.app, "es")


def add(customer: Customer, *files: tuple[str, bytes], **changes: str) -> Page:
    """Answer the first page with *files* beside the error message."""
    customer.open("/report/failure")
    return customer.forge(files=files, **{**values("failure"), **changes})


def report(customer: Customer) -> Page:
    for slug in ("timing", "changes", "contact"):
        customer.fill(slug)
    return customer.submit()


def receipt_of(page: Page) -> str:
    return page.path


def rows(provider: Provider) -> list[Attachment]:
    with provider.database.read() as session:
        return list(session.scalars(sa.select(Attachment).order_by(Attachment.id)))


def mails(provider: Provider) -> list[EmailMessage]:
    """Those to support, sent or not, oldest first."""
    query = sa.select(Message).order_by(Message.id)
    with provider.database.read() as session:
        return to_support([parsed(row.content) for row in session.scalars(query)])


def test_a_screenshot_is_kept_at_once_in_the_draft_and_seen_by_its_customer_alone(
    provider: Provider, customer: Customer
) -> None:
    page = add(customer, ("captura.png", PNG), keep="files", summary="")
    assert page.status == 200
    (row,) = rows(provider)
    assert (row.report_id, row.name, row.question) == (None, "captura.png", "screenshots")
    page = customer.open("/report/failure")
    assert "captura.png (1\xa0kB)" in page.text
    address = page.html.partition('class="thumbnail" src="')[2].partition('"')[0]
    assert address.startswith(f"/report/pictures/{row.id}")
    answer = customer.ask("GET", address.replace("&amp;", "&"))
    assert (answer.status, answer.response.body) == (200, PNG)
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer.headers["Cache-Control"] == "no-store"
    stranger = Customer(provider.app)
    assert stranger.open(f"/report/pictures/{row.id}").status == 404
    assert stranger.open(address.replace("&amp;", "&")).status == 404


def test_it_goes_with_the_ticket_without_another_press(
    provider: Provider, customer: Customer
) -> None:
    add(customer, ("IMG_1.jpg", a_photo()), ("captura.png", PNG))
    page = report(customer)
    assert page.status == 200
    (ticket,) = mails(provider)
    reference = str(ticket["X-Incident-Reference"])
    sent = files_in(ticket)
    assert list(sent) == [f"{reference}-1-img-1.jpg", f"{reference}-2-captura.png"]
    assert not telling(sent[f"{reference}-1-img-1.jpg"])
    assert "IMG_1.jpg (" in text_of(ticket)
    assert twin_of(ticket)["answers"]["screenshots"] == ["IMG_1.jpg", "captura.png"]
    assert [each["name"] for each in twin_of(ticket)["attachment"]] == list(sent)
    assert [row.number for row in rows(provider)] == [0, 0]
    page = customer.open(customer.page.path)
    assert "captura.png" in page.text
    assert "aún sin enviar" not in page.text
    assert page.html.count('class="thumbnail"') == 2


def test_what_the_ticket_has_no_room_for_follows_at_once(
    provider: Provider, customer: Customer
) -> None:
    large = pdf(2_000_001)
    add(customer, ("grande.pdf", large), ("captura.png", PNG), ("todo.zip", a_zip()))
    report(customer)
    ticket, followup = mails(provider)
    assert list(files_in(ticket).values()) == [PNG]
    assert followup["In-Reply-To"] == ticket["Message-ID"]
    assert list(files_in(followup).values()) == [large]
    assert [row.number for row in rows(provider)] == [1, 0, 0]


def test_two_million_bytes_in_all_go_with_the_ticket(
    provider: Provider, customer: Customer
) -> None:
    files = [pdf(1_000_000), pdf(1_000_000)]
    add(customer, ("a.pdf", files[0]), ("b.pdf", files[1]))
    report(customer)
    (ticket,) = mails(provider)
    assert list(files_in(ticket).values()) == files


def test_an_update_that_comes_while_such_a_follow_up_waits_joins_it(
    provider: Provider, customer: Customer
) -> None:
    large = pdf(2_000_001)
    add(customer, ("grande.pdf", large))
    report(customer)
    customer.submit("update", kind="info", text="Sigue igual")
    _ticket, followup = mails(provider)
    assert "Sigue igual" in text_of(followup)
    assert "update: 1\n" in text_of(followup)
    assert list(files_in(followup).values()) == [large]


def test_a_screenshot_can_be_taken_out_again(provider: Provider, customer: Customer) -> None:
    add(customer, ("captura.png", PNG))
    customer.open("/report/failure")
    customer.submit(remove=str(rows(provider)[0].id))
    assert rows(provider) == []
    report(customer)
    (ticket,) = mails(provider)
    assert files_in(ticket) == {}
    assert twin_of(ticket)["answers"]["screenshots"] is None


def test_a_stranger_takes_none_out(provider: Provider, customer: Customer) -> None:
    add(customer, ("captura.png", PNG))
    stranger = Customer(provider.app)
    stranger.open("/report/failure")
    stranger.forge(remove=str(rows(provider)[0].id))
    assert len(rows(provider)) == 1


def test_a_file_that_cannot_be_taken_costs_nothing_that_was_typed(
    provider: Provider, customer: Customer
) -> None:
    page = add(customer, ("a.exe", b"MZ\x00\x01"), ("captura.png", PNG))
    assert (page.status, set(page.errors)) == (422, {"screenshots"})
    assert page.fields["summary"] == values("failure")["summary"]
    assert [row.name for row in rows(provider)] == ["captura.png"]


def test_the_review_shows_it_small(provider: Provider, customer: Customer) -> None:
    add(customer, ("captura.png", PNG), ("nota.txt", b"502"))
    for slug in ("timing", "changes", "contact"):
        customer.fill(slug)
    page = customer.open("/report/review")
    assert "captura.png (1 kB)" in page.text
    assert page.html.count('class="thumbnail"') == 1


def test_those_of_the_report_are_not_asked_about_again_in_its_details(
    provider: Provider, customer: Customer
) -> None:
    add(customer, ("captura.png", PNG))
    receipt = receipt_of(report(customer))
    page = customer.open(f"{receipt}/details/evidence")
    assert "captura.png" not in page.text
    copy = customer.peek(f"{receipt}/ticket.json")
    assert copy.response.json["answers"]["screenshots"] == ["captura.png"]


def test_an_old_page_of_ours_loses_no_screenshot(provider: Provider, customer: Customer) -> None:
    customer.headers |= {"Sec-Fetch-Site": "same-origin"}
    page = add(customer, ("captura.png", PNG), csrf_token="stale")
    assert (page.status, "captura.png" in page.text) == (422, True)
    assert [row.name for row in rows(provider)] == ["captura.png"]


def test_nothing_is_kept_of_a_page_whose_token_is_none_of_ours(
    provider: Provider, customer: Customer
) -> None:
    page = add(customer, ("captura.png", PNG), csrf_token="theirs")
    assert page.status == 422
    assert rows(provider) == []


def test_a_draft_that_was_sent_goes_at_once_and_its_files_stay_with_the_report(
    provider: Provider, customer: Customer
) -> None:
    add(customer, ("captura.png", PNG))
    for slug in ("timing", "changes", "contact"):
        customer.fill(slug)
    review = customer.page
    token = receipt_of(customer.submit()).rpartition("/")[2]
    with provider.database.read() as session:
        assert session.scalars(sa.select(Draft)).all() == []
    (row,) = rows(provider)
    assert (row.draft_id, row.report_id) == (None, provider.receipt(token).report_id)
    customer.page = review  # the back button, and a second press
    assert receipt_of(customer.submit()).endswith(token)
    assert len(mails(provider)) == 1
    with provider.database.read() as session:
        assert session.scalars(sa.select(Draft)).all() == []


def test_a_file_that_comes_after_its_report_was_sent_is_told_of(provider: Provider) -> None:
    upload = FileStorage(io.BytesIO(PNG), "captura.png")
    with provider.app.test_request_context(headers={"Accept-Language": "es"}):
        (problem,) = keeping.keep(Owner(draft_id="sent"), [upload], "screenshots")
    assert problem == (
        "captura.png ha llegado cuando el aviso ya estaba enviado: añádalo a sus detalles"
    )
    assert rows(provider) == []
