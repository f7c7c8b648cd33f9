"""The desk in a real browser: for everybody, by keyboard, on a phone, and while it refreshes."""

from __future__ import annotations

import re
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from factories import parsed
from pages import PHONE, Person, person
from playwright.sync_api import Browser, expect
from provider import text_of
from running import Service, Visitor, running, until
from servers import SmtpServer, smtp_server
from test_after_send import Inspector, press, soon

PASSWORD = "un caballo lee el diario"
TRACE = (
    "traceroute to 192.0.2.1, 30 hops max\n 1  gw (10.0.0.1)      0.512 ms   0.430 ms\n" + "x" * 200
)
LONG = "No carga nada de la tienda, ni la portada ni el panel, desde la actualización de anoche"
SECONDS = 20_000  # on a busy machine


@pytest.fixture(scope="module")
def smtp() -> Iterator[SmtpServer]:
    with smtp_server() as server:
        yield server


@pytest.fixture
def service(smtp: SmtpServer, tmp_path: Path) -> Iterator[Service]:
    """One for each test: what a board shows is all there is."""
    with running(
        tmp_path,
        "serve",
        MAIL_SERVER="127.0.0.1",
        MAIL_PORT=smtp.port,
        RATELIMIT_ENABLED="false",
        WEB_PROCESSES=1,
    ) as service:
        yield service


def report(service: Service, /, **changes: str) -> str:
    """Somebody sends a report; its reference."""
    changes = {"started": "just_now", **changes}
    page = Visitor(service).report(**changes)
    found = re.search(r"INC-\w{6}", page.text)
    assert found, page.text
    return found[0]


def change(service: Service, statement: str, *values: str) -> None:
    """What would take hours to come about, or a mail server that refuses."""
    file = service.folder / "instance" / "reporter.db"
    with closing(sqlite3.connect(file, isolation_level=None, timeout=20)) as connection:
        connection.execute(statement, values)


def link_of(service: Service, *words: str) -> str:
    """The path of the one-time link that a command prints."""
    return service.run("staff", *words).strip().removeprefix(service.url)


def signed_in(support: Person, service: Service, name: str = "") -> None:
    """Somebody of support, by a link that works once."""
    name = name or f"ana-{secrets.token_hex(3)}"
    support.opens(link_of(service, "add", name, f"{name}@example.com"))
    support.page.locator("[name=password]").fill(PASSWORD)
    press(support)


def board_refreshes(support: Person) -> None:
    """Twenty seconds pass in the browser."""
    with support.page.expect_response(lambda answer: answer.url.endswith("/desk")):
        support.page.clock.run_for(20_000)


# For everybody


@pytest.mark.parametrize("language", ["es", "en"])
def test_every_page_of_the_desk_can_be_used_by_everybody_and_fits_a_phone(
    browser: Browser, service: Service, smtp: SmtpServer, language: str
) -> None:
    inspector = Inspector(language)
    with (
        person(browser, service, language) as customer,
        person(browser, service, language) as support,
    ):
        desk_tour(inspector.look, customer, support, service, smtp)
    assert not inspector.found, "\n".join(inspector.found)
    assert len(inspector.seen) == len(set(inspector.seen)) == 25


def desk_tour(
    look: Callable[[Person, str], None],
    customer: Person,
    support: Person,
    service: Service,
    smtp: SmtpServer,
) -> None:
    """Every page of support's, and of those who follow a known incident, in each of its states."""
    _signing_in(look, support, service)
    references = _board(look, support, service)
    _report(look, support, service, references)
    _known_incident(look, support)
    _followers(look, customer, smtp)


def _signing_in(look: Callable[[Person, str], None], support: Person, service: Service) -> None:
    support.opens(link_of(service, "add", "Ana", "ana@example.com"))
    look(support, "welcome")
    support.page.locator("[name=password]").fill("corta")
    press(support)
    look(support, "welcome, errors")
    support.page.locator("[name=password]").fill(PASSWORD)
    press(support)
    look(support, "board, empty")
    press(support, "[formaction='/desk/sign-out']")
    look(support, "sign in")
    press(support)
    look(support, "sign in, errors")
    support.fills({"email": "ana@example.com", "password": "otra cosa larga"})
    press(support)
    look(support, "sign in, wrong password")
    support.fills({"email": "ana@example.com", "password": PASSWORD})
    press(support)


