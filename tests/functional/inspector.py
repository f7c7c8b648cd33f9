"""Whoever looks at pages as they come: for what keeps somebody out (WCAG 2.2 AA)."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from pages import DESKTOP, PHONE, Person

RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}
# Wider than the window, or a word cut off, is a page that has to be scrolled sideways.
# What is drawn has no box of its own that could scroll: there, what is seen counts.
OVERFLOW = """() => [...document.querySelectorAll("body, body *")]
  .filter((each) => each.checkVisibility()
    && !each.closest(".hidden, .skip, pre, textarea, dd, .scroll"))
  .filter((each) => each.getBoundingClientRect().right > innerWidth + 1
    || (each.scrollWidth > each.clientWidth + 1 && each.clientWidth
      && !each.matches("input, svg *")))
  .map((each) => `${each.tagName} ${each.className} "${each.textContent.trim().slice(0, 40)}"`)"""
# Links within a sentence are as high as their line (WCAG 2.2, 2.5.8).
SMALL = """() => [...document.querySelectorAll("a, button, input, textarea, summary, .option")]
  .filter((each) => each.checkVisibility() && !each.closest(".hidden, .skip"))
  .filter((each) => !(each.matches("a") && each.closest("p:not(.actions), li, dd")
    && getComputedStyle(each).display === "inline"))
  .map((each) => each.closest(".option") ?? each)
  .filter((each) => each.getBoundingClientRect().height < 43.9)
  .map((each) => `${each.tagName} ${each.textContent.trim().slice(0, 40)}`)"""
SPACED = """() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`html { font-size: 200% } * { line-height: 1.5 !important;
    letter-spacing: .12em !important; word-spacing: .16em !important }
    p { margin-bottom: 2em !important }`);
  document.adoptedStyleSheets = [sheet];
}"""
DOUBLED = "document.documentElement.style.fontSize = '200%'"
LETTERS = """() => [...document.querySelectorAll("input:not([type=hidden]), textarea, button")]
  .filter((each) => each.checkVisibility())
  .map((each) => [each.name || each.textContent, parseFloat(getComputedStyle(each).fontSize)])
  .filter(([name, size]) => size < 16)
  .map(([name, size]) => `${name}: ${size} px`)"""


class Inspector:
    """Looks at each page in every way, and keeps what it finds by what it looked for."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.seen: list[str] = []
        self.found: defaultdict[str, list[str]] = defaultdict(list)

    def look(self, someone: Person, name: str) -> None:
        page = someone.page
        self.seen.append(name)
        if page.locator("html").get_attribute("lang") != self.language:
            self.found["language"].append(name)
        self._barriers(name, Axe().run(page, options=RULES).response)
        # By night nothing is different but the colours.
        page.emulate_media(color_scheme="dark")
        by_night = page.evaluate("axe.run({ runOnly: ['color-contrast'] })")  # it is in the page
        self._barriers(f"{name}, dark", by_night)
        page.emulate_media(color_scheme="light")
        self._note("letters", name, page.evaluate(LETTERS))
        page.set_viewport_size(PHONE)
        if someone.overflow > 0:
            self._note("phone", name, [f"wider than a phone by {someone.overflow} pixels"])
        self._note("phone", name, page.evaluate(OVERFLOW) + page.evaluate(SMALL))
        page.set_viewport_size({"width": 640, "height": 900})
        page.evaluate(SPACED)
        self._note("spaced", name, page.evaluate(OVERFLOW))
        page.evaluate("document.adoptedStyleSheets = []")
        page.set_viewport_size({"width": 360, "height": 900})
        page.evaluate(DOUBLED)
        self._note("doubled", name, page.evaluate(OVERFLOW))
        page.evaluate("document.documentElement.style.fontSize = ''")
        page.set_viewport_size(DESKTOP)

    def _note(self, kind: str, name: str, found: list[str]) -> None:
        self.found[kind] += [f"{name}: {each}" for each in found]

    def _barriers(self, name: str, response: dict[str, Any]) -> None:
        for violation in response["violations"]:
            nodes = [node["html"][:90] for node in violation["nodes"][:3]]
            self._note("barriers", name, [f"{violation['id']}: {nodes}"])
