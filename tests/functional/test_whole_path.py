"""A customer's whole path in a real browser: from the first page to the ticket, and back."""

from __future__ import annotations

from collections.abc import Iterator

import polib
import pytest
from catalogues import catalogue_path
from factories import LANGUAGES, body, parsed
from pages import DESKTOP, PHONE, Person, person
from playwright.sync_api import Browser, expect
from running import Service, serving, until
from servers import SmtpServer


def sent(language: str) -> list[str]:
    """How far a report has come that support has: in their language."""
    known = {each.msgid: each.msgstr for each in polib.pofile(str(catalogue_path(language)))}
    return [known[state] or state for state in ("Saved", "Sent")]


@pytest.fixture(scope="module")
def service(smtp: SmtpServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """With as many processes as an operator has, who sets none."""
    with serving(tmp_path_factory.mktemp("service"), smtp, WEB_PROCESSES=2) as service:
        yield service


@pytest.fixture
def customer(browser: Browser, service: Service) -> Iterator[Person]:
    with person(browser, service) as customer:
        yield customer


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_report_goes_from_the_first_page_to_support_and_to_the_customer(
    browser: Browser,
    service: Service,
    smtp: SmtpServer,
    language: str,
    scripts: bool,
    viewport: dict[str, int],
) -> None:
    known_to_support = sent(language)
    email = f"{language}-{scripts}-{viewport['width']}@example.com".lower()
    with person(browser, service, language, scripts=scripts, viewport=viewport) as customer:
        customer.answers_everything(email=email)
        assert customer.path == "/report/review"
        for said in ("La tienda no carga – error 502", "23", email, "+34 600 00 00 00"):
            assert said in customer.text
        customer.sends()
        reference = customer.reference
        until(lambda: customer.reloads() or customer.states == known_to_support)
        assert reference == customer.reference
        until(lambda: email in [r for mail in smtp.received for r in mail.recipients])
        mails = [mail for mail in smtp.received if reference.encode() in mail.content]
        ticket, acknowledgement = mails
        assert ticket.recipients == ("support@example.com",)
        assert parsed(ticket.content)["Reply-To"].addresses[0].addr_spec == email
        # Support reads its own language, whatever the customer's.
        assert {f"language: {language}", "QUÉ FALLA"} <= set(body(ticket.content).splitlines())
        assert acknowledgement.recipients == (email,)
        assert parsed(acknowledgement.content)["Content-Language"] == language
        assert customer.page.url in body(acknowledgement.content)


def test_the_pages_speak_the_language_of_the_browser(browser: Browser, service: Service) -> None:
    for language, heading in (("es", "Comunicar una incidencia"), ("en", "Report an incident")):
        with person(browser, service, language) as customer:
            customer.opens("/")
            assert customer.heading == heading


def test_the_zone_of_the_browser_is_offered_and_a_chosen_one_stays(
    browser: Browser, service: Service
) -> None:
    with person(browser, service, zone="America/Bogota") as customer:
        customer.starts()
        customer.answers_and_continues("failure")
        assert customer.typed("timezone") == {"timezone": "America/Bogota"}
        customer.fills({"started": "at"})
        customer.fills({"timezone": "America/Lima"})
        customer.continues()
        assert customer.typed("timezone") == {"timezone": "America/Lima"}
        customer.goes_back()
        customer.continues()
        assert customer.typed("timezone") == {"timezone": "America/Lima"}


def test_questions_under_an_answer_appear_with_it(customer: Person) -> None:
    customer.starts()
    customer.answers_and_continues("failure")
    expect(customer.question("started_at")).to_be_hidden()
    customer.fills({"started": "at"})
    expect(customer.question("started_at")).to_be_visible()


def test_the_browsers_back_button_finds_everything_as_it_was(customer: Person) -> None:
    customer.starts()
    customer.answers_and_continues("failure")
    customer.answers("timing")
    customer.page.go_back()
    assert customer.typed("service", "summary", "impact") == {
        "service": "web-hosting",
        "summary": "La tienda no carga – error 502",
        "impact": "critical",
    }


def test_going_back_by_the_pages_own_link_keeps_what_is_half_answered(customer: Person) -> None:
    customer.starts()
    customer.answers_and_continues("failure")
    customer.fills({"pattern": "intermittent", "frequency": "cada hora"})
    customer.goes_back()
    assert customer.path == "/report/failure"
    customer.continues()
    assert customer.typed("pattern", "frequency") == {
        "pattern": "intermittent",
        "frequency": "cada hora",
    }


def test_a_change_from_the_review_returns_to_it(customer: Person) -> None:
    customer.answers_everything()
    for step in ("failure", "timing", "changes", "contact"):
        customer.changes(step)
        assert customer.path == f"/report/{step}?change=1"
        customer.continues()
        assert customer.path == "/report/review"


def test_what_is_changed_from_the_review_is_what_is_sent(customer: Person) -> None:
    customer.answers_everything()
    customer.changes("failure")
    customer.fills({"summary": "La tienda va lenta"})
    customer.continues()
    customer.sends()
    customer.page.locator("details.whole summary").click()
    assert "La tienda va lenta" in customer.text
    assert "La tienda no carga" not in customer.text


def test_switching_the_language_keeps_what_is_typed(customer: Person) -> None:
    customer.starts()
    customer.fills({"summary": "La web no carga", "service": "email"})
    customer.switches_language()
    assert customer.language == "en"
    assert customer.heading == "What is wrong"
    assert customer.typed("summary", "service") == {
        "summary": "La web no carga",
        "service": "email",
    }


def test_switching_the_language_on_the_review_loses_nothing(customer: Person) -> None:
    customer.answers_everything()
    customer.switches_language()
    assert customer.heading == "Check your answers"
    assert "La tienda no carga – error 502" in customer.text
    customer.sends()
    assert customer.reference.startswith("INC-")


def test_enter_in_a_line_of_text_continues(customer: Person) -> None:
    customer.starts()
    customer.answers("failure")
    customer.presses_enter_in("summary")
    assert customer.path == "/report/timing"


def test_errors_are_listed_and_lead_to_their_questions(customer: Person) -> None:
    customer.starts()
    customer.fills({"affected": "tienda.example.com"})
    customer.continues()
    assert len(customer.errors) == 3
    assert customer.typed("affected") == {"affected": "tienda.example.com"}
    assert customer.page.title().startswith("Error: ")
    customer.page.locator(".errors a").nth(1).click()
    expect(customer.question("summary")).to_be_focused()


def test_a_page_that_outlived_its_cookie_comes_back_with_everything_typed(
    customer: Person,
) -> None:
    customer.starts()
    customer.answers("failure")
    customer.loses_cookies()
    customer.continues()
    assert customer.typed("summary") == {"summary": "La tienda no carga – error 502"}
    customer.continues()
    assert customer.path == "/report/timing"


def test_pressing_send_twice_sends_once(customer: Person, smtp: SmtpServer) -> None:
    customer.answers_everything(email="twice@example.com")
    customer.page.locator("main button.primary").dblclick()
    customer.page.wait_for_url("**/r/*")
    reference = customer.reference
    customer.page.go_back()
    assert customer.reference == reference
    until(lambda: "twice@example.com" in [r for mail in smtp.received for r in mail.recipients])
    assert len([m for m in smtp.received if reference.encode() in m.content]) == 2


def test_the_customer_takes_their_own_copy(customer: Person) -> None:
    customer.answers_everything()
    customer.sends()
    for suffix in ("txt", "json"):
        with customer.page.expect_download() as download:
            customer.page.locator(f"a[href$='ticket.{suffix}']").click()
        assert download.value.suggested_filename == f"{customer.reference}.{suffix}"
        assert "La tienda no carga – error 502" in download.value.path().read_text("utf-8")
