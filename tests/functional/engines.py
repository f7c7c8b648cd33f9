"""The same few things done in three engines: open a page, run a script in it, go back and forward.

Each is driven by what its makers ship: Chromium by Playwright, Firefox by WebDriver BiDi, which is
its own since there is no driver beside it in Debian, WebKit by its WebDriver.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import browser
import websocket
from playwright.sync_api import Browser, Page
from ports import free_port
from running import until
from selenium import webdriver
from selenium.webdriver.webkitgtk.service import Service

SECONDS = 60  # for any one command, on a busy machine
ANSWER_SECONDS = 8  # for a script's answer, which WebKit loses with a page that is kept for "back"
FILL = """
for (const name in argument) {
  const value = argument[name];
  const fields = [...document.querySelectorAll(`main [name="${name}"]`)];
  const option = fields.find((field) => /radio|checkbox/.test(field.type) && field.value === value);
  if (option) option.click();
  else {
    fields[0].value = value;
    fields[0].dispatchEvent(new Event("input", { bubbles: true }));
  }
}
"""


class Engine(Protocol):
    """A window of a browser that was never here."""

    def open(self, url: str) -> None: ...

    def run(self, script: str, argument: Any = None) -> Any:
        """What *script*, the body of a function of one `argument`, returns."""

    def go(self, steps: int) -> None:
        """Back, by a negative number, or forward."""


class Chromium:
    def __init__(self, page: Page) -> None:
        self.page = page

    def open(self, url: str) -> None:
        self.page.goto(url)

    def run(self, script: str, argument: Any = None) -> Any:
        return self.page.evaluate(f"(argument) => {{ {script} }}", argument)

    def go(self, steps: int) -> None:
        self.run("history.go(argument)", steps)


class Firefox:
    """https://w3c.github.io/webdriver-bidi, as far as it is needed."""

    def __init__(self, address: str) -> None:
        self.socket = websocket.create_connection(
            f"{address}/session", suppress_origin=True, timeout=SECONDS
        )
        self.count = 0
        self.call("session.new", capabilities={})
        self.context = self.call("browsingContext.getTree")["contexts"][0]["context"]

    def call(self, method: str, **params: Any) -> Any:
        self.count += 1
        self.socket.send(json.dumps({"id": self.count, "method": method, "params": params}))
        while (answer := json.loads(self.socket.recv())).get("id") != self.count:
            pass  # an event
        if answer["type"] == "error":
            raise RuntimeError(answer["message"])
        return answer["result"]

    def open(self, url: str) -> None:
        self.call("browsingContext.navigate", context=self.context, url=url, wait="complete")

    def run(self, script: str, argument: Any = None) -> Any:
        told = self.call(
            "script.callFunction",
            functionDeclaration=f"async (text) => {{ const argument = JSON.parse(text);"
            f" return JSON.stringify((await (async () => {{ {script} }})()) ?? null); }}",
            arguments=[{"type": "string", "value": json.dumps(argument)}],
            target={"context": self.context},
            awaitPromise=True,
        )
        if told["type"] == "exception":
            raise RuntimeError(told["exceptionDetails"]["text"])
        return json.loads(told["result"]["value"])

    def go(self, steps: int) -> None:
        self.call("browsingContext.traverseHistory", context=self.context, delta=steps)


class WebKit:
    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def open(self, url: str) -> None:
        self.driver.command_executor.client_config.timeout = SECONDS
        self.driver.get(url)

    def run(self, script: str, argument: Any = None) -> Any:
        self.driver.command_executor.client_config.timeout = ANSWER_SECONDS
        return self.driver.execute_script(f"const argument = arguments[0]; {script}", argument)

    def go(self, steps: int) -> None:
        self.run("setTimeout(() => history.go(argument))", steps)


@contextmanager
def chromium(started: Browser) -> Iterator[Engine]:
    """A window of a Chromium that runs."""
    context = started.new_context()
    try:
        yield Chromium(context.new_page())
    finally:
        context.close()


@contextmanager
def firefox() -> Iterator[Engine]:
    path = browser.program("Firefox")
    assert path, "there is no Firefox; install one with: make browser"
    with (
        TemporaryDirectory(prefix="firefox-", ignore_cleanup_errors=True) as profile,
        Path(profile, "said").open("w") as said,
    ):
        preferences = {"intl.accept_languages": "es", "browser.cache.disk.enable": False}
        lines = (f"user_pref({json.dumps(k)}, {json.dumps(v)});" for k, v in preferences.items())
        Path(profile, "user.js").write_text("\n".join(lines))
        process = subprocess.Popen(
            [
                path,
                "--headless",
                "--no-remote",
                "--profile",
                profile,
                "--remote-debugging-port",
                "0",
                "about:blank",
            ],
            stdout=subprocess.DEVNULL,
            stderr=said,
        )

        def address() -> str:
            told = Path(said.name).read_text()
            assert process.poll() is None, f"Firefox ended: {told}"
            found = re.search(r"listening on (ws://\S+)\n", told)
            return found[1] if found else ""

        try:
            window = Firefox(until(address, SECONDS))
            yield window
            window.call("browser.close")
            window.socket.close()
            process.wait(SECONDS)
        finally:
            process.kill()
            process.wait()


@contextmanager
def webkit() -> Iterator[Engine]:
    path, display = browser.program("WebKit's driver"), browser.program("a display for WebKit")
    assert path, "there is no WebKitWebDriver; install one with: make browser"
    assert display, "there is no Xvfb; install it with: make browser"
    window = next(iter(sorted(Path("/usr").glob("lib*/**/webkit2gtk-4.1/MiniBrowser"))), None)
    assert window, "there is no MiniBrowser beside WebKitWebDriver"
    screen = subprocess.Popen(
        [display, "-displayfd", "1", "-screen", "0", "1000x900x24", "-nolisten", "tcp"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert screen.stdout
        number = screen.stdout.readline().strip()
        assert number, "Xvfb ended, and gave no display"
        environment = {
            **os.environ,
            "DISPLAY": f":{number}",
            "LANGUAGE": "es",
            # Its sandbox needs another user than root, or a kernel that grants it.
            "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1",
        }
        options = webdriver.WebKitGTKOptions()
        options.binary_location = str(window)
        options.add_argument("--automation")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # Selenium's, of itself
            service = Service(path, port=free_port(), env=environment)
            driver = webdriver.WebKitGTK(options=options, service=service)
        try:
            yield WebKit(driver)
        finally:
            driver.quit()
    finally:
        screen.terminate()
        screen.wait()
        if screen.stdout:
            screen.stdout.close()


OTHERS = {"firefox": firefox, "webkit": webkit}
