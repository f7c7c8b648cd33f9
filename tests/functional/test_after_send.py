"""What comes after "send" in a real browser and over real SMTP: screenshots, support, everybody."""

from __future__ import annotations

import base64
import io
import os
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from axe_playwright_python.sync_playwright import Axe
from factories import parsed
from pages import DESKTOP, PHONE, Person, person
from PIL import Image
from playwright.sync_api import Browser, JSHandle, Locator, Route, expect
from provider import a_picture, block_of, text_of
from running import Service, Visitor, running, until
from servers import SmtpServer, smtp_server
from test_form_access import OVERFLOW, SMALL, SPACED

PNG = a_picture("PNG", "blue")
GIF = a_picture("GIF")
LOG = "502 Bad Gateway\nnginx/1.24.0 – año\n"


@pytest.fixture(scope="module")
def smtp() -> Iterator[SmtpServer]:
    with smtp_server() as server:
        yield server


@pytest.fixture(scope="module")
def service(smtp: SmtpServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(
        tmp_path_factory.mktemp("service"),
        "serve",
        MAIL_SERVER="127.0.0.1",
        MAIL_PORT=smtp.port,
        RATELIMIT_ENABLED="false",
        WEB_PROCESSES=1,
    ) as service:
        yield service


@pytest.fixture
def customer(browser: Browser, service: Service) -> Iterator[Person]:
    with person(browser, service, service_workers="block") as customer:
        yield customer


UPDATE = "form[action$='#add'] button"


def reports(customer: Person, **changes: str) -> tuple[str, str]:
    """Sends a report, and opens its receipt; its path and its reference."""
    visitor = Visitor(customer.service, customer.language)
    receipt = visitor.report(started="just_now", **changes).path
    customer.opens(receipt)
    return receipt, customer.reference


def press(someone: Person, button: str = "main button.primary") -> None:
    """Press a button that sends a form, and wait for the page that comes."""
    with someone.page.expect_navigation():
        someone.page.locator(button).click()


def soon() -> str:
    """A time of the clock in support's zone that is still to come."""
    return (datetime.now(ZoneInfo("Europe/Madrid")) + timedelta(hours=2)).strftime("%H:%M")


def pick(customer: Person, *files: tuple[str, bytes]) -> None:
    """Choose files by the browser's own dialog."""
    kind = "application/octet-stream"
    chosen = [{"name": name, "mimeType": kind, "buffer": content} for name, content in files]
    customer.page.locator("input[type=file]").set_input_files(chosen)


def mail_to_support(smtp: SmtpServer, reference: str, number: int = 0) -> EmailMessage:
    """The ticket, or follow-up *number*, once the relay has it."""

    def arrived() -> list[EmailMessage]:
        name = f"Message-ID: <{reference}.{number}.".encode()
        return [parsed(mail.content) for mail in smtp.received if name in mail.content]

    return until(arrived)[0]


def confirmation(smtp: SmtpServer, service: Service, address: str) -> str:
    """The path at which a follower confirms *address*, from the latest mail that asks for it."""

    def asked() -> list[str]:
        mails = [parsed(mail.content) for mail in smtp.received]
        texts = [text_of(mail) for mail in mails if mail["To"] == address]
        return re.findall(rf"{service.url}(/notices/f/\S+)", "\n".join(texts))

    return until(asked)[-1]


def desk_of(smtp: SmtpServer, service: Service, reference: str) -> str:
    """The path of the desk, from the ticket."""
    text = text_of(mail_to_support(smtp, reference))
    found = re.search(rf"{service.url}(/desk/\S+)", text)
    assert found
    return found[1]


def signed_in(support: Person, service: Service) -> None:
    """Somebody of support, by a link that works once."""
    name = f"{support.language} {secrets.token_hex(3)}"
    link = service.run("staff", "add", name, f"{name.replace(' ', '-')}@example.com")
    support.opens(link.strip().removeprefix(service.url))
    support.page.locator("[name=password]").fill("un caballo lee el diario")
    press(support)


def files_in(mail: EmailMessage) -> dict[str, bytes]:
    return {str(part.get_filename()): part.get_content() for part in mail.iter_attachments()}


def kept(customer: Person) -> Locator:
    """The files that we have, with what can be done with each."""
    return customer.page.locator(".files li")


def status(customer: Person) -> Locator:
    """What is said of those that are on their way."""
    return customer.page.locator("#files [role=status]")


@contextmanager
def held(customer: Person, path: str, *, lose: bool = False) -> Iterator[None]:
    """Hold the first request for *path* back until the end; the page is still where it was.

    Then let it go on, or *lose* it.
    """
    routes: list[Route] = []
    customer.page.route(f"**{path}", lambda route: routes.append(route), times=1)
    yield
    until(lambda: customer.page.title() and routes)  # asking for the title lets the request in
    assert customer.path == path
    if lose:
        routes[0].abort()
    else:
        routes[0].continue_()


def chosen(customer: Person) -> list[str]:
    """What the browser would send with the page."""
    names = "[...document.querySelector('input[type=file]').files].map(file => file.name)"
    return list(customer.page.evaluate(names))


def transfer(customer: Person, name: str, kind: str, content: bytes) -> JSHandle:
    """What the browser has in hand when a file is dragged."""
    return customer.page.evaluate_handle(
        """([name, type, content]) => {
            const bytes = Uint8Array.from(atob(content), (c) => c.charCodeAt(0));
            const all = new DataTransfer();
            all.items.add(new File([bytes], name, { type }));
            return all;
        }""",
        [name, kind, base64.b64encode(content).decode()],
    )


# Screenshots


def test_a_screenshot_is_pasted_and_reaches_support(customer: Person, smtp: SmtpServer) -> None:
    receipt, reference = reports(customer)
    customer.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    customer.opens(f"{receipt}/details/evidence")
    expect(customer.page.locator(".pasting")).to_be_visible()
    customer.page.evaluate(
        """async (content) => {
            const bytes = Uint8Array.from(atob(content), (c) => c.charCodeAt(0));
            const picture = new Blob([bytes], { type: "image/png" });
            await navigator.clipboard.write([new ClipboardItem({ "image/png": picture })]);
        }""",
        base64.b64encode(PNG).decode(),
    )
    customer.question("tests_done").fill("Reiniciar: igual")
    customer.question("tests_done").press("Control+V")
    expect(kept(customer)).to_contain_text(["image.png"])
    assert customer.typed("tests_done") == {"tests_done": "Reiniciar: igual"}
    for _ in range(3):
        press(customer)
    assert customer.path == f"{receipt}/details/review"
    assert "image.png" in customer.text
    press(customer)
    assert "Hemos guardado sus detalles y van camino del equipo de soporte." in customer.text
    mail = mail_to_support(smtp, reference, 1)
    content = files_in(mail)[f"{reference}-1-image.png"]
    picture = Image.open(io.BytesIO(content))
    assert (picture.format, picture.size) == ("PNG", (64, 48))
    assert picture.convert("RGB").getpixel((1, 1)) == (0, 0, 255)
    assert "Reiniciar: igual" in text_of(mail)


def test_pasted_text_is_text(customer: Person) -> None:
    receipt, _reference = reports(customer)
    customer.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    customer.opens(f"{receipt}/details/evidence")
    customer.page.evaluate("navigator.clipboard.writeText('502 Bad Gateway')")
    customer.question("tests_done").press("Control+V")
    expect(customer.question("tests_done")).to_have_value("502 Bad Gateway")
    assert chosen(customer) == []
    expect(kept(customer)).to_have_count(0)


def test_files_are_dropped_anywhere_and_join_those_that_were_picked(
    customer: Person, smtp: SmtpServer
) -> None:
    receipt, reference = reports(customer)
    customer.opens(f"{receipt}/details/evidence")
    pick(customer, ("nginx.log", LOG.encode()))
    for target, name, content in (("body", "uno.png", PNG), ("main h1", "dos.gif", GIF)):
        handle = transfer(customer, name, "image/png", content)
        customer.page.dispatch_event(target, "dragover", {"dataTransfer": handle})
        customer.page.dispatch_event(target, "drop", {"dataTransfer": handle})
    expect(kept(customer)).to_contain_text(["nginx.log", "uno.png", "dos.gif"])
    assert chosen(customer) == []
    customer.opens(f"{receipt}/details/review")
    press(customer)
    files = files_in(mail_to_support(smtp, reference, 1))
    assert files[f"{reference}-1-nginx.txt"] == LOG.encode()
    assert files[f"{reference}-2-uno.png"] == PNG
    assert files[f"{reference}-3-dos.gif"] == GIF


def test_a_kept_file_is_given_back_as_a_download(customer: Person) -> None:
    receipt, reference = reports(customer)
    customer.opens(f"{receipt}/details/evidence")
    page_of_theirs = b"<script>alert(1)</script>"
    pick(customer, ("p.html", page_of_theirs))
    press(customer)
    customer.opens(receipt)
    with customer.page.expect_download() as download:
        customer.page.get_by_role("link", name="p.html").click()
    assert download.value.suggested_filename == f"{reference}-1-p.txt"
    assert download.value.path().read_bytes() == page_of_theirs
    assert customer.path == receipt


def test_files_that_do_not_fit_are_told_of_before_anything_is_sent(
    customer: Person, tmp_path: Path
) -> None:
    receipt, _reference = reports(customer)
    customer.opens(f"{receipt}/details/evidence")
    customer.question("hypothesis").fill("el proxy")
    pick(customer, ("nginx.log", LOG.encode()))
    expect(kept(customer)).to_contain_text(["nginx.log"])
    photos = [tmp_path / f"IMG_{number}.JPG" for number in (1, 2, 3)]
    for photo in photos:
        photo.touch()
        os.truncate(photo, 45_000_000)
    customer.page.route("**/details/evidence", lambda route: route.abort())
    customer.page.locator("input[type=file]").set_input_files(photos)
    told = customer.page.locator("[role=alert] .error")
    rule = "no cabe: los archivos de ese tipo pueden ocupar 67,1 MB en total. Envíe una parte"
    expect(told).to_have_text([f"IMG_2.JPG {rule}", f"IMG_3.JPG {rule}"])
    assert chosen(customer) == ["IMG_1.JPG"]
    assert customer.typed("hypothesis") == {"hypothesis": "el proxy"}
    assert customer.path == f"{receipt}/details/evidence"
    pick(customer, ("uno.png", PNG))
    expect(told).to_have_count(0)
    assert chosen(customer) == ["IMG_1.JPG", "uno.png"]


def test_a_file_is_kept_as_soon_as_it_is_chosen(customer: Person) -> None:
    receipt, _reference = reports(customer)
    customer.opens(f"{receipt}/details/evidence")
    customer.question("hypothesis").fill("el proxy")
    pick(customer, ("uno.png", PNG))
    expect(kept(customer)).to_contain_text(["uno.png"])
    assert customer.errors == []
    customer.opens(f"{receipt}/details/evidence")
    expect(kept(customer)).to_contain_text(["uno.png"])
    assert customer.typed("hypothesis") == {"hypothesis": "el proxy"}
    press(customer, ".files button")
    expect(kept(customer)).to_have_count(0)


def test_a_file_that_cannot_be_taken_is_told_of_as_soon_as_it_is_chosen(customer: Person) -> None:
    receipt, _reference = reports(customer)
    customer.opens(f"{receipt}/details/evidence")
    customer.question("last_worked_at").fill("2199-01-01T00:00")
    pick(customer, ("uno.png", PNG), ("virus.exe", b"MZ\0\0"))
    rule = "virus.exe es de un tipo que no aceptamos (EXE): póngalo en un archivo ZIP"
    expect(customer.page.locator("main .error")).to_contain_text([rule])
    field = customer.question("files")
    expect(field).to_have_accessible_description(re.compile(f"{re.escape(rule)}$"))
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(customer.page.locator("#files")).to_have_class("question wrong")
    expect(kept(customer)).to_contain_text(["uno.png"])
    assert chosen(customer) == []
    pick(customer, ("dos.gif", GIF))
    expect(kept(customer)).to_contain_text(["uno.png", "dos.gif"])
    expect(customer.page.locator("main .error")).to_have_count(0)
    expect(field).to_have_attribute("aria-invalid", "false")
    expect(customer.page.locator("#files")).to_have_class("question")


def test_a_file_chosen_while_another_is_being_kept_is_kept_after_it(customer: Person) -> None:
    receipt, _reference = reports(customer)
    customer.opens(f"{receipt}/details/evidence")
    with held(customer, f"{receipt}/details/evidence"):
        pick(customer, ("uno.png", PNG))
        expect(status(customer)).to_have_text("Guardando los archivos…")
        pick(customer, ("dos.gif", GIF))
    expect(kept(customer)).to_contain_text(["uno.png", "dos.gif"])
    expect(status(customer)).to_be_empty()


def test_a_file_that_could_not_be_kept_is_kept_with_the_next(customer: Person) -> None:
    receipt, _reference = reports(customer)
    customer.opens(f"{receipt}/details/evidence")
    with held(customer, f"{receipt}/details/evidence", lose=True):
        pick(customer, ("uno.png", PNG))
        expect(status(customer)).to_have_text("Guardando los archivos…")
        pick(customer, ("dos.gif", GIF))
    expect(kept(customer)).to_contain_text(["uno.png", "dos.gif"])
    assert chosen(customer) == []


def test_going_on_stays_where_a_file_turns_out_to_be_refused(customer: Person) -> None:
    receipt, _reference = reports(customer)
    customer.opens(f"{receipt}/details/evidence")
    with held(customer, f"{receipt}/details/evidence"):
        pick(customer, ("virus.exe", b"MZ\0\0"))
        customer.page.locator("main button.primary").click()
    expect(customer.question("files")).to_be_focused()
    expect(customer.page.locator("main .error")).to_contain_text(["virus.exe"])
    assert customer.path == f"{receipt}/details/evidence"
    press(customer)
    assert customer.path == f"{receipt}/details/impact"


def test_a_file_is_removed_while_another_is_being_kept(customer: Person) -> None:
    receipt, _reference = reports(customer)
    customer.opens(f"{receipt}/details/evidence")
    pick(customer, ("uno.png", PNG))
    expect(kept(customer)).to_contain_text(["uno.png"])
    with customer.page.expect_navigation(), held(customer, f"{receipt}/details/evidence"):
        pick(customer, ("dos.gif", GIF))
        customer.page.locator(".files button").click()
    expect(kept(customer)).to_contain_text(["dos.gif"])


def test_going_on_waits_for_what_is_being_kept_and_sends_it_once(customer: Person) -> None:
    receipt, _reference = reports(customer)
    customer.opens(f"{receipt}/details/evidence")
    sent: list[bytes] = []
    customer.page.on("request", lambda request: sent.append(request.post_data_buffer or b""))
    with customer.page.expect_navigation(), held(customer, f"{receipt}/details/evidence"):
        pick(customer, ("uno.png", PNG))
        expect(status(customer)).to_have_text("Guardando los archivos…")
        customer.page.locator("main button.primary").click()
    assert customer.path == f"{receipt}/details/impact"
    assert [PNG in body for body in sent if b"tests_done" in body] == [True, False]


def test_a_file_chosen_without_a_connection_goes_with_the_page(customer: Person) -> None:
    receipt, _reference = reports(customer)
    customer.opens(f"{receipt}/details/evidence")
    customer.page.route("**/details/evidence", lambda route: route.abort())
    with customer.page.expect_event("requestfailed"):
        pick(customer, ("uno.png", PNG))
    expect(status(customer)).to_contain_text("Siguen aquí y se enviarán con esta página.")
    assert chosen(customer) == ["uno.png"]
    customer.page.unroute_all(behavior="wait")
    press(customer)
    customer.goes_back()
    expect(kept(customer)).to_contain_text(["uno.png"])


def test_without_scripts_files_that_do_not_fit_are_refused_beside_their_field(
    browser: Browser, service: Service, tmp_path: Path
) -> None:
    with person(browser, service, scripts=False) as customer:
        receipt, _reference = reports(customer)
        customer.opens(f"{receipt}/details/evidence")
        customer.question("hypothesis").fill("el proxy")
        manual = tmp_path / "manual.pdf"
        manual.write_bytes(b"%PDF-1.7\n" + b"x" * 30_000_000)
        customer.page.locator("input[type=file]").set_input_files(manual)
        press(customer)
        assert customer.errors == [
            "manual.pdf no cabe: los archivos pueden ocupar 6,8 MB en total. Redúzcalo o póngalo "
            "en un archivo ZIP"
        ]
        assert customer.typed("hypothesis") == {"hypothesis": "el proxy"}


# Without scripts


def test_the_whole_second_stage_works_without_scripts(
    browser: Browser, service: Service, smtp: SmtpServer
) -> None:
    with person(browser, service, scripts=False) as customer:
        receipt, reference = reports(customer)
        press(customer, "main a.primary")
        assert customer.path == f"{receipt}/details/evidence"
        expect(customer.page.locator(".pasting")).to_be_hidden()
        customer.fills({"last_worked_at": "2199-01-01T00:00", "hypothesis": "el proxy"})
        pick(customer, ("uno.png", PNG), ("dos.log", LOG.encode()))
        press(customer)
        assert customer.errors == ["Esa hora aún no ha llegado. Revise la fecha"]
        assert customer.page.locator(".files li").count() == 2
        customer.fills({"last_worked_at": ""})
        press(customer, ".files li:last-child button")
        assert customer.page.locator(".files li").count() == 1
        assert customer.typed("hypothesis") == {"hypothesis": "el proxy"}
        press(customer)
        customer.fills({"users_affected": "40", "workaround": "yes", "deadline": "18:00"})
        customer.fills({"workaround_description": "por teléfono"})
        press(customer)
        for action in ("reboot", "call_first"):
            customer.page.locator(f"[name=allowed_actions][value={action}]").check()
        customer.fills({"security_suspected": "unknown"})
        press(customer)
        assert customer.path == f"{receipt}/details/review"
        for said in ("40", "por teléfono", "el proxy", "uno.png", "Llamarme antes de nada"):
            assert said in customer.text
        press(customer)
        assert customer.path == receipt
        mail = mail_to_support(smtp, reference, 1)
        block = block_of(mail)
        assert block["users_affected"] == "40"
        assert block["allowed_actions"] == "reboot, call_first"
        assert block["security_suspected"] == "unknown"
        assert files_in(mail)[f"{reference}-1-uno.png"] == PNG
        assert mail["In-Reply-To"] == mail_to_support(smtp, reference)["Message-ID"]
        customer.page.locator("[name=kind][value=solved]").check()
        press(customer, UPDATE)
        assert customer.states[-1] == "Solucionado"


def test_enter_in_a_line_of_text_continues_and_removes_nothing(customer: Person) -> None:
    receipt, _reference = reports(customer)
    customer.opens(f"{receipt}/details/evidence")
    pick(customer, ("uno.png", PNG))
    press(customer)
    press(customer, ".back button")
    with customer.page.expect_navigation():
        customer.presses_enter_in("last_worked_at")
    assert customer.path == f"{receipt}/details/impact"
    press(customer, ".back button")
    assert "uno.png" in customer.text


# Support


def test_what_support_presses_is_on_the_receipt(
    browser: Browser, service: Service, smtp: SmtpServer, customer: Person
) -> None:
    receipt, reference = reports(customer)
    until(lambda: customer.reloads() or customer.states == ["Guardado", "Enviado"])
    with person(browser, service) as support:
        signed_in(support, service)
        support.opens(desk_of(smtp, service, reference))
        assert support.heading == reference
        customer.reloads()
        assert customer.states == ["Guardado", "Enviado"]  # looking is not pressing
        press(support, "[value=acknowledge]")
        # From here on the receipt, which is open, shows it by itself.
        told = customer.page.locator("#live")
        done = customer.page.locator(".states .done b")
        expect(done).to_have_text(["Guardado", "Enviado", "Visto"], timeout=20_000)
        next_news = soon()
        support.fills({"text": "Hemos encontrado la causa.", "next_news_at": next_news})
        press(support, "[value=message]")
        expect(told).to_contain_text("Hemos encontrado la causa.", timeout=20_000)
        expect(told).to_contain_text(re.compile(rf"Próxima actualización: \d+ \w+ \d+ {next_news}"))
        support.fills({"text": "Era un disco lleno."})
        press(support, "[value=solve]")
        expect(done.last).to_have_text("Solucionado", timeout=20_000)
        expect(told).not_to_contain_text("Próxima actualización")
        log = re.findall(r"([^\d\n]+) \d+ \w+ \d+ [\d:]+ · es \w{6}", support.text)
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
    receipt, reference = reports(customer, email="news@example.com")
    press(customer, "[name=wanted]")
    assert "Le enviaremos un correo cuando haya una actualización." in customer.text
    with person(browser, service) as support:
        signed_in(support, service)
        support.opens(desk_of(smtp, service, reference))
        support.fills({"text": "Hemos encontrado la causa."})
        press(support, "[value=message]")
    name = f"Message-ID: <{reference}.news-".encode()
    (mail,) = until(lambda: [m for m in smtp.received if name in m.content])
    assert mail.recipients == ("news@example.com",)
    assert "Hemos encontrado la causa." in text_of(parsed(mail.content))
    assert f"{service.url}{receipt}" in text_of(parsed(mail.content))


def test_an_update_and_the_details_that_follow_are_one_mail(
    smtp: SmtpServer, customer: Person
) -> None:
    """An update waits a minute for more; details are sent at once, with what waits."""
    receipt, reference = reports(customer)
    customer.page.locator("[name=kind][value=worse]").check()
    customer.question("text").fill("Ahora tampoco hay correo")
    press(customer, UPDATE)
    assert "Va peor" in customer.text
    customer.opens(f"{receipt}/details/impact")
    customer.fills({"users_affected": "40"})
    press(customer)
    customer.opens(f"{receipt}/details/review")
    press(customer)
    mail = mail_to_support(smtp, reference, 1)
    assert block_of(mail)["news"] == "worse, details"
    assert "| Ahora tampoco hay correo\n" in text_of(mail)


# Everybody


class Inspector:
    """Looks at pages as they come: by axe, by day and by night, on a phone, and enlarged."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.seen: list[str] = []
        self.found: list[str] = []
        self.axe = Axe()

    def look(self, someone: Person, name: str) -> None:
        page = someone.page
        self.seen.append(name)
        if page.locator("html").get_attribute("lang") != self.language:
            self.found.append(f"{name}: in another language")
        self._note(name, self.axe.run(page).response)
        page.emulate_media(color_scheme="dark")
        dark = page.evaluate("axe.run({ runOnly: ['color-contrast'] })")  # it is in the page now
        self._note(f"{name}, dark", dark)
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(PHONE)
        if someone.overflow > 0:
            self.found.append(f"{name}: wider than a phone by {someone.overflow} pixels")
        found = page.evaluate(OVERFLOW) + page.evaluate(SMALL)
        page.set_viewport_size({"width": 360, "height": 740})
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        found += [f"{each} (200 %, phone)" for each in page.evaluate(OVERFLOW)]
        page.evaluate("document.documentElement.style.fontSize = ''")
        page.set_viewport_size({"width": 640, "height": 900})
        page.evaluate(SPACED)
        found += [f"{each} (200 %)" for each in page.evaluate(OVERFLOW)]
        page.evaluate("document.adoptedStyleSheets = []")
        page.set_viewport_size(DESKTOP)
        self.found += [f"{name}: {each}" for each in found]

    def _note(self, name: str, response: dict[str, Any]) -> None:
        for violation in response["violations"]:
            where = " ".join(node["html"] for node in violation["nodes"])
            self.found.append(f"{name}: {violation['id']}: {where}")


@pytest.mark.parametrize("language", ["es", "en"])
def test_every_page_after_send_can_be_used_by_everybody_and_fits_a_phone(
    browser: Browser, service: Service, smtp: SmtpServer, language: str
) -> None:
    inspector = Inspector(language)
    with (
        person(browser, service, language) as customer,
        person(browser, service, language) as support,
    ):
        walk(inspector.look, customer, support, service, smtp, language)
    assert not inspector.found, "\n".join(inspector.found)
    assert len(inspector.seen) == len(set(inspector.seen)) == 36


def walk(
    look: Callable[[Person, str], None],
    customer: Person,
    support: Person,
    service: Service,
    smtp: SmtpServer,
    language: str,
) -> None:
    """Every page there is after "send", in each of its states."""
    receipt, reference = reports(customer, email=f"{language}@example.com", service="database")
    until(lambda: customer.reloads() or len(customer.states) == 2)
    look(customer, "receipt, sent")
    _details(look, customer, receipt)
    support.opens("/desk")
    look(support, "sign in")
    signed_in(support, service)
    look(support, "board")
    _desk(look, customer, support, desk_of(smtp, service, reference), receipt)
    _notices(look, customer, support, smtp)
    support.opens("/desk")
    press(support, "form[action='/desk/call'] button:not([formaction])")
    support.opens("/")
    look(support, "operator, start")
    support.opens("/report/failure")
    look(support, "operator, step")
    support.opens("/desk/welcome/x")
    look(support, "link that does not work")


def _details(look: Callable[[Person, str], None], customer: Person, receipt: str) -> None:
    customer.opens(f"{receipt}/details/review")
    look(customer, "details review, empty")
    customer.opens(f"{receipt}/details/evidence")
    look(customer, "evidence")
    customer.fills({"last_worked_at": "2199-01-01T00:00", "tests_done": "pass=Xk4!pz92"})
    pick(customer, (f"captura-{'larga-' * 12}.png", PNG), ("todo.zip", b"PK\x03\x04\x00"))
    expect(kept(customer)).to_have_count(1)
    look(customer, "evidence, a file kept and one refused")
    press(customer)
    look(customer, "evidence, errors and files")
    customer.fills({"last_worked_at": ""})
    press(customer)
    look(customer, "impact")
    customer.fills({"users_affected": "x" * 201, "workaround": "yes"})
    press(customer)
    look(customer, "impact, errors")
    customer.fills({"users_affected": "40", "workaround_description": "a" * 300})
    press(customer)
    look(customer, "authorisation")
    customer.fills({"authorised_by": "x" * 201, "security_suspected": "unknown"})
    press(customer)
    look(customer, "authorisation, errors")
    customer.fills({"authorised_by": "Ana"})
    press(customer)
    look(customer, "details review")
    customer.page.evaluate("document.querySelector('#send [name=csrf_token]').value = 'stale'")
    press(customer)
    look(customer, "details review, again")
    press(customer)
    look(customer, "receipt, details sent")
    press(customer, UPDATE)
    look(customer, "receipt, errors")


def _desk(
    look: Callable[[Person, str], None], customer: Person, support: Person, desk: str, receipt: str
) -> None:
    support.opens(desk)
    look(support, "desk")
    support.fills({"next_news_at": "pronto"})
    press(support, "[value=message]")
    look(support, "desk, errors")
    support.fills({"text": "Hemos encontrado la causa.", "next_news_at": soon()})
    press(support, "[value=message]")
    customer.opens(receipt)
    press(customer, "[name=wanted]")
    customer.page.locator("[name=kind][value=worse]").check()
    customer.question("text").fill("Ahora tampoco hay correo\n" + "x" * 300)
    press(customer, UPDATE)
    look(customer, "receipt, seen and news")
    press(support, "a[href*='/desk/notices/new']")
    look(support, "open notice")
    support.fills({"started_at": "pronto"})
    press(support)
    look(support, "open notice, errors")
    support.page.go_back()
    support.fills({"text": "Cae el nodo 7", "next_news_at": soon()})
    press(support)
    look(support, "desk of a notice")
    press(support, "[value=update]")
    look(support, "desk of a notice, errors")
    support.opens(desk)
    press(support, "[value=link_notice]")
    support.fills({"text": "Era un disco lleno."})
    press(support, "[value=solve]")
    look(support, "desk, done")
    customer.opens(receipt)
    look(customer, "receipt, solved and linked")


def _notices(
    look: Callable[[Person, str], None], customer: Person, support: Person, smtp: SmtpServer
) -> None:
    customer.opens("/")
    look(customer, "start, with a notice")
    customer.opens("/report/failure")
    look(customer, "failure, with a notice")
    customer.opens("/")
    press(customer, ".notice:first-of-type a")
    look(customer, "notice")
    notice = customer.path
    customer.fills({"contact": "nobody"})
    press(customer)
    look(customer, "notice, errors")
    customer.fills({"name": "Ana", "contact": "ana@example.com"})
    press(customer)
    look(customer, "follower")
    customer.opens(confirmation(smtp, customer.service, "ana@example.com"))
    press(customer, "[name=confirm]")
    customer.opens(notice)
    customer.fills({"name": "Ana", "contact": "ana@example.com"})
    press(customer)
    look(customer, "follower, again")
    reports(customer, service="database")
    look(customer, "receipt, with a notice")
    press(customer, "[name=notice]")
    look(customer, "receipt, with their notice")
    customer.service.run("notice", "close", notice.rpartition("/")[2], "--text", "Era un disco")
    customer.opens(notice)
    look(customer, "notice, closed")
