"""The form in three engines, in browsers that lack what ours have, and in one without styles."""

from __future__ import annotations

import base64
import contextlib
import http.client
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import browser
import engines
import pytest
import sites
from engines import FILL, Engine
from pages import CHANGES, CONTACT, FAILURE, STEPS, TIMING, stop_the_clock
from playwright.sync_api import Route
from ports import free_port
from provider import a_picture
from running import Visitor, until
from sites import Site

# What the script uses that some browser of the last years lacks, or somebody takes away.
TAKEN_AWAY = [
    "AbortController",
    "AbortSignal.timeout",
    "Array.prototype.at",
    "DataTransfer",
    "DOMParser",
    "DOMTokenList.prototype.toggle",
    "Element.prototype.after",
    "Element.prototype.append",
    "Element.prototype.before",
    "Element.prototype.closest",
    "Element.prototype.matches",
    "Element.prototype.remove",
    "Element.prototype.scrollIntoView",
    "FormData",
    "FormData.prototype.set",
    "Headers.prototype.get",
    "HTMLFormElement.prototype.requestSubmit",
    "Intl.DateTimeFormat",
    "Intl.RelativeTimeFormat",
    "Navigator.prototype.clipboard",
    "Navigator.prototype.languages",
    "Navigator.prototype.serviceWorker",
    "Object.assign",
    "Object.entries",
    "Object.keys",
    "Object.values",
    "Promise.prototype.finally",
    "Response.prototype.text",
    "SubmitEvent.prototype.submitter",
    "URLSearchParams",
    "crypto.constructor.prototype.getRandomValues",
    "fetch",
    "localStorage",
    "sessionStorage",
]
# A picture of one colour, as a browser gives what is in its clipboard.
PASTE = """
const bytes = Uint8Array.from(atob(argument), (each) => each.charCodeAt(0));
const clipboardData = new DataTransfer();
clipboardData.items.add(new File([bytes], "captura.png", { type: "image/png" }));
// An event of a script's own has an empty one in Firefox.
const event = new Event("paste", { bubbles: true, cancelable: true });
document.querySelector("#f-error_message").dispatchEvent(
  Object.defineProperty(event, "clipboardData", { value: clipboardData }));
"""
FILES = "document.querySelector('.files')?.innerText"
# What the part of the script that takes files needs, or is told by.
OF_FILES = {
    "DataTransfer",
    "DOMParser",
    "DOMTokenList.prototype.toggle",
    "Element.prototype.append",
    "FormData",
    "FormData.prototype.set",
    "Promise.prototype.finally",
    "SubmitEvent.prototype.submitter",
    "fetch",
}


def count(site: Site) -> int:
    return int(site.sql("SELECT count(*) FROM report")[0][0])


def is_at(window: Engine, path: str, unless: str = "false") -> bool:
    """Whether the page at *path*, or below it, is there and its script has run."""
    with contextlib.suppress(Exception):  # while one page goes and another comes
        # As one text: of an array Playwright makes nothing where `Object.entries` is taken away.
        here = window.run(f"return ({unless} ? '' : document.readyState) + location.pathname")
        return str(here).startswith(f"complete{path}")
    return False


def arrives(window: Engine, path: str) -> None:
    until(lambda: is_at(window, path))


def answers(window: Engine, **values: str) -> None:
    window.run(FILL, values)


def presses(window: Engine, times: int = 1) -> None:
    press = "document.querySelector('main button.primary').click();"
    window.run(press * times)


def reads(window: Engine, what: str) -> str:
    with contextlib.suppress(Exception):  # while one page goes and another comes
        return str(window.run(f"return {what}") or "")
    return ""


def sees(window: Engine, selector: str) -> bool:
    with contextlib.suppress(Exception):
        return bool(window.run("return !!document.querySelector(argument)?.offsetParent", selector))
    return False


def walks(window: Engine, site: Site, last: str = "review") -> None:
    """From the first page to the *last*."""
    window.open(f"{site.url}/report/failure?lang=es")
    for slug, values in STEPS.items():
        arrives(window, f"/report/{slug}")
        if slug == last:
            return
        answers(window, **values)
        presses(window)
    arrives(window, "/report/review")


@pytest.fixture(scope="module")
def chromiums() -> Iterator[Any]:
    with browser.chromium() as started:
        yield started


