"""The second stage in a real browser, without scripts too: each of its details reaches support."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from arrived import mail_to_support
from pages import Person, person
from playwright.sync_api import Browser, expect
from provider import block_of, text_of
from running import Service
from servers import SmtpServer
from test_files import LOG, PNG, files_in
from tour.receipt import UPDATE


@pytest.fixture
def customer(browser: Browser, service: Service) -> Iterator[Person]:
    with person(browser, service, service_workers="block") as customer:
        yield customer


def test_the_whole_second_stage_works_without_scripts(
    browser: Browser, service: Service, smtp: SmtpServer
) -> None:
    with person(browser, service, scripts=False) as customer:
        receipt, reference = customer.has_reported()
        customer.follows("main a.primary")
        assert customer.path == f"{receipt}/details/evidence"
        expect(customer.page.locator(".pasting")).to_be_hidden()
        customer.fills({"last_worked_at": "2199-01-01T00:00", "hypothesis": "el proxy"})
        customer.picks(("uno.png", PNG), ("dos.log", LOG.encode()))
        customer.continues()
        assert customer.errors == [
            "¿Cuándo le consta que funcionó por última vez? Esa hora aún no ha llegado. "
            "Revise la fecha"
        ]
        assert customer.kept_files.count() == 2
        customer.fills({"last_worked_at": ""})
        customer.follows(".files li:last-child button")
        assert customer.kept_files.count() == 1
        assert customer.typed("hypothesis") == {"hypothesis": "el proxy"}
        customer.continues()
        customer.fills({"users_affected": "40", "workaround": "yes", "deadline": "18:00"})
        customer.fills({"workaround_description": "por teléfono"})
        customer.continues()
        for action in ("reboot", "call_first"):
            customer.page.locator(f"[name=allowed_actions][value={action}]").check()
        customer.fills({"security_suspected": "unknown"})
        customer.continues()
        assert customer.path == f"{receipt}/details/review"
        for said in ("40", "por teléfono", "el proxy", "uno.png", "Llamarme antes de hacer nada"):
            assert said in customer.text
        customer.continues()
        assert customer.path == receipt
        mail = mail_to_support(smtp, reference, 1)
        block = block_of(mail)
        assert block["users_affected"] == "40"
        assert block["allowed_actions"] == "reboot, call_first"
        assert block["security_suspected"] == "unknown"
        assert files_in(mail)[f"{reference}-1-uno.png"] == PNG
        assert mail["In-Reply-To"] == mail_to_support(smtp, reference)["Message-ID"]
        customer.page.locator("[name=kind][value=solved]").check()
        customer.follows(UPDATE)
        assert customer.states[-1] == "Solucionado"


def test_enter_in_a_line_of_text_continues_and_removes_nothing(customer: Person) -> None:
    receipt, _reference = customer.has_reported()
    customer.opens(f"{receipt}/details/evidence")
    customer.picks(("uno.png", PNG))
    customer.continues()
    customer.follows(".back button")
    with customer.page.expect_navigation():
        customer.presses_enter_in("last_worked_at")
    assert customer.path == f"{receipt}/details/impact"
    customer.follows(".back button")
    assert "uno.png" in customer.text


def test_an_update_and_the_details_that_follow_are_one_mail(
    smtp: SmtpServer, customer: Person
) -> None:
    """An update waits a minute for more; details are sent at once, with what waits."""
    receipt, reference = customer.has_reported()
    customer.page.locator("[name=kind][value=worse]").check()
    customer.question("text").fill("Ahora tampoco hay correo")
    customer.follows(UPDATE)
    assert "Va peor" in customer.text
    customer.opens(f"{receipt}/details/impact")
    customer.fills({"users_affected": "40"})
    customer.continues()
    customer.opens(f"{receipt}/details/review")
    customer.continues()
    mail = mail_to_support(smtp, reference, 1)
    assert block_of(mail)["news"] == "worse, details"
    assert "| Ahora tampoco hay correo\n" in text_of(mail)
