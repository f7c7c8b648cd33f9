"""The pages as somebody in front of them has them: what one does there, and what one sees."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from factories import values
from playwright.sync_api import Browser, Locator, Page, expect
from running import Sent, Service, Visitor

DESKTOP = {"width": 1000, "height": 900}
PHONE = {"width": 320, "height": 640}
PASSWORD = "un caballo lee el diario"
PRIMARY = "main button.primary"
# A busy machine may take so long to come to what a quick one does at once; a receipt looks for what
# is new every fifteen seconds in the end.
PATIENCE = 40_000  # milliseconds

expect.set_options(timeout=PATIENCE)

# What has to be answered, and nothing else. The example of the other tests is the whole.
FAILURE = {
    "service": "web-hosting",
    "summary": "La tienda no carga: error 502",
    "impact": "critical",
}
TIMING = {"started": "just_now", "pattern": "continuous"}
CHANGES = {"changed": "no"}
CONTACT = {
    "name": "Íñigo Muñoz",
    "email": "inigo@example.com",
    "email_affected": "no",
    "preferred_channel": "email",
}
STEPS = {"failure": FAILURE, "timing": TIMING, "changes": CHANGES, "contact": CONTACT}


# Asked of the page again and again, as Playwright does, its policy would refuse it.
TAKEN_OVER = """navigator.serviceWorker.controller ? 0 : new Promise((done) =>
  navigator.serviceWorker.addEventListener("controllerchange", () => done(0), { once: true }))"""


class Person:
    """Somebody with a browser, in one language. Questions are named by their keys."""

    def __init__(self, page: Page, service: Service, language: str) -> None:
        self.page = page
        self.service = service
        self.language = language
        self.requested: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self.requested.append(request.url))
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    # What one does

    def opens(self, path: str) -> None:
        self.page.goto(self.service.url + path)

    def starts(self) -> None:
        self.opens("/")
        self.follows("main a.primary")

    def answers(self, step: str, **changes: str | None) -> None:
        """Fills what is asked in a step as the example has it, with *changes*."""
        for key, value in values(step, **changes).items():
            if self.is_choice(key) or self.question(key).is_visible():
                self.fills({key: value})

    def fills(self, answers: Mapping[str, str]) -> None:
        for key, value in answers.items():
            if self.is_choice(key):
                self.page.locator(f'main [name={key}][value="{value}"]').check()
            else:
                self.question(key).fill(value)

    def presses(self, selector: str = PRIMARY) -> None:
        """Presses a button, whatever becomes of it."""
        self.page.locator(selector).click()

    def follows(self, selector: str) -> None:
        """Presses what leads elsewhere, and is there: a script may send the page and go on."""
        with self.page.expect_navigation():
            self.presses(selector)

    def continues(self) -> None:
        self.follows(PRIMARY)

    sends = continues

    def sends_without_script(self) -> None:
        """As from a browser that has none: a script would wait for us, or send it again."""
        with self.page.expect_navigation():
            self.page.locator(PRIMARY).evaluate("(button) => button.form.submit()")

    def presses_enter_in(self, key: str) -> None:
        with self.page.expect_navigation():
            self.question(key).press("Enter")

    def tabs_to(self, selector: str) -> None:
        """Presses Tab after Tab, up to what can be seen to have the focus."""
        for _ in range(80):
            self.page.keyboard.press("Tab")
            focused = "(selector) => document.activeElement.matches(selector)"
            if self.page.evaluate(focused, selector):
                outline = "getComputedStyle(document.activeElement.closest('.option') ??"
                outline += " document.activeElement).outlineStyle"
                assert self.page.evaluate(outline) == "solid", f"no focus to be seen on {selector}"
                return
        raise AssertionError(f"Tab does not reach {selector}")

    def answers_and_continues(self, step: str, **changes: str | None) -> None:
        self.answers(step, **changes)
        self.continues()

    def answers_everything(self, **changes: str | None) -> None:
        """From the start to the review."""
        self.starts()
        for step in ("failure", "timing", "changes", "contact"):
            self.answers_and_continues(step, **changes)

    def walks_to(self, wanted: str, **changes: str) -> None:
        """Answers what has to be, up to a step or the "review"; the first step with *changes*."""
        self.opens("/report/failure")
        for step, answers in STEPS.items():
            self.page.wait_for_url(f"**/report/{step}")
            if step == wanted:
                return
            self.fills(answers | changes if step == "failure" else answers)
            self.continues()
        self.page.wait_for_url("**/report/review")

    def reports(self) -> None:
        """Answers what has to be and sends it; the receipt."""
        self.walks_to("review")
        self.sends()
        self.page.wait_for_url("**/r/*")

    def opens_another_tab(self) -> Person:
        return Person(self.page.context.new_page(), self.service, self.language)

    def goes_back(self) -> None:
        self.follows(".back a, .back button")

    def changes(self, step: str) -> None:
        """Follows the link beside a section of the review."""
        self.follows(f"h2#s-{step} + a")

    def switches_language(self, language: str = "en") -> None:
        self.follows(f"header nav [lang={language}]")
        self.language = self.page.locator("html").get_attribute("lang") or ""

    def reloads(self) -> None:
        self.page.reload()

    def stops_the_clock(self) -> None:
        """From here on only so much time passes in the pages as `page.clock` is told to run."""
        stop_the_clock(self.page)

    def picks(self, *files: tuple[str, bytes]) -> None:
        """Chooses files, each a name and its content, by the browser's own dialog."""
        kind = "application/octet-stream"
        chosen = [{"name": name, "mimeType": kind, "buffer": content} for name, content in files]
        self.page.locator("input[type=file]").set_input_files(chosen)

    def has_reported(self, **changes: str) -> Sent:
        """Opens the receipt of a report that was sent without a browser."""
        sent = Visitor(self.service, self.language).sends(**changes)
        self.opens(sent.receipt)
        return sent

    def signs_in(self, name: str = "") -> None:
        """As somebody of support who is new, by a link that works once."""
        name = name or f"ana-{secrets.token_hex(3)}"
        self.opens(self.service.welcome("add", name, f"{name}@example.com"))
        self.fills({"password": PASSWORD})
        self.continues()

    def loses_cookies(self) -> None:
        self.page.context.clear_cookies()

    # What one sees

    def question(self, key: str) -> Locator:
        return self.page.locator(f"main [name={key}]").first

    def is_choice(self, key: str) -> bool:
        return self.question(key).get_attribute("type") in {"radio", "checkbox"}

    def typed(self, *keys: str) -> dict[str, str | None]:
        """What each question holds; for a choice, what was chosen."""
        return {key: self._held(key) for key in keys}

    @property
    def path(self) -> str:
        return self.page.url.removeprefix(self.service.url)

    @property
    def text(self) -> str:
        return self.page.locator("main").inner_text()

    @property
    def heading(self) -> str:
        return self.page.locator("h1").inner_text()

    @property
    def reference(self) -> str:
        return self.page.locator(".reference h1").inner_text()

    @property
    def kept_files(self) -> Locator:
        """Those that we have, with what can be done with each."""
        return self.page.locator(".files li")

    @property
    def errors(self) -> list[str]:
        return self.page.locator(".errors li").all_inner_texts()

    @property
    def states(self) -> list[str]:
        """Of the receipt, in order: those that are reached."""
        return self.page.locator(".states .done b").all_inner_texts()

    @property
    def overflow(self) -> int:
        """By how many pixels the page is wider than the window."""
        wider = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        return int(self.page.evaluate(wider))

    def _held(self, key: str) -> str | None:
        if not self.is_choice(key):
            return self.question(key).input_value()
        options = self.page.locator(f"main [name={key}]").all()
        chosen = [each for each in options if each.is_checked()]
        return chosen[0].get_attribute("value") if chosen else None

    def _hear(self, message: Any) -> None:
        # Chromium calls an answer of 4xx or 5xx, or none, an error of the page. Here it is not.
        ours = ("Failed to load resource", "Service Worker registration blocked")
        if message.type in {"error", "warning"} and not message.text.startswith(ours):
            self.complaints.append(message.text)