@pytest.fixture(params=["chromium", *engines.OTHERS])
def window(request: pytest.FixtureRequest) -> Iterator[Engine]:
    if request.param == "chromium":  # there can be one Playwright at a time
        opened = engines.chromium(request.getfixturevalue("chromiums"))
    else:
        opened = engines.OTHERS[request.param]()
    with opened as window:
        yield window


def test_the_whole_way_with_errors_back_and_forward_offline_and_a_double_press(
    window: Engine, site: Site
) -> None:
    before = count(site)
    window.open(f"{site.url}/?lang=es")
    window.run("document.querySelector('main a.primary').click()")
    arrives(window, "/report/failure")
    # Errors, on purpose
    answers(window, summary=FAILURE["summary"])
    presses(window)
    until(lambda: sees(window, ".errors"))
    until(lambda: reads(window, "document.activeElement.className") == "errors")
    assert window.run("return document.querySelector('#f-summary').value") == FAILURE["summary"]
    answers(window, **FAILURE)
    # A screenshot, pasted where the error is
    until(lambda: reads(window, "document.querySelector('.pasting').style.visibility"))
    window.run(PASTE, base64.b64encode(a_picture("PNG", "blue")).decode())
    until(lambda: "captura.png" in reads(window, FILES))
    presses(window)
    arrives(window, "/report/timing")
    answers(window, **TIMING)
    presses(window)
    arrives(window, "/report/changes")
    # Back and forward
    window.go(-1)
    arrives(window, "/report/timing")
    # One that came from the browser's memory is asked for anew at once, and so comes twice.
    until(lambda: reads(window, "document.querySelector('[name=pattern]:checked').value"))
    window.go(1)
    arrives(window, "/report/changes")
    answers(window, **CHANGES)
    presses(window)
    arrives(window, "/report/contact")
    answers(window, **CONTACT)
    # Out of reach
    site.stop()
    presses(window)
    until(lambda: sees(window, "#trouble"))
    until(lambda: reads(window, "document.activeElement.id") == "trouble")
    site.start()
    arrives(window, "/report/review")
    # Two presses, one report
    presses(window, times=2)
    arrives(window, "/r/")
    assert count(site) == before + 1
    # Back: the receipt, and no second report
    window.run("self.isLeft = true")
    window.go(-1)
    until(lambda: is_at(window, "/r/", unless="self.isLeft"))
    assert count(site) == before + 1
    # What is said of a press on the receipt has the focus, though the page opens at its #add
    update = "document.querySelector('#update .actions button').click()"
    window.run(update)
    until(lambda: reads(window, "document.activeElement.className") == "errors")
    answers(window, kind="worse")
    window.run(update)
    until(lambda: reads(window, "document.activeElement.className") == "note done")


# Back from memory --------------------------------------------------------------------------


