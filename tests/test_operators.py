"""Reports that support takes by phone: the same form, in the language of whoever calls."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from customers import Customer, Page
from factories import values
from jsonschema import Draft202012Validator
from provider import Provider, a_provider, block_of, link, text_of, to_customers, to_support

from reporter.mail import ticket_json

BANNER = "Está recogiendo este aviso por teléfono. Use el idioma de quien llama."


def operator(provider: Provider, *, language: str = "es") -> Customer:
    """Somebody of support who has begun to take calls."""
    someone = provider.support(language=language)
    new_call(someone)
    return someone


def new_call(someone: Customer) -> Page:
    """Press the button of the board."""
    page = someone.open("/desk")
    assert 'action="/desk/call"' in page.html
    return someone.submit("/desk/call")


def token_of(receipt: Page) -> str:
    return receipt.path.split("/")[2]


def take(caller: Customer, **changes: str) -> str:
    """Take a report during a call; the token of its receipt."""
    return token_of(caller.report(**changes))


def test_the_link_makes_a_browser_an_operators(provider: Provider) -> None:
    someone = operator(provider)
    assert someone.page.status == 200
    for path in ("/", "/report/failure"):
        assert BANNER in " ".join(someone.open(path).text.split())
    someone.fill_all()
    assert BANNER in " ".join(someone.page.text.split())
    ordinary = Customer(provider.app)
    for path in ("/", "/report/failure"):
        assert BANNER not in " ".join(ordinary.open(path).text.split())


def test_a_report_by_phone_says_so_to_people_and_programs(provider: Provider) -> None:
    take(operator(provider))
    (ticket,) = to_support(provider.work())
    assert block_of(ticket)["channel"] == "phone"
    assert "\n\nRecogido por teléfono.\n\n" in text_of(ticket)
    *_, part = ticket.iter_attachments()
    content = json.loads(part.get_content())
    assert content["channel"] == {"@type": "ChannelRef", "id": "phone", "name": "phone"}
    assert list(Draft202012Validator(ticket_json.schema()).iter_errors(content)) == []


def test_a_report_of_the_web_has_no_word_of_the_phone(provider: Provider) -> None:
    Customer(provider.app).report()
    (ticket,) = to_support(provider.work())
    assert "channel" not in block_of(ticket)
    assert "por teléfono." not in text_of(ticket).splitlines()[0]


def test_no_trap_is_set_for_an_operator(provider: Provider) -> None:
    someone = operator(provider)
    for slug in ("failure", "timing", "changes", "contact"):
        assert 'name="topic"' not in someone.open(f"/report/{slug}").html
        someone.fill(slug)
    assert 'name="topic"' in Customer(provider.app).open("/report/failure").html


def test_what_gives_a_program_away_is_not_held_against_an_operator(provider: Provider) -> None:
    """Support fills the form within a second, from what it hears, and by other programs."""
    someone = operator(provider)
    someone.open("/report/failure")
    someone.forge(**values("failure"), topic="filled in by a password manager")
    token = take(someone)
    assert provider.receipt(token).report.flags == ()
    ordinary = token_of(Customer(provider.app).report())
    assert provider.receipt(ordinary).report.flags == ("too_fast",)
    assert ["flags" in block_of(mail) for mail in to_support(provider.work())] == [False, True]


def test_no_limit_holds_an_operator_up(tmp_path: Path) -> None:
    with a_provider(tmp_path, RATELIMIT_ENABLED=True) as provider:
        someone, ordinary = operator(provider), Customer(provider.app)
        someone.open("/")
        ordinary.open("/")

        def press(customer: Customer) -> int:
            return customer.ask("POST", "/report/review").status

        assert {press(someone) for _ in range(130)} == {303}
        ordinarily = [press(ordinary) for _ in range(130)]
        assert ordinarily == [303] * 120 + [429] * 10
        assert press(someone) == 303


@pytest.mark.parametrize(
    ("language", "subject"), [("es", "hemos recibido su aviso"), ("en", "we have your report")]
)
def test_the_caller_has_the_receipt_by_mail_in_their_language(
    provider: Provider, language: str, subject: str
) -> None:
    someone = operator(provider)
    someone.open(f"/?lang={language}")
    token = take(someone, email="caller@example.com")
    ticket, mail = provider.work()
    assert block_of(ticket)["language"] == language
    assert "QUÉ FALLA" in text_of(ticket)  # support reads its own
    assert mail["To"] == "caller@example.com"
    assert mail["Content-Language"] == language
    assert mail["Subject"] == f"{ticket['X-Incident-Reference']}: {subject}"
    assert link(mail, "/r/") == f"/r/{token}"
    receipt = Customer(provider.app, language).open(link(mail, "/r/"))
    assert provider.receipt(token).report.reference in receipt.text


def test_a_caller_has_the_mail_however_many_there_were(provider: Provider) -> None:
    """The limit is against strangers who write somebody's address."""
    for _ in range(3):
        Customer(provider.app).report(email="caller@example.com")
    provider.work()
    Customer(provider.app).report(email="caller@example.com")
    assert to_customers(provider.work()) == []
    take(operator(provider), email="caller@example.com")
    assert len(to_customers(provider.work())) == 1


