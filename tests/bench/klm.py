"""How long a complete report takes: the keystroke-level model, walked through the real form.

    python tests/bench/klm.py

The call of the example in docs/mail.md is filled in with mouse and keyboard, as Card, Moran and
Newell model it ("The keystroke-level model for user performance time with interactive systems",
Communications of the ACM 23(7), 1980). Ends with 1 when a goal is missed.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))
sys.path.append(str(Path(__file__).parents[1] / "functional"))

from browser import chromium
from figures import Figure, at_most
from pages import person
from playwright.sync_api import Page
from sites import running
from test_example import CALL as EXAMPLE

# Seconds, as published.
K = 0.28  # a key, by an average typist who is no secretary (40 words a minute)
P = 1.10  # pointing at something with the mouse
B = 0.10  # pressing or releasing the mouse's button; a click is two
H = 0.40  # a hand from the mouse to the keyboard or back
M = 1.35  # making up one's mind before an answer
# The system's answer, as measured on a link of 400 ms and 400 kbit/s by first_paint.py.
R = 0.52

# The call of the example: who of which company, what fails, the exact error, since when,
# what changed. Answered by email, so that no phone number is needed; the time as people pick one.
SAID = EXAMPLE | {"started": "hour_1", "preferred_channel": "email"}
ASKED = {
    "failure": ("service", "affected", "summary", "error_message", "impact"),
    "timing": ("started", "pattern"),
    "changes": ("changed",),
    "contact": ("name", "company", "email", "email_affected", "preferred_channel"),
}
CALL = {slug: {key: SAID[key] for key in keys} for slug, keys in ASKED.items()}
GOALS = {"required answers": 10, "pages": 6, "seconds": 100}


@dataclass
class Effort:
    """What somebody does on one page."""

    page: str
    required: int = 0
    answers: int = 0
    keys: int = 0
    clicks: int = 0
    homings: int = 0

    @property
    def seconds(self) -> float:
        clicks = self.clicks * (P + 2 * B)
        return self.answers * M + self.keys * K + clicks + self.homings * H + R


@dataclass
class Walk:
    efforts: list[Effort] = field(default_factory=list)

    def press(self, page: Page, effort: Effort) -> None:
        with page.expect_navigation():
            page.click("main .primary")
        effort.clicks += 1
        self.efforts.append(effort)

    def fill(self, page: Page, slug: str) -> None:
        effort = Effort(slug, required=required(page))
        for name, value in CALL[slug].items():
            effort.answers += 1
            effort.clicks += 1
            option = page.locator(f'[name="{name}"][value="{value}"]')
            if option.count():
                option.check()
            else:
                page.locator(f'[name="{name}"]').press_sequentially(value)
                effort.keys += len(value)
                effort.homings += 2
        self.press(page, effort)


def required(page: Page) -> int:
    """How many answers of this page are asked for again when all are left blank."""
    token = page.locator("[name=csrf_token]").first.input_value()
    answer = page.request.post(page.url, form={"csrf_token": token})
    return answer.text().count('<li><a href="#f-')


def walk(page: Page) -> list[Effort]:
    walked = Walk()
    page.goto("/")
    walked.press(page, Effort("start"))
    for slug in CALL:
        walked.fill(page, slug)
    # One more thought, to look everything over.
    walked.press(page, Effort("review", answers=1))
    assert "/r/" in page.url
    return walked.efforts


def walked() -> list[Effort]:
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Path(folder)) as site,
        chromium() as browser,
        person(browser, site) as customer,
    ):
        return walk(customer.page)


def figures(efforts: list[Effort] | None = None) -> list[Figure]:
    efforts = efforts or walked()
    found = {
        "required answers": sum(each.required for each in efforts),
        "pages": len(efforts),
        "seconds": sum(each.seconds for each in efforts),
    }
    return [
        at_most(f"a report: {name}", found[name], goal, "{:.0f}") for name, goal in GOALS.items()
    ]


def main() -> int:
    efforts = walked()
    print(f"{'page':10}{'required':>10}{'answers':>10}{'keys':>8}{'clicks':>8}{'seconds':>9}")
    for each in efforts:
        print(
            f"{each.page:10}{each.required:10}{each.answers:10}{each.keys:8}{each.clicks:8}"
            f"{each.seconds:9.1f}"
        )
    found = figures(efforts)
    for figure in found:
        print(f"{figure.what}: {figure.found} (goal: {figure.goal})")
    return int(any(figure.met is False for figure in found))


if __name__ == "__main__":
    raise SystemExit(main())