def _board(look: Callable[[Person, str], None], support: Person, service: Service) -> list[str]:
    texts = {"error_message": TRACE, "summary": LONG, "email": "a" * 40 + "@example.com"}
    references = [
        report(service, **texts),
        report(service, service="email", impact="minor", phone="", preferred_channel="email"),
        report(service, impact="major", summary="Va lento"),
    ]
    support.opens("/desk")
    look(support, "board, nobody has seen them")
    support.opens(f"/desk/{references[2]}")
    support.fills({"text": "En ello", "next_news_at": soon()})
    press(support, "[value=message]")
    late = "UPDATE report SET next_news_at = '2026-01-01 10:00:00.000000' WHERE reference = ?"
    change(service, late, references[2])
    support.opens("/desk")
    support.page.locator("#board summary").click()
    look(support, "board, late, with its numbers")
    support.opens("/desk?state=late&service=web-hosting")
    look(support, "board, filtered")
    support.opens("/desk?q=nadie")
    look(support, "board, nothing found")
    return references


def _report(
    look: Callable[[Person, str], None], support: Person, service: Service, references: list[str]
) -> None:
    until(lambda: "sent" in service.run("outbox", "show", references[0]))
    support.opens(f"/desk/{references[0]}")
    look(support, "report, nobody has seen it")
    support.page.locator("[value=contact] >> xpath=ancestor::details/summary").click()
    support.fills({"email": "nadie", "phone": "12"})
    press(support, "[value=contact]")
    look(support, "report, contact errors")
    support.opens(f"/desk/{references[0]}")
    press(support, "[value=solve]")
    look(support, "report, solved without a cause?")
    for statement in (
        "UPDATE message SET state = 'failed', sent_at = NULL WHERE reference = ?"
        " AND kind = 'acknowledgement'",
        "UPDATE report SET unreachable_at = saved_at WHERE reference = ?",
    ):
        change(service, statement, references[2])
    support.opens(f"/desk/{references[2]}")
    look(support, "report, late, with a mail refused")
    support.fills({"text": "Seguimos en ello"})
    service.run("staff", "disable", "Ana")
    press(support, "[value=message]")
    support.opens(link_of(service, "link", "Ana"))
    support.page.locator("[name=password]").fill(PASSWORD)
    press(support)
    support.opens(f"/desk/{references[2]}")
    look(support, "report, what was typed before")


def _known_incident(look: Callable[[Person, str], None], support: Person) -> None:
    press(support, "a[href*='/desk/notices/new']")
    look(support, "open a known incident, with reports")
    support.fills({"text": "Cae el nodo 7", "next_news_at": soon()})
    support.page.locator("[name=report]").first.uncheck()
    press(support)
    look(support, "known incident, with reports left")
    support.fills({"text": "Cambiamos el disco\ny comprobamos", "next_news_at": soon()})
    press(support, "[value=update]")
    look(support, "known incident, told")
    support.opens("/desk")
    look(support, "board, a known incident")
    press(support, "form[action='/desk/call'] button:not([formaction])")
    look(support, "a call")
    support.opens("/desk")


def _followers(look: Callable[[Person, str], None], customer: Person, smtp: SmtpServer) -> None:
    address = f"seguidora-{secrets.token_hex(3)}@example.com"
    customer.opens("/")
    press(customer, ".notice:first-of-type a")
    customer.fills({"name": "Ana", "contact": address})
    press(customer)
    look(customer, "follower, counted")
    confirmation = until(lambda: [m for m in smtp.received if m.recipients == (address,)])[0]
    (path,) = set(re.findall(r"http\S+?(/notices/f/\S+)", text_of(parsed(confirmation.content))))
    customer.opens(path)
    look(customer, "follower, to confirm")
    press(customer, "[name=confirm]")
    look(customer, "follower, confirmed")
    press(customer, "main form button")
    look(customer, "follower, no more")
    customer.opens("/")
    press(customer, ".notice:first-of-type a")
    customer.fills({"name": "Ana", "contact": "600 000 009"})
    press(customer)
    customer.opens(path)
    look(customer, "follower, gone")