@contextlib.contextmanager
def in_front_of(site: Site, port: int) -> Iterator[str]:
    """A proxy at *port* that lets browsers keep pages in their memory, which ours forbid."""

    class Proxy(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            there = http.client.HTTPConnection("127.0.0.1", site.port, timeout=30)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            there.request(self.command, self.path, body, dict(self.headers))
            answer = there.getresponse()
            content = answer.read()
            there.close()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in {"cache-control", "content-length", "connection", "date"}:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_HEAD = do_GET  # noqa: N815 (names of the library)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", port), Proxy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.shutdown()


def test_a_page_that_comes_back_from_memory_after_send_is_the_receipt(
    tmp_path: Path, window: Engine
) -> None:
    port = free_port()
    with (
        sites.running(tmp_path, BASE_URL=f"http://127.0.0.1:{port}") as site,
        in_front_of(site, port) as url,
    ):
        window.open(f"{url}/report/failure?lang=es")
        for slug, values in STEPS.items():
            arrives(window, f"/report/{slug}")
            answers(window, **values)
            presses(window)
        arrives(window, "/report/review")
        window.run(
            "addEventListener('pageshow', (event) => { sessionStorage.kept = event.persisted })"
        )
        presses(window)
        arrives(window, "/r/")
        window.go(-1)
        until(lambda: reads(window, "sessionStorage.kept"))
        assert reads(window, "sessionStorage.kept") == "true"
        arrives(window, "/r/")
        assert count(site) == 1


# What some browsers lack ------------------------------------------------------------------


@contextlib.contextmanager
def window_without(started: Any, taken: str) -> Iterator[Engine]:
    """In which `taken` is nowhere."""
    context = started.new_context(locale="es-ES", timezone_id="Europe/Madrid")
    owner, _dot, name = taken.rpartition(".")
    context.add_init_script(f"delete {owner or 'window'}[{name!r}]")
    if owner == "" and name in {"fetch", "localStorage", "sessionStorage"}:
        context.add_init_script(f"delete Window.prototype[{name!r}]")
    try:
        page = context.new_page()
        page.goto("about:blank")
        yield engines.Chromium(page)
    finally:
        context.close()


def picks(window: Engine, name: str, colour: str) -> None:
    """Choose a picture of one colour by the browser's own dialog."""
    assert isinstance(window, engines.Chromium)
    file = {"name": name, "mimeType": "image/png", "buffer": a_picture("PNG", colour)}
    window.page.locator("input[type=file]").set_input_files(file)


@pytest.mark.parametrize("taken", TAKEN_AWAY)
def test_no_browser_is_kept_out_for_what_it_lacks(chromiums: Any, site: Site, taken: str) -> None:
    before = count(site)
    with window_without(chromiums, taken) as window:
        window.open(f"{site.url}/report/failure?lang=es")
        arrives(window, "/report/failure")
        answers(window, summary=FAILURE["summary"])
        picks(window, "error.png", "red")
        presses(window)
        until(lambda: sees(window, ".errors"))
        until(lambda: "error.png" in reads(window, FILES))
        walks(window, site)
        presses(window)
        arrives(window, "/r/")
        receipt = reads(window, "location.pathname")
        answers(window, kind="worse", text="Ahora tampoco hay correo")
        window.run("document.querySelector('#update .actions button').click()")
        until(lambda: sees(window, ".told"))
        until(lambda: "error.png" in reads(window, FILES))
        if taken in OF_FILES:
            window.open(f"{site.url}{receipt}/details/evidence")
            arrives(window, f"{receipt}/details/evidence")
            picks(window, "foto.png", "blue")
            window.run("document.querySelector('[name=go][value=review].secondary').click()")
            arrives(window, f"{receipt}/details/review")
            presses(window)
            until(lambda: reads(window, "location.pathname") == receipt)
            until(lambda: "foto.png" in reads(window, FILES))
    assert count(site) == before + 1


def test_where_no_request_of_a_script_arrives_the_form_can_be_sent_without_one(
    chromiums: Any, site: Site
) -> None:
    before = count(site)
    context = chromiums.new_context(locale="es-ES", service_workers="block")
    page = context.new_page()
    window = engines.Chromium(page)
    walks(window, site)
    lost: list[str] = []

    def lose(route: Route) -> None:
        if route.request.resource_type == "fetch":
            lost.append(route.request.url)
            route.abort()
        else:
            route.continue_()

    page.route("**/*", lose)
    plain: list[str] = []
    page.on(
        "request",
        lambda request: request.resource_type == "document" and plain.append(request.post_data),
    )
    stop_the_clock(page)  # it tries nothing by itself
    presses(window)
    until(lambda: sees(window, "#trouble"))
    assert not sees(window, "#trouble [value=plain]")
    until(lambda: sees(window, "#trouble [value=plain]") or page.click("#trouble [value=again]"))
    assert len(lost) >= 3
    page.click("#trouble [value=plain]")
    arrives(window, "/r/")
    context.close()
    assert count(site) == before + 1
    # With all that the script sends too.
    assert parse_qs(plain[0]).keys() >= {"csrf_token", "draft_key", "shown", "age"}


def read_by_w3m(url: str) -> str:
    path = browser.program("w3m")
    assert path, "there is no w3m; install it with: make browser"
    done = subprocess.run(
        [path, "-dump", "-cols", "100", url], capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout


@pytest.mark.parametrize("path", ["/", "/report/failure", "/report/timing", "/offline", "/r/"])
def test_a_browser_without_styles_reads_nothing_that_is_not_true(site: Site, path: str) -> None:
    if path == "/r/":
        path = Visitor(site).sends().receipt
    text = read_by_w3m(f"{site.url}{path}?lang=es")
    assert "Ejemplo" in text or "example.com" in text
    for untrue in ("no podemos conectar", "conserva", "Copiado", "Enviando", "Recuperarlas"):
        assert untrue not in text
