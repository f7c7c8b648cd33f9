"""Files in a real browser: pasted, dropped and picked, kept at once, refused in time."""

from __future__ import annotations

import base64
import io
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path

import pytest
from arrived import mail_to_support
from pages import Person, person
from PIL import Image
from playwright.sync_api import Browser, JSHandle, Locator, Route, expect
from provider import a_picture, text_of
from running import Service, until
from servers import SmtpServer

PNG = a_picture("PNG", "blue")
GIF = a_picture("GIF")
LOG = "502 Bad Gateway\nnginx/1.24.0 – año\n"


@pytest.fixture
def customer(browser: Browser, service: Service) -> Iterator[Person]:
    with person(browser, service, service_workers="block") as customer:
        yield customer


def files_in(mail: EmailMessage) -> dict[str, bytes]:
    return {str(part.get_filename()): part.get_content() for part in mail.iter_attachments()}


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


def test_a_screenshot_is_pasted_and_reaches_support(customer: Person, smtp: SmtpServer) -> None:
    receipt, reference = customer.has_reported()
    customer.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    customer.opens(f"{receipt}/details/evidence")
    before = customer.question("hypothesis").bounding_box()
    customer.question("tests_done").fill("Reiniciar: igual")
    expect(customer.page.locator(".pasting")).to_be_visible()
    assert customer.question("hypothesis").bounding_box() == before  # and nothing moved for it
    customer.page.evaluate(
        """async (content) => {
            const bytes = Uint8Array.from(atob(content), (c) => c.charCodeAt(0));
            const picture = new Blob([bytes], { type: "image/png" });
            await navigator.clipboard.write([new ClipboardItem({ "image/png": picture })]);
        }""",
        base64.b64encode(PNG).decode(),
    )
    customer.question("tests_done").press("Control+V")
    expect(customer.kept_files).to_contain_text(["image.png"])
    assert customer.typed("tests_done") == {"tests_done": "Reiniciar: igual"}
    for _ in range(3):
        customer.continues()
    assert customer.path == f"{receipt}/details/review"
    assert "image.png" in customer.text
    customer.continues()
    assert "Hemos guardado sus detalles y van camino del equipo de soporte." in customer.text
    mail = mail_to_support(smtp, reference, 1)
    content = files_in(mail)[f"{reference}-1-image.png"]
    picture = Image.open(io.BytesIO(content))
    assert (picture.format, picture.size) == ("PNG", (64, 48))
    assert picture.convert("RGB").getpixel((1, 1)) == (0, 0, 255)
    assert "Reiniciar: igual" in text_of(mail)


def shows_it_small(customer: Person) -> None:
    """The only picture there is to see, which has come."""
    picture = customer.page.locator("img.thumbnail")
    picture.scroll_into_view_if_needed()
    until(lambda: picture.evaluate("(each) => each.naturalWidth") == 64)
    box = picture.bounding_box()
    assert box
    assert max(box["width"], box["height"]) <= 128


def test_a_screenshot_that_is_dropped_on_the_first_page_is_seen_small_up_to_the_receipt(
    customer: Person,
) -> None:
    customer.opens("/report/failure")
    customer.page.click("h1")
    expect(customer.page.locator(".pasting")).to_be_visible()
    handle = transfer(customer, "captura.png", "image/png", PNG)
    for kind in ("dragover", "drop"):
        customer.page.dispatch_event("body", kind, {"dataTransfer": handle})
    expect(customer.kept_files).to_contain_text(["captura.png"])
    shows_it_small(customer)
    customer.answers_and_continues("failure")
    for step in ("timing", "changes", "contact"):
        customer.answers_and_continues(step)
    assert customer.path == "/report/review"
    shows_it_small(customer)
    customer.sends()
    shows_it_small(customer)


def test_pasted_text_is_text(customer: Person) -> None:
    receipt, _reference = customer.has_reported()
    customer.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    customer.opens(f"{receipt}/details/evidence")
    customer.page.evaluate("navigator.clipboard.writeText('502 Bad Gateway')")
    customer.question("tests_done").press("Control+V")
    expect(customer.question("tests_done")).to_have_value("502 Bad Gateway")
    # So is a part of a document or a table, of which the clipboard has a picture besides.
    stopped = """(types) => {
        const clipboardData = new DataTransfer();
        for (const type of types) clipboardData.setData(type, "502");
        clipboardData.items.add(new File(["x"], "image.png", { type: "image/png" }));
        const options = { clipboardData, bubbles: true, cancelable: true };
        const event = new ClipboardEvent("paste", options);
        return !document.querySelector("#f-tests_done").dispatchEvent(event);
    }"""
    assert not customer.page.evaluate(stopped, ["text/plain", "text/html"])
    assert chosen(customer) == []
    expect(customer.kept_files).to_have_count(0)
    for types in (["text/html"], ["text/plain"]):  # a picture of a page; a file by its name
        assert customer.page.evaluate(stopped, types)