# By keyboard


def reaches(support: Person, selector: str) -> None:
    """Tab after Tab, to what can be seen to have the focus."""
    page = support.page
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            outline = "getComputedStyle(document.activeElement.closest('.option') ??"
            outline += " document.activeElement).outlineStyle"
            assert page.evaluate(outline) == "solid", f"no focus to be seen on {selector}"
            return
    raise AssertionError(f"Tab does not reach {selector}")


def test_support_works_with_the_keyboard_alone(browser: Browser, service: Service) -> None:
    references = [report(service, summary=f"Aviso {number}") for number in range(2)]
    with person(browser, service) as support:
        page = support.page

        def enters(selector: str) -> None:
            reaches(support, selector)
            with page.expect_navigation():
                page.keyboard.press("Enter")

        support.opens(link_of(service, "add", "Ana", "ana@example.com"))
        reaches(support, "[name=password]")
        page.keyboard.type(PASSWORD)
        with page.expect_navigation():
            page.keyboard.press("Enter")
        assert support.path == "/desk"
        # The first links are the way out and the list: what is most pressing is four presses away.
        enters(f"a[href='/desk/{references[0]}']")
        enters("[value=acknowledge]")
        assert "Visto" in support.text
        reaches(support, "[name=text]")
        page.keyboard.type("En ello")
        reaches(support, "[name=next_news_at]")
        page.keyboard.type(soon())
        # Enter in a line of text chooses nothing that cannot be taken back.
        with page.expect_navigation():
            page.keyboard.press("Enter")
        assert support.errors == ["Elija qué hacer"]
        assert support.typed("text") == {"text": "En ello"}
        enters("[value=message]")
        assert "En ello" in support.text
        enters("a[href*='/desk/notices/new']")
        reaches(support, "[name=text]")
        page.keyboard.type("Cae el nodo 7")
        reaches(support, f"[value='{references[0]}']")
        page.keyboard.press("Space")
        enters("main .actions .primary")
        assert page.locator("dl.answers dd").first.inner_text() == "1"
        enters("[formaction='/desk/sign-out']")
        assert support.heading == "Iniciar sesión"
        reaches(support, "[name=email]")
        page.keyboard.type("ana@example.com")
        reaches(support, "[name=password]")
        page.keyboard.type(PASSWORD)
        with page.expect_navigation():
            page.keyboard.press("Enter")
        assert support.path == "/desk"


def test_on_a_phone_the_list_comes_first(browser: Browser, service: Service) -> None:
    """Of a report the button does: support is woken at three, and has one hand."""
    reference = report(service)
    with person(browser, service, viewport={"width": 360, "height": 740}, colors="dark") as support:
        signed_in(support, service)
        line = support.page.locator(f"[data-report={reference}] a")
        search = support.page.locator("form[role=search]")
        expect(line).to_be_in_viewport()
        expect(search).to_be_hidden()
        assert line.bounding_box()["y"] < 300  # type: ignore[index]
        press(support, f"[data-report={reference}] a")
        expect(support.page.locator("[value=acknowledge]")).to_be_in_viewport()
        assert "–" not in support.page.locator("dl.answers dd").all_inner_texts()


# As it refreshes itself


def test_the_board_shows_what_is_new_and_says_so_politely(
    browser: Browser, service: Service
) -> None:
    first = report(service, summary="El primero", impact="minor")
    with person(browser, service) as support:
        support.page.clock.install()
        signed_in(support, service)
        said = support.page.locator("#news")
        expect(said).to_have_attribute("role", "status")
        expect(said).to_be_empty()
        second = report(service, summary="El segundo", impact="critical")
        board_refreshes(support)
        lines = support.page.locator("[data-report] a")
        expect(lines).to_have_text(["El segundo", "El primero"])
        expect(said).to_have_text(re.compile(r"^Un aviso nuevo a las \d\d:\d\d\.$"))
        for number in range(2):
            report(service, summary=f"Otro {number}", impact="minor")
        with person(browser, service) as other:
            signed_in(other, service)
            other.opens(f"/desk/{second}")
            other.fills({"text": "Era un disco"})
            press(other, "[value=solve]")
        board_refreshes(support)
        expect(said).to_have_text(re.compile(r"^2 avisos nuevos a las \d\d:\d\d\.$"))
        expect(lines).to_have_text(["El primero", "Otro 0", "Otro 1"])
        assert first in (support.page.locator("[data-report]").first.get_attribute("data-report"),)