def test_the_receipt_is_the_customers_own_afterwards(provider: Provider) -> None:
    token = take(operator(provider))
    customer = provider.customer(token)
    assert BANNER not in " ".join(customer.page.text.split())
    customer.submit("update", kind="worse", text="")
    assert provider.receipt(token).updates[0].kind == "worse"


def test_one_call_after_another(provider: Provider) -> None:
    someone = operator(provider)
    first = take(someone, email="first@example.com")
    assert "Nueva llamada" in someone.page.text
    assert someone.page.html.count('class="primary"') == 1  # of all there is to press
    assert someone.submit("/desk/call").fields["summary"] == ""  # the button of the receipt
    someone.open("/")
    page = someone.open("/report/failure")
    assert page.fields["summary"] == ""
    second = take(someone, email="second@example.com", summary="Otra cosa")
    assert first != second
    assert provider.receipt(second).report.channel == "phone"
    assert provider.receipt(second).report.text("email") == "second@example.com"


def test_the_next_caller_is_not_given_the_number_of_the_last(provider: Provider) -> None:
    someone = operator(provider)
    someone.open("/?customer_number=C-1")
    assert someone.open("/report/failure")
    someone.fill_all(customer_number="C-1")
    someone.submit()
    for slug in ("failure", "timing", "changes"):
        someone.fill(slug)
    assert someone.open("/report/contact").fields["customer_number"] == ""


def test_a_new_call_has_nothing_of_one_that_was_abandoned(provider: Provider) -> None:
    someone = operator(provider)
    new_call(someone)
    someone.fill_all(summary="De quien colgó", email="hung-up@example.com")
    going_on = {"/report/failure": "Seguir con la llamada que estaba atendiendo"}
    assert going_on.items() <= someone.open("/").links.items()
    assert someone.open("/report/failure").fields["summary"] == "De quien colgó"
    page = new_call(someone)
    assert page.fields["summary"] == ""
    assert "data-forget" in page.html  # nor is what the browser mirrored offered
    assert "data-forget" not in someone.open("/report/failure").html
    assert not going_on.items() <= someone.open("/").links.items()
    someone.fill("failure", summary="Otra cosa")
    assert someone.peek("/report/contact").location == "/report/timing"
    token = take(someone, summary="Otra cosa", email="second@example.com")
    assert provider.receipt(token).report.text("email") == "second@example.com"


def test_a_call_is_prefilled_by_its_own_link_only(provider: Provider) -> None:
    someone = operator(provider)
    someone.open("/?customer_number=C-1")
    new_call(someone)
    for slug in ("failure", "timing", "changes"):
        someone.fill(slug)
    assert someone.open("/report/contact").fields["customer_number"] == ""
    someone.open("/?customer_number=C-2")
    someone.submit("/desk/call", prefilled="yes")
    for slug in ("failure", "timing", "changes"):
        someone.fill(slug)
    assert someone.open("/report/contact").fields["customer_number"] == "C-2"


def test_a_customer_takes_no_calls_and_keeps_what_was_answered(provider: Provider) -> None:
    someone = Customer(provider.app)
    someone.fill("failure", summary="Mío")
    assert "/desk/call" not in someone.open("/").html
    sent = someone.open("/report/timing").fields
    assert someone.ask("POST", "/desk/call", sent).location.startswith("/desk/sign-in")
    assert someone.open("/report/failure").fields["summary"] == "Mío"


def test_beginning_a_call_leaves_no_draft_behind(provider: Provider) -> None:
    someone = provider.support()
    someone.fill("failure", summary="Mío")
    assert new_call(someone).fields["summary"] == ""


def test_ending_makes_the_browser_an_ordinary_one(provider: Provider) -> None:
    someone = operator(provider)
    someone.fill("failure", summary="De quien llamó")
    someone.open("/")
    someone.submit("/desk/call/end")
    assert BANNER not in " ".join(someone.open("/").text.split())
    assert someone.open("/report/failure").fields["summary"] == ""
    token = take(someone)
    assert provider.receipt(token).report.channel == "web"


def test_ending_needs_a_token(provider: Provider) -> None:
    someone = operator(provider)
    someone.open("/")
    assert someone.submit("/desk/call/end", csrf_token="stale").status == 400
    assert BANNER in " ".join(someone.open("/").text.split())


def test_a_shift_ends_by_itself_after_twelve_hours(provider: Provider) -> None:
    someone = operator(provider)
    provider.later(hours=11, minutes=59)
    assert BANNER in " ".join(someone.open("/").text.split())
    provider.later(minutes=1)
    assert BANNER not in " ".join(someone.open("/").text.split())
    new_call(someone)
    assert BANNER in " ".join(someone.open("/").text.split())


def test_signing_out_ends_the_call(provider: Provider) -> None:
    someone = operator(provider)
    someone.fill("failure", summary="De quien llamó")
    someone.open("/desk")
    someone.submit("/desk/sign-out")
    assert BANNER not in " ".join(someone.open("/report/failure").text.split())
    assert someone.page.fields["summary"] == ""


def test_the_receipt_of_a_call_offers_the_next_one(provider: Provider) -> None:
    someone = operator(provider)
    page = someone.report()
    assert 'formaction="/desk/call"' in page.html
    assert 'formaction="/desk/call"' not in provider.customer(token_of(page)).page.html
    assert someone.submit("/desk/call").fields["summary"] == ""