def test_files_are_dropped_anywhere_and_join_those_that_were_picked(
    customer: Person, smtp: SmtpServer
) -> None:
    receipt, reference = customer.has_reported()
    customer.opens(f"{receipt}/details/evidence")
    customer.picks(("nginx.log", LOG.encode()))
    for target, name, content in (("body", "uno.png", PNG), ("main h1", "dos.gif", GIF)):
        handle = transfer(customer, name, "image/png", content)
        customer.page.dispatch_event(target, "dragover", {"dataTransfer": handle})
        customer.page.dispatch_event(target, "drop", {"dataTransfer": handle})
    expect(customer.kept_files).to_contain_text(["nginx.log", "uno.png", "dos.gif"])
    assert chosen(customer) == []
    customer.opens(f"{receipt}/details/review")
    customer.continues()
    files = files_in(mail_to_support(smtp, reference, 1))
    assert files[f"{reference}-1-nginx.txt"] == LOG.encode()
    assert files[f"{reference}-2-uno.png"] == PNG
    assert files[f"{reference}-3-dos.gif"] == GIF


def test_text_is_dragged_into_a_field_as_on_any_page(customer: Person) -> None:
    customer.opens("/report/failure")
    customer.page.click("h1")
    expect(customer.page.locator(".pasting")).to_be_visible()
    stopped = """([selector, kind]) => {
        const dataTransfer = new DataTransfer();
        if (kind === "Files") dataTransfer.items.add(new File(["x"], "x.txt"));
        else dataTransfer.setData(kind, "502 Bad Gateway");
        const event = new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true });
        return !document.querySelector(selector).dispatchEvent(event);
    }"""
    assert not customer.page.evaluate(stopped, ["#f-error_message", "text/plain"])
    assert customer.page.evaluate(stopped, ["#f-error_message", "Files"])


def test_a_kept_file_is_given_back_as_a_download(customer: Person) -> None:
    receipt, reference = customer.has_reported()
    customer.opens(f"{receipt}/details/evidence")
    page_of_theirs = b"<script>alert(1)</script>"
    customer.picks(("p.html", page_of_theirs))
    customer.continues()
    customer.opens(receipt)
    with customer.page.expect_download() as download:
        customer.page.get_by_role("link", name="p.html").click()
    assert download.value.suggested_filename == f"{reference}-1-p.txt"
    assert download.value.path().read_bytes() == page_of_theirs
    assert customer.path == receipt


def test_files_that_do_not_fit_are_told_of_before_anything_is_sent(
    customer: Person, tmp_path: Path
) -> None:
    receipt, _reference = customer.has_reported()
    customer.opens(f"{receipt}/details/evidence")
    customer.question("hypothesis").fill("el proxy")
    customer.picks(("nginx.log", LOG.encode()))
    expect(customer.kept_files).to_contain_text(["nginx.log"])
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
    customer.picks(("uno.png", PNG))
    expect(told).to_have_count(0)
    assert chosen(customer) == ["IMG_1.JPG", "uno.png"]


def test_a_file_is_kept_as_soon_as_it_is_chosen(customer: Person) -> None:
    receipt, _reference = customer.has_reported()
    customer.opens(f"{receipt}/details/evidence")
    customer.question("hypothesis").fill("el proxy")
    customer.picks(("uno.png", PNG))
    expect(customer.kept_files).to_contain_text(["uno.png"])
    assert customer.errors == []
    customer.opens(f"{receipt}/details/evidence")
    expect(customer.kept_files).to_contain_text(["uno.png"])
    assert customer.typed("hypothesis") == {"hypothesis": "el proxy"}
    customer.follows(".files button")
    expect(customer.kept_files).to_have_count(0)


def test_a_file_that_cannot_be_taken_is_told_of_as_soon_as_it_is_chosen(customer: Person) -> None:
    receipt, _reference = customer.has_reported()
    customer.opens(f"{receipt}/details/evidence")
    customer.question("last_worked_at").fill("2199-01-01T00:00")
    customer.picks(("uno.png", PNG), ("virus.exe", b"MZ\0\0"))
    rule = "virus.exe es de un tipo que no aceptamos (EXE): póngalo en un archivo ZIP"
    expect(customer.page.locator("main .error")).to_contain_text([rule])
    field = customer.question("files")
    expect(field).to_have_accessible_description(re.compile(f"{re.escape(rule)}$"))
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(customer.page.locator("#files")).to_have_class("question wrong")
    expect(customer.kept_files).to_contain_text(["uno.png"])
    assert chosen(customer) == []
    customer.picks(("dos.gif", GIF))
    expect(customer.kept_files).to_contain_text(["uno.png", "dos.gif"])
    expect(customer.page.locator("main .error")).to_have_count(0)
    expect(field).to_have_attribute("aria-invalid", "false")
    expect(customer.page.locator("#files")).to_have_class("question")


def test_a_file_chosen_while_another_is_being_kept_is_kept_after_it(customer: Person) -> None:
    receipt, _reference = customer.has_reported()
    customer.opens(f"{receipt}/details/evidence")
    with held(customer, f"{receipt}/details/evidence"):
        customer.picks(("uno.png", PNG))
        expect(status(customer)).to_have_text("Guardando los archivos…")
        customer.picks(("dos.gif", GIF))
    expect(customer.kept_files).to_contain_text(["uno.png", "dos.gif"])
    expect(status(customer)).to_be_empty()


