"""Pictures of every page and state, in screenshots/: by language, width and colours.

make screenshots
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.append(str(Path(__file__).parent / "functional"))

from browser import chromium
from pages import DESKTOP, PHONE, Person, person
from test_after_send import walk
from test_example import CALL
from tour import tour, toured

FOLDER = Path("screenshots")
README = Path("tests/pictures/form.png")
ADDRESS = "203.0.113.7"


def every_page() -> None:
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.png"):
        old.unlink()
    for language in ("es", "en"):
        with (
            tempfile.TemporaryDirectory() as folder,
            toured(Path(folder)) as (service, smtp),
            chromium() as browser,
            person(browser, service, language, address=ADDRESS) as customer,
            person(browser, service, language) as customer_after,
            person(browser, service, language) as support,
        ):
            look = Album(language).look
            for name in tour(customer, service, smtp, ADDRESS):
                look(customer, name)
            walk(look, customer_after, support, service, smtp, language)
    print(f"{len(list(FOLDER.glob('*.png')))} pictures in {FOLDER}/")


class Album:
    """The pictures of one language, numbered."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.number = 0

    def look(self, someone: Person, name: str) -> None:
        """A page as it is now, in both colours and both widths."""
        self.number += 1
        title = name.replace(", ", "-").replace(" ", "-")
        for colors in ("light", "dark"):
            someone.page.emulate_media(color_scheme=colors)
            for viewport in (PHONE, DESKTOP):
                someone.page.set_viewport_size(viewport)
                about = f"{self.language}-{viewport['width']}-{colors}"
                file = FOLDER / f"{about}-{self.number:02}-{title}.png"
                someone.page.screenshot(path=file, full_page=True)


def readme() -> None:
    """The first page of questions, as the example of the README answers it."""
    with (
        tempfile.TemporaryDirectory() as folder,
        toured(Path(folder)) as (service, _),
        chromium() as browser,
        person(browser, service, "es", viewport={"width": 720, "height": 800}) as customer,
    ):
        customer.opens("/report/failure")
        customer.fills(CALL)
        customer.page.locator("h1").click()  # nothing is focused
        README.parent.mkdir(exist_ok=True)
        customer.page.screenshot(path=README, full_page=True)


if __name__ == "__main__":
    readme() if "--readme" in sys.argv else every_page()
