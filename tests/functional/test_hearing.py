"""Support answers in its helpdesk: the receipt changes before the customer's eyes."""

from __future__ import annotations

import smtplib
from pathlib import Path

from arrived import mail_to_support
from browser import chromium
from pages import person
from playwright.sync_api import expect
from ports import free_port
from provider import answer_to
from running import serving
from servers import smtp_server

from reporter.demo.mailbox import LOOPBACK

SECRET = "copies-7q2fx@example.com"


def test_an_answer_of_supports_is_on_the_receipt_by_itself(tmp_path: Path) -> None:
    port = free_port()
    with (
        smtp_server() as smtp,
        serving(
            tmp_path, smtp, INBOUND_LISTEN=f"{LOOPBACK}:{port}", INBOUND_ADDRESS=SECRET
        ) as service,
        chromium() as browser,
        person(browser, service, service_workers="block") as customer,
    ):
        ticket = mail_to_support(smtp, customer.has_reported().reference)
        live = customer.page.locator("#live")
        expect(live).to_contain_text("Visto: pendiente")

        with smtplib.LMTP(LOOPBACK, port) as server:
            server.sendmail("support@example.com", [SECRET], answer_to(ticket))

        expect(live).to_contain_text("El equipo de soporte le ha respondido:")
        expect(customer.page.locator("body")).not_to_contain_text("Palabras que nadie más")
        customer.page.screenshot(path=tmp_path / "answered.png", full_page=True)