def test_the_focus_and_what_is_typed_and_opened_stay(browser: Browser, service: Service) -> None:
    references = [report(service, summary=f"Aviso {number}") for number in range(3)]
    with person(browser, service) as support:
        page = support.page
        page.clock.install()
        signed_in(support, service)
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
        change(service, "UPDATE report SET solved_at = saved_at WHERE reference = ?", references[1])
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
        page.clock.install()
        signed_in(support, service, "ana")
        page.locator("details summary").last.click()
        page.locator("#q").fill("muñoz")
        service.run("staff", "disable", "ana")
        with page.expect_response(lambda answer: "/desk/sign-in" in answer.url):
            page.clock.run_for(20_000)
        expect(page.locator("#out")).to_be_visible()
        expect(page.get_by_role("alert")).to_contain_text("Su sesión ha terminado")
        expect(page.locator("#q")).to_have_value("muñoz")
        expect(page.locator("[data-report]")).to_have_count(1)
        press(support, "#out a")
        assert support.heading == "Iniciar sesión"


def test_without_a_connection_the_board_stays_and_goes_on_once_there_is_one(
    browser: Browser, service: Service
) -> None:
    report(service)
    with person(browser, service, service_workers="block") as support:
        page = support.page
        page.clock.install()
        signed_in(support, service)
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
        signed_in(support, service, "ana")
        support.opens(f"/desk/{reference}")
        support.fills(
            {"text": "Hemos encontrado la causa.\nCambiamos el disco.", "next_news_at": soon()}
        )
        typed = support.typed("text", "next_news_at")
        service.run("staff", "disable", "ana")
        path = link_of(service, "link", "ana")
        with person(browser, service, scripts=scripts) as elsewhere:  # a password is chosen there
            elsewhere.opens(path)
            elsewhere.page.locator("[name=password]").fill(PASSWORD)
            press(elsewhere)
        press(support, "[value=message]")
        assert support.heading == "Iniciar sesión"
        support.fills({"email": "ana@example.com", "password": PASSWORD})
        press(support)
        assert support.heading == reference
        assert support.typed("text", "next_news_at") == typed
        expect(support.page.get_by_text("está aquí de nuevo")).to_be_visible()
        press(support, "[value=message]")
        assert "Cambiamos el disco." in support.page.locator(".told").last.inner_text()
        support.reloads()
        assert support.typed("text") == {"text": ""}


def test_the_widths_of_a_phone_need_no_scrolling_sideways(
    browser: Browser, service: Service
) -> None:
    report(service, error_message=TRACE, summary="x" * 120)
    with person(browser, service, viewport=PHONE) as support:
        signed_in(support, service)
        assert support.overflow <= 0
        press(support, "[data-report] a")
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
        change(service, promised, "2026-01-01 10:00:00.000000", customer.reference)
        live = customer.page.locator("#live")
        expect(live).to_contain_text("y aún no ha llegado.", timeout=SECONDS)
        expect(live).to_contain_text("+34")
        change(
            service,
            "UPDATE message SET state = 'failed' WHERE kind = 'acknowledgement' AND reference = ?",
            customer.reference,
        )
        refused = customer.page.locator("#next .late")
        expect(refused).to_contain_text("ha rechazado nuestro mensaje", timeout=SECONDS)
        change(service, promised, "2099-01-01 10:00:00.000000", customer.reference)
        expect(live).to_contain_text("Próxima actualización:", timeout=SECONDS)
        expect(live).not_to_contain_text("y aún no ha llegado.")
