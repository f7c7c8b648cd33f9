"""Support at the desk, and the receipt that is open meanwhile, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from arrived import desk_of
from factories import parsed
from pages import Person, person, soon
from playwright.sync_api import Browser, expect
from provider import text_of
from running import Service, Visitor, until
from servers import SmtpServer


@pytest.fixture
def customer(browser: Browser, service: Service) -> Iterator[Person]:
    with person(browser, service, service_workers="block") as customer:
        yield customer


def test_what_support_presses_is_on_the_receipt(
    browser: Browser, service: Service, smtp: SmtpServer, customer: Person
) -> None:
    receipt, reference = customer.has_reported()
    until(lambda: customer.reloads() or customer.states == ["Guardado", "Enviado"])
    with person(browser, service) as support:
        support.signs_in()
        support.opens(desk_of(smtp, service, reference))
        assert support.heading == reference
        customer.reloads()
        assert customer.states == ["Guardado", "Enviado"]  # looking is not pressing
        support.follows("[value=acknowledge]")
        # From here on the receipt, which is open, shows it by itself.
        told, ahead = customer.page.locator("#live"), customer.page.locator("#next")
        expect(ahead).to_contain_text("leerá su aviso y trabajará en él")
        done = customer.page.locator(".states .done b")
        expect(done).to_have_text(["Guardado", "Enviado", "Visto"])
        expect(ahead).not_to_contain_text("leerá su aviso")
        next_news = soon()
        support.fills({"text": "Hemos encontrado la causa.", "next_news_at": next_news})
        support.follows("[value=message]")
        expect(told).to_contain_text("Hemos encontrado la causa.")
        expect(told).to_contain_text(re.compile(rf"Próxima actualización: \d+ \w+ \d+ {next_news}"))
        expect(ahead).to_contain_text("Lo que más nos ayuda ahora")
        support.fills({"text": "Era un disco lleno."})
        support.follows("[value=solve]")
        expect(done.last).to_have_text("Solucionado")
        expect(told).not_to_contain_text("Próxima actualización")
        expect(ahead).to_contain_text("Si sigue fallando")
        expect(ahead).not_to_contain_text("le llamará")
        expect(ahead).not_to_contain_text("Lo que más nos ayuda ahora")
        log = re.findall(r"([^\d\n]+) \d+ \w+ \d+ [\d:]+\s· ana-\w{6}", support.text)
        assert log == ["Solucionado", "Mensaje al cliente", "Visto"]
    status = Visitor(service).peek(f"{receipt}/status.json").response.json
    assert status["reference"] == reference
    assert [message["text"] for message in status["messages"]] == [
        "Era un disco lleno.",
        "Hemos encontrado la causa.",
    ]
    assert all(status[key] for key in ("saved_at", "sent_at", "seen_at", "solved_at"))
    assert status["next_news_at"] is None


def test_news_reach_the_customer_who_asked_by_mail(
    browser: Browser, service: Service, smtp: SmtpServer, customer: Person
) -> None:
    receipt, reference = customer.has_reported(email="news@example.com")
    customer.follows("[name=wanted]")
    assert "Le enviaremos un correo cuando haya una actualización." in customer.text
    with person(browser, service) as support:
        support.signs_in()
        support.opens(desk_of(smtp, service, reference))
        support.fills({"text": "Hemos encontrado la causa."})
        support.follows("[value=message]")
    name = f"Message-ID: <{reference}.news-".encode()
    (mail,) = until(lambda: [m for m in smtp.received if name in m.content])
    assert mail.recipients == ("news@example.com",)
    assert "Hemos encontrado la causa." in text_of(parsed(mail.content))
    assert f"{service.url}{receipt}" in text_of(parsed(mail.content))