def test_a_file_that_could_not_be_kept_is_kept_with_the_next(customer: Person) -> None:
    receipt, _reference = customer.has_reported()
    customer.opens(f"{receipt}/details/evidence")
    with held(customer, f"{receipt}/details/evidence", lose=True):
        customer.picks(("uno.png", PNG))
        expect(status(customer)).to_have_text("Guardando los archivos…")
        customer.picks(("dos.gif", GIF))
    expect(customer.kept_files).to_contain_text(["uno.png", "dos.gif"])
    assert chosen(customer) == []


def test_going_on_stays_where_a_file_turns_out_to_be_refused(customer: Person) -> None:
    receipt, _reference = customer.has_reported()
    customer.opens(f"{receipt}/details/evidence")
    with held(customer, f"{receipt}/details/evidence"):
        customer.picks(("virus.exe", b"MZ\0\0"))
        customer.page.locator("main button.primary").click()
    expect(customer.question("files")).to_be_focused()
    expect(customer.page.locator("main .error")).to_contain_text(["virus.exe"])
    assert customer.path == f"{receipt}/details/evidence"
    customer.continues()
    assert customer.path == f"{receipt}/details/impact"


def test_a_file_is_removed_while_another_is_being_kept(customer: Person) -> None:
    receipt, _reference = customer.has_reported()
    customer.opens(f"{receipt}/details/evidence")
    customer.picks(("uno.png", PNG))
    expect(customer.kept_files).to_contain_text(["uno.png"])
    with customer.page.expect_navigation(), held(customer, f"{receipt}/details/evidence"):
        customer.picks(("dos.gif", GIF))
        customer.page.locator(".files button").click()
    expect(customer.kept_files).to_contain_text(["dos.gif"])


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_file_that_is_removed_is_seen_to_be_gone_where_it_stood(
    browser: Browser, service: Service, scripts: bool
) -> None:
    phone = {"width": 360, "height": 640}
    with person(browser, service, scripts=scripts, viewport=phone) as customer:
        receipt, _reference = customer.has_reported()
        customer.opens(f"{receipt}/details/evidence")
        customer.picks(("uno.png", PNG), ("dos.gif", GIF))
        if not scripts:
            customer.continues()
            customer.opens(f"{receipt}/details/evidence")
        expect(customer.kept_files).to_have_count(2)
        customer.follows(".files li:first-child button")
        expect(customer.kept_files).to_have_count(1)
        expect(customer.kept_files).to_be_in_viewport()
        customer.opens(f"{receipt}/details/review")
        customer.follows(".files button")
        expect(customer.kept_files).to_have_count(0)
        expect(customer.page.locator("#s-evidence")).to_be_in_viewport()


def test_going_on_waits_for_what_is_being_kept_and_sends_it_once(customer: Person) -> None:
    receipt, _reference = customer.has_reported()
    customer.opens(f"{receipt}/details/evidence")
    sent: list[bytes] = []
    customer.page.on("request", lambda request: sent.append(request.post_data_buffer or b""))
    with customer.page.expect_navigation(), held(customer, f"{receipt}/details/evidence"):
        customer.picks(("uno.png", PNG))
        expect(status(customer)).to_have_text("Guardando los archivos…")
        customer.page.locator("main button.primary").click()
        expect(customer.page.locator("#sending")).to_have_text("Enviando…")
    assert customer.path == f"{receipt}/details/impact"
    assert [PNG in body for body in sent if b"tests_done" in body] == [True, False]


def test_a_file_chosen_without_a_connection_goes_with_the_page(customer: Person) -> None:
    receipt, _reference = customer.has_reported()
    customer.opens(f"{receipt}/details/evidence")
    customer.page.route("**/details/evidence", lambda route: route.abort())
    with customer.page.expect_event("requestfailed"):
        customer.picks(("uno.png", PNG))
    expect(status(customer)).to_contain_text("Siguen aquí y se enviarán con esta página.")
    assert chosen(customer) == ["uno.png"]
    customer.page.unroute_all(behavior="wait")
    customer.continues()
    customer.goes_back()
    expect(customer.kept_files).to_contain_text(["uno.png"])


def test_without_scripts_files_that_do_not_fit_are_refused_beside_their_field(
    browser: Browser, service: Service, tmp_path: Path
) -> None:
    with person(browser, service, scripts=False) as customer:
        receipt, _reference = customer.has_reported()
        customer.opens(f"{receipt}/details/evidence")
        customer.question("hypothesis").fill("el proxy")
        manual = tmp_path / "manual.pdf"
        manual.write_bytes(b"%PDF-1.7\n" + b"x" * 30_000_000)
        customer.page.locator("input[type=file]").set_input_files(manual)
        customer.continues()
        assert customer.errors == [
            "manual.pdf no cabe: los archivos pueden ocupar 6,8 MB en total. Redúzcalo o póngalo "
            "en un archivo ZIP"
        ]
        assert customer.typed("hypothesis") == {"hypothesis": "el proxy"}
