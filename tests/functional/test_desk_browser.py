"""The desk in a real browser: by keyboard, on a phone, and while it refreshes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pages import PASSWORD, PHONE, Person, person, soon
from playwright.sync_api import Browser, expect
from running import Service, Visitor, serving, until
from servers import SmtpServer
from tour.desk import TRACE


@pytest.fixture
def service(smtp: SmtpServer, tmp_path: Path) -> Iterator[Service]:
    """One for each test: what a board shows is all there is."""
    with serving(tmp_path, smtp) as service:
        yield service


def report(service: Service, /, **changes: str) -> str:
    """Somebody sends a report; its reference."""
    return Visitor(service).sends(**changes).reference


def board_refreshes(support: Person) -> None:
    """Twenty seconds pass in the browser."""
    with support.page.expect_response(lambda answer: answer.url.endswith("/desk")):
        support.page.clock.run_for(20_000)


# By keyboard


def test_support_works_with_the_keyboard_alone(browser: Browser, service: Service) -> None:
    references = [report(service, summary=f"Aviso {number}") for number in range(2)]
    with person(browser, service) as support:
        page = support.page

        def enters(selector: str) -> None:
            support.tabs_to(selector)
            with page.expect_navigation():
                page.keyboard.press("Enter")

        support.opens(service.welcome("add", "Ana", "ana@example.com"))
        support.tabs_to("[name=password]")
        page.keyboard.type(PASSWORD)
        support.tabs_to("#reveal button")
        page.keyboard.press("Space")
        expect(page.locator("#f-password")).to_have_attribute("type", "text")
        expect(page.get_by_role("status")).to_have_text("La contraseña está a la vista.")
        assert support.typed("password") == {"password": PASSWORD}
        enters("main button.primary")
        assert support.path == "/desk"
        # The first links are the way out and the list: what is most pressing is four presses away.
        enters(f"a[href='/desk/{references[0]}']")
        enters("[value=acknowledge]")
        assert "Visto" in support.text
        support.tabs_to("[name=text]")
        page.keyboard.type("En ello")
        support.tabs_to("[name=next_news_at]")
        page.keyboard.type(soon())
        # Enter in a line of text chooses nothing that cannot be taken back.
        with page.expect_navigation():
            page.keyboard.press("Enter")
        assert support.errors == ["Elija qué hacer"]
        assert support.typed("text") == {"text": "En ello"}
        enters("[value=message]")
        assert "En ello" in support.text
        enters("a[href*='/desk/notices/new']")
        support.tabs_to("[name=text]")
        page.keyboard.type("Cae el nodo 7")
        support.tabs_to(f"[value='{references[0]}']")
        page.keyboard.press("Space")
        enters("main .actions .primary")
        assert page.locator("dl.answers dd").first.inner_text() == "1"
        enters("[formaction='/desk/sign-out']")
        assert support.heading == "Iniciar sesión"
        support.tabs_to("[name=email]")
        page.keyboard.type("ana@example.com")
        support.tabs_to("[name=password]")
        page.keyboard.type(PASSWORD)
        with page.expect_navigation():
            page.keyboard.press("Enter")
        assert support.path == "/desk"


def test_on_a_phone_the_list_comes_first(browser: Browser, service: Service) -> None:
    """Of a report the button does: support is woken at three, and has one hand."""
    reference = report(service)
    with person(browser, service, viewport={"width": 360, "height": 740}, colors="dark") as support:
        support.signs_in()
        line = support.page.locator(f"[data-report={reference}] a")
        search = support.page.locator("form[role=search]")
        expect(line).to_be_in_viewport()
        expect(search).to_be_hidden()
        assert line.bounding_box()["y"] < 300  # type: ignore[index]
        support.follows(f"[data-report={reference}] a")
        expect(support.page.locator("[value=acknowledge]")).to_be_in_viewport()
        assert "–" not in support.page.locator("dl.answers dd").all_inner_texts()


# As it refreshes itself


def test_the_board_shows_what_is_new_and_says_so_politely(
    browser: Browser, service: Service
) -> None:
    first = report(service, summary="El primero", impact="minor")
    with person(browser, service) as support:
        support.stops_the_clock()
        support.signs_in()
        said = support.page.locator("#news")
        expect(said).to_have_attribute("role", "status")
        expect(said).to_be_empty()
        second = report(service, summary="El segundo", impact="critical")
        board_refreshes(support)
        lines = support.page.locator("[data-report] a")
        expect(lines).to_have_text(["El segundo", "El primero"])
        expect(said).to_have_text(re.compile(r"^Un aviso nuevo \(\d\d:\d\d\)\.$"))
        for number in range(2):
            report(service, summary=f"Otro {number}", impact="minor")
        with person(browser, service) as other:
            other.signs_in()
            other.opens(f"/desk/{second}")
            other.fills({"text": "Era un disco"})
            other.follows("[value=solve]")
        board_refreshes(support)
        expect(said).to_have_text(re.compile(r"^2 avisos nuevos \(\d\d:\d\d\)\.$"))
        expect(lines).to_have_text(["El primero", "Otro 0", "Otro 1"])
        assert first in (support.page.locator("[data-report]").first.get_attribute("data-report"),)


def test_the_focus_and_what_is_typed_and_opened_stay(browser: Browser, service: Service) -> None:
    references = [report(service, summary=f"Aviso {number}") for number in range(3)]
    with person(browser, service) as support:
        page = support.page
        support.stops_the_clock()
        support.signs_in()
        page.locator("#board summary").click()
        page.locator("details summary").last.click()
        page.locator("#q").press_sequentially("mu")
        report(service, summary="Nuevo", impact="critical")
        board_refreshes(support)
        expect(page.locator("[data-report]")).to_have_count(4)
        expect(page.locator("#q")).to_be_focused()
        page.keyboard.type("ñoz")
        expect(page.locator("#q")).to_have_value("muñoz")
        expect(page.locator("#board table")).to_be_visible()
        # The focus is on a line: it stays on it, wherever that is now.
        line = page.locator(f"[data-report={references[1]}] a")
        line.focus()
        report(service, summary="Más nuevo", impact="critical")
        board_refreshes(support)
        expect(page.locator("[data-report]")).to_have_count(5)
        expect(line).to_be_focused()
        # It is solved meanwhile: the focus is on the one that stands in its place, and not lost.
        service.sql("UPDATE report SET solved_at = saved_at WHERE reference = ?", references[1])
        board_refreshes(support)
        expect(page.locator(f"[data-report={references[2]}] a")).to_be_focused()
        expect(page.locator("#board table")).to_be_visible()
        # And on what opens the numbers.
        page.locator("#board summary").focus()
        report(service, summary="El último", service="email")
        board_refreshes(support)
        expect(page.locator("#board summary")).to_be_focused()


def test_a_board_whose_session_is_over_says_so_and_loses_nothing(
    browser: Browser, service: Service
) -> None:
    report(service)
    with person(browser, service) as support:
        page = support.page
        support.stops_the_clock()
        support.signs_in("ana")
        page.locator("details summary").last.click()
        page.locator("#q").fill("muñoz")
        service.run("staff", "disable", "ana")
        with page.expect_response(lambda answer: "/desk/sign-in" in answer.url):
            page.clock.run_for(20_000)
        expect(page.locator("#out")).to_be_visible()
        expect(page.get_by_role("alert")).to_contain_text("Su sesión ha terminado")
        expect(page.locator("#q")).to_have_value("muñoz")
        expect(page.locator("[data-report]")).to_have_count(1)
        support.follows("#out a")
        assert support.heading == "Iniciar sesión"


def test_without_a_connection_the_board_stays_and_goes_on_once_there_is_one(
    browser: Browser, service: Service
) -> None:
    report(service)
    with person(browser, service, service_workers="block") as support:
        page = support.page
        support.stops_the_clock()
        support.signs_in()
        page.route("**/desk", lambda route: route.abort())
        with page.expect_event("requestfailed"):
            page.clock.run_for(20_000)
        expect(page.locator("[data-report]")).to_have_count(1)
        page.unroute_all(behavior="wait")
        report(service, summary="Nuevo")
        board_refreshes(support)
        expect(page.locator("[data-report]")).to_have_count(2)


@pytest.mark.parametrize("scripts", [True, False])
def test_a_session_that_ends_while_support_types_loses_no_word(
    browser: Browser, service: Service, scripts: bool
) -> None:
    reference = report(service)
    with person(browser, service, scripts=scripts) as support:
        support.signs_in("ana")
        support.opens(f"/desk/{reference}")
        support.fills(
            {"text": "Hemos encontrado la causa.\nCambiamos el disco.", "next_news_at": soon()}
        )
        typed = support.typed("text", "next_news_at")
        service.run("staff", "disable", "ana")
        path = service.welcome("link", "ana")
        with person(browser, service, scripts=scripts) as elsewhere:  # a password is chosen there
            elsewhere.opens(path)
            elsewhere.page.locator("[name=password]").fill(PASSWORD)
            elsewhere.continues()
        support.follows("[value=message]")
        assert support.heading == "Iniciar sesión"
        support.fills({"email": "ana@example.com", "password": PASSWORD})
        support.continues()
        assert support.heading == reference
        assert support.typed("text", "next_news_at") == typed
        expect(support.page.get_by_text("está aquí de nuevo")).to_be_visible()
        support.follows("[value=message]")
        assert "Cambiamos el disco." in support.page.locator(".told").last.inner_text()
        support.reloads()
        assert support.typed("text") == {"text": ""}


def test_the_widths_of_a_phone_need_no_scrolling_sideways(
    browser: Browser, service: Service
) -> None:
    report(service, error_message=TRACE, summary="x" * 120)
    with person(browser, service, viewport=PHONE) as support:
        support.signs_in()
        assert support.overflow <= 0
        support.follows("[data-report] a")
        assert support.overflow <= 0


# What the customer sees meanwhile


def test_a_receipt_that_is_open_tells_by_itself_what_is_late_and_what_was_refused(
    browser: Browser, service: Service
) -> None:
    visitor = Visitor(service)
    receipt = visitor.report(started="just_now").path
    with person(browser, service) as customer:
        customer.opens(receipt)
        until(lambda: customer.reloads() or len(customer.states) == 2)
        promised = "UPDATE report SET next_news_at = ? WHERE reference = ?"
        service.sql(promised, "2026-01-01 10:00:00.000000", customer.reference)
        live = customer.page.locator("#live")
        expect(live).to_contain_text("y aún no ha llegado.")
        expect(live).to_contain_text("+34")
        service.refuses("acknowledgement", customer.reference)
        refused = customer.page.locator("#next .late")
        expect(refused).to_contain_text("ha rechazado nuestro mensaje")
        service.sql(promised, "2099-01-01 10:00:00.000000", customer.reference)
        expect(live).to_contain_text("Próxima actualización:")
        expect(live).not_to_contain_text("y aún no ha llegado.")
