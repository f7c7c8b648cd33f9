"""Every page in every state that a customer can meet, one after the other, in one language."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pages import FAILURE, STEPS, person
from playwright.sync_api import Browser, Page
from sites import Site

SECRET = FAILURE | {"error_message": "login failed, password: hunter2-secret!"}
OPENED = {
    "timing": {"started": "at", "pattern": "intermittent"},
    "changes": {"changed": "yes"},
    "contact": {"email_affected": "yes"},
}


def states(
    browser: Browser, site: Site, language: str, width: int = 1280
) -> Iterator[tuple[str, Page]]:
    """(what it is, the page as it stands). The same page goes on to the next state."""
    size = {"width": width, "height": 900}
    with person(browser, site, language, viewport=size) as customer:
        page = customer.page
        page.goto(f"/?lang={language}")
        page.evaluate("navigator.serviceWorker?.ready.then(() => 0)")
        yield "start", page
        for slug, answers in STEPS.items():
            page.goto(f"/report/{slug}")
            yield slug, page
            customer.continues()
            yield f"{slug}, with errors", page
            if slug in OPENED:
                customer.fills(OPENED[slug])
                customer.continues()
                yield f"{slug}, with errors in questions under an answer", page
            customer.fills(SECRET if slug == "failure" else answers)
            yield f"{slug}, filled in", page
            customer.continues()
        yield "review, with a secret pointed out", page
        with failing(page):
            customer.presses()
            page.locator("#trouble h2").wait_for()
            page.click("#trouble summary")
            yield "review, without a connection", page
        page.wait_for_url("**/r/*")  # it goes on by itself
        yield "receipt", page
        page.goto("/report/failure")
        yield "another report", page
        page.fill("#f-summary", "Otra cosa")
        page.reload()
        page.locator("#offer").wait_for()
        yield "unsent answers offered", page
        page.goto("/offline")
        yield "offline form", page
        page.goto("/nowhere")
        yield "no such page", page
        page.goto("/report/failure")
        with page.expect_navigation():
            page.evaluate(
                "const form = document.querySelector('main form');"
                "form.csrf_token.value = 'stale'; form.submit()"
            )
        yield "stale page", page


class failing:  # noqa: N801 (reads as a word)
    """While the server gives no answer."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def __enter__(self) -> None:
        self.page.route("**/*", lambda route: route.abort())

    def __exit__(self, *_: object) -> None:
        self.page.unroute_all(behavior="wait")


def each(
    browser: Browser,
    site: Site,
    language: str,
    look: Callable[[Page], list[str]],
    **options: object,
) -> list[str]:
    """What *look* finds in each state, said with the state it was found in."""
    return [
        f"{state}: {found}"
        for state, page in states(browser, site, language, **options)
        for found in look(page)
    ]
