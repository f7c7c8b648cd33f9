"""Pictures of every page and state, in screenshots/: by language, width and colours; or the two of
the README.

make screenshots · make pictures
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.append(str(Path(__file__).parent / "functional"))

from browser import chromium
from factories import LANGUAGES, SLUGS
from pages import DESKTOP, PHONE, Person, person
from running import until
from test_example import CALL, UNSAID
from tour import ADDRESS, tour, toured
from tour.form import open_inbox

from reporter.wizard.steps import MINIMUM_TIME

FOLDER = Path("screenshots")
# A picture that is taken sooner may lack what has not been drawn in the new size yet.
PAINTED = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
README = Path("tests/pictures")
DOWN = Path("deploy/down.html")  # what a proxy shows while nobody answers


def every_page() -> None:
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.png"):
        old.unlink()
    for language in LANGUAGES:
        with (
            tempfile.TemporaryDirectory() as folder,
            toured(Path(folder)) as (service, smtp),
            chromium() as browser,
            person(browser, service, language, address=ADDRESS) as customer,
            person(browser, service, language) as support,
        ):
            album = Album(language)
            tour(album.look, customer, support, service, smtp)
            customer.page.goto("about:blank")  # whose policy allows all
            customer.page.set_content(DOWN.read_text(encoding="utf-8"))
            album.look(customer, "down")
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
                someone.page.evaluate(PAINTED)
                about = f"{self.language}-{viewport['width']}-{colors}"
                file = FOLDER / f"{about}-{self.number:02}-{title}.png"
                someone.page.screenshot(path=file, full_page=True)


def readme() -> None:
    """The first page of questions, as the example of docs/mail.md answers it, and the ticket."""
    with (
        tempfile.TemporaryDirectory() as folder,
        toured(Path(folder)) as (service, smtp),
        chromium() as browser,
        person(browser, service, "es", viewport={"width": 390, "height": 844}) as customer,
    ):
        README.mkdir(exist_ok=True)
        said = CALL | UNSAID | {"started": "hour_1", "started_at": None, "approximate": None}
        customer.starts()
        for slug in SLUGS:
            customer.answers(slug, **said)
            if slug == "failure":
                customer.page.locator("h1").click()  # nothing is focused
                customer.question("error_message").evaluate("(area) => { area.scrollLeft = 0 }")
                customer.page.screenshot(path=README / "form.png", full_page=True)
            customer.continues()
        customer.page.wait_for_timeout(1000 * MINIMUM_TIME.total_seconds())  # a person's pace
        customer.sends()
        until(lambda: len(smtp.received) == 2)  # the ticket and its acknowledgement
        open_inbox(customer, service, smtp)
        customer.follows(f".mails a:has-text('{CALL['summary']}')")
        customer.page.set_viewport_size({"width": 720, "height": 800})
        customer.page.screenshot(path=README / "ticket.png", full_page=True)


if __name__ == "__main__":
    readme() if "--readme" in sys.argv else every_page()
