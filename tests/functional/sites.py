"""The service for tests of the form in a real browser: one that can die and come back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page
from running import Service, until

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


class Site(Service):
    """A web server at one address, whether it runs or not."""

    is_up = False

    def start(self) -> None:
        super().start()
        until(self.is_ready)
        self.is_up = True

    def stop(self) -> None:
        """As when the machine loses its power: nothing in flight is finished."""
        if self.is_up:
            self.kill_all()
        self.is_up = False


@contextmanager
def running(folder: Path, **settings: Any) -> Iterator[Site]:
    site = Site(folder, "web", **{"WEB_PROCESSES": 1} | settings)
    site.run("db", "upgrade")
    site.start()
    try:
        yield site
    finally:
        site.stop()


@contextmanager
def visiting(browser: Browser, site: Site, **options: object) -> Iterator[Page]:
    """A page of a visitor who was never here."""
    options = {"base_url": site.url, "locale": "es-ES", "timezone_id": "Europe/Madrid"} | options
    context: BrowserContext = browser.new_context(**options)
    context.set_default_timeout(8000)
    try:
        yield context.new_page()
    finally:
        context.close()


def fill(page: Page, answers: dict[str, str]) -> None:
    """Answer questions by their keys, as far as the page asks them."""
    for name, value in answers.items():
        question = page.locator(f'main [name="{name}"]')
        if question.first.get_attribute("type") in {"radio", "checkbox"}:
            page.check(f'main [name="{name}"][value="{value}"]')
        else:
            question.first.fill(value)


def proceed(page: Page) -> None:
    """Press the button, and wait for the page that it leads to."""
    with page.expect_navigation():
        page.click("main button.primary")


def press(page: Page) -> None:
    page.click("main button.primary")


def walk(page: Page, until: str, **changes: str) -> None:
    """Answer every step before *until*, which is a slug or "review"; the first with *changes*."""
    page.goto("/report/failure")
    for slug, answers in STEPS.items():
        page.wait_for_url(f"**/report/{slug}")
        if slug == until:
            return
        fill(page, answers | changes if slug == "failure" else answers)
        proceed(page)
    page.wait_for_url("**/report/review")