@contextmanager
def person(
    browser: Browser,
    service: Service,
    language: str = "es",
    *,
    scripts: bool = True,
    viewport: Mapping[str, int] = DESKTOP,
    colors: str = "light",
    zone: str = "Europe/Madrid",
    address: str = "",
    service_workers: str = "allow",
) -> Iterator[Person]:
    """A person with a new browser profile, and with *address* behind the service's proxy.

    A test that holds requests back, or fails them, blocks *service_workers*: one that takes a page
    over at that moment lets them pass.

    At the end nothing may have been asked of anybody but the service, and the browser may not
    have complained: of a script, of the content security policy, of anything.
    """
    context = browser.new_context(
        base_url=service.url,
        java_script_enabled=scripts,
        viewport=dict(viewport),
        color_scheme=colors,
        locale=language,
        timezone_id=zone,
        reduced_motion="reduce",
        service_workers=service_workers,
        extra_http_headers={"X-Forwarded-For": address} if address else {},
    )
    context.set_default_timeout(PATIENCE)
    try:
        someone = Person(context.new_page(), service, language)
        yield someone
        elsewhere = [url for url in someone.requested if not url.startswith(service.url + "/")]
        assert elsewhere == []
        assert someone.complaints == []
    finally:
        context.close()


def stop_the_clock(page: Page) -> None:
    page.clock.install()
    # It cannot go back, and a busy machine may be late in telling it.
    page.clock.pause_at(datetime.now(UTC) + timedelta(minutes=1))


def bytes_on_the_line(page: Page) -> dict[str, int]:
    """What each address takes from the line from now on, with its headers. A page itself is told
    the bodies alone, and 300 bytes for each (Resource Timing, `transferSize`)."""
    weights: dict[str, int] = {}
    addresses: dict[str, str] = {}
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    network.on(
        "Network.requestWillBeSent",
        lambda event: addresses.update({event["requestId"]: event["request"]["url"]}),
    )
    network.on(
        "Network.loadingFinished",
        lambda event: weights.update({addresses[event["requestId"]]: event["encodedDataLength"]}),
    )
    return weights


def soon() -> str:
    """A time of the clock in support's zone that is still to come, and comes once."""
    at = (datetime.now(UTC) + timedelta(hours=2)).astimezone(ZoneInfo("Europe/Madrid"))
    if at.replace(fold=0).utcoffset() != at.replace(fold=1).utcoffset():  # the clocks go back
        at += timedelta(hours=1)
    return at.strftime("%H:%M")
