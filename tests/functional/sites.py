"""The service as it runs, for tests in a real browser: one that can be stopped and come back."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from reporter.delivery.mailbox import LOOPBACK, free_port

CHROMIUM = os.environ.get("REPORTER_TEST_CHROMIUM", "/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]

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


@dataclass
class Site:
    """One web server over one database, at one address, whether it runs or not."""

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        settings = {
            "SECRET_KEY": "tests" * 8,
            "BASE_URL": self.url,
            "SUPPORT_EMAIL": "support@example.com",
            "SUPPORT_PHONE": "+34 900 000 000",
            "PROVIDER_NAME": "Example Hosting",
            "DATABASE_URL": f"sqlite:///{self.folder / 'reporter.db'}",
            "WEB_PROCESSES": "1",
        } | self.settings
        return os.environ | {f"REPORTER_{name}": value for name, value in settings.items()}

    def run(self, *command: str) -> None:
        subprocess.run(
            [sys.executable, "-m", "reporter", *command], env=self.environment, check=True
        )

    def start(self) -> None:
        command = [sys.executable, "-m", "reporter", "web", "--port", str(self.port)]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, env=self.environment, stderr=log)
        for _ in range(200):
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.url}/readyz"):
                return
            time.sleep(0.05)
        raise TimeoutError((self.folder / "log").read_text())

    def stop(self) -> None:
        """As when the machine loses its power: nothing in flight is finished."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None


@contextlib.contextmanager
def running(folder: Path, **settings: str) -> Iterator[Site]:
    site = Site(folder, settings)
    site.run("db", "upgrade")
    site.start()
    try:
        yield site
    finally:
        site.stop()


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


@contextlib.contextmanager
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
        option = page.locator(f'[name="{name}"][value="{value}"]')
        if option.count():
            option.check()
        else:
            page.fill(f'[name="{name}"]', value)


def proceed(page: Page) -> None:
    """Press the button, and wait for the page that it leads to."""
    with page.expect_navigation():
        page.click("main button.primary")


def press(page: Page) -> None:
    page.click("main button.primary")


def walk(page: Page, until: str) -> None:
    """Answer every step before *until*, which is a slug or "review"."""
    page.goto("/report/failure")
    for slug, answers in STEPS.items():
        page.wait_for_url(f"**/report/{slug}")
        if slug == until:
            return
        fill(page, answers)
        proceed(page)
    page.wait_for_url("**/report/review")
