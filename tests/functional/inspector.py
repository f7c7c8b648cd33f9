"""Whoever looks at pages as they come: for what keeps somebody out (WCAG 2.2 AA)."""

from __future__ import annotations

from collections import defaultdict

from axe_playwright_python.base import AXE_SCRIPT
from pages import DESKTOP, PHONE, Person
from playwright.sync_api import BrowserContext

# Carried to a page once, and made there when the page is looked at.
AXE = f"self.makeAxe = () => {{ {AXE_SCRIPT} }}"
TOLD = {"resultTypes": ["violations"], "selectors": False, "iframes": False, "preload": False}
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
} | TOLD
COLORS = {"runOnly": ["color-contrast"]} | TOLD
WITHOUT_COLORS = RULES | {"rules": {"color-contrast": {"enabled": False}}}
# All that axe has to say of a page, what is well with it too, takes longer to carry than to find.
BARRIERS = """async (options) => {
  if (!self.axe) makeAxe();
  const { violations } = await axe.run(options);
  return violations.map(({ id, nodes }) =>
    [id, ...nodes.slice(0, 3).map((node) => node.html.slice(0, 90))].join(": "));
}"""
# Wider than the window, or a word cut off, is a page that has to be scrolled sideways.
# What is drawn has no box of its own that could scroll: there, what is seen counts.
OVERFLOW = """() => [...document.querySelectorAll("body, body *")]
  .filter((each) => each.checkVisibility()
    && !each.closest(".hidden, .skip, pre, textarea, dd, .scroll"))
  .filter((each) => each.getBoundingClientRect().right > innerWidth + 1
    || (each.scrollWidth > each.clientWidth + 1 && each.clientWidth
      && !each.matches("input, svg *")))
  .map((each) => `${each.tagName} ${each.className} "${each.textContent.trim().slice(0, 40)}"`)"""
# Links within a sentence are as high as their line (WCAG 2.2, 2.5.8); one that stands alone is not.
SMALL = """() => [...document.querySelectorAll("a, button, input, textarea, summary, .option")]
  .filter((each) => each.checkVisibility() && !each.closest(".hidden, .skip"))
  .filter((each) => !(each.matches("a") && getComputedStyle(each).display === "inline"
    && (each.closest("p:not(.actions), li, dd") ?? each).innerText.trim()
      !== each.innerText.trim()))
  .map((each) => each.closest(".option") ?? each)
  .filter((each) => each.getBoundingClientRect().height < 43.9)
  .map((each) => `${each.tagName} ${each.textContent.trim().slice(0, 40)}`)"""
SPACED = f"""() => {{
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`html {{ font-size: 200% }} * {{ line-height: 1.5 !important;
    letter-spacing: .12em !important; word-spacing: .16em !important }}
    p {{ margin-bottom: 2em !important }}`);
  document.adoptedStyleSheets = [sheet];
  const found = ({OVERFLOW})();
  document.adoptedStyleSheets = [];
  return found;
}}"""
DOUBLED = f"""() => {{
  document.documentElement.style.fontSize = "200%";
  const found = ({OVERFLOW})();
  document.documentElement.style.fontSize = "";
  return found;
}}"""
# What is to be filled in has a place on paper where it is a page of questions, and nowhere else.
PRESSED = """() => [...document.querySelectorAll("button, .actions a, nav a, "
    + "form:not([data-send]) :is(input, textarea, select, summary)")]
  .filter((each) => each.checkVisibility()).map((each) => each.name || each.textContent.trim())"""
PRIMARY = """() => [...document.querySelectorAll(".primary")]
  .filter((each) => each.checkVisibility()).map((each) => each.textContent.trim())"""
LETTERS = """() => [...document.querySelectorAll("input:not([type=hidden]), textarea, button")]
  .filter((each) => each.checkVisibility())
  .map((each) => [each.name || each.textContent, parseFloat(getComputedStyle(each).fontSize)])
  .filter(([name, size]) => size < 16)
  .map(([name, size]) => `${name}: ${size} px`)"""


class Inspector:
    """Looks at each page in every way, and keeps what it finds by what it looked for.

    Without *colors* not at those, which take two thirds of the time.
    """

    def __init__(self, language: str, *, colors: bool = True) -> None:
        self.language = language
        self._looks_at_colors = colors
        self._rules = RULES if colors else WITHOUT_COLORS
        self.seen: list[str] = []
        self.found: defaultdict[str, list[str]] = defaultdict(list)
        self._equipped: set[BrowserContext] = set()

    def look(self, someone: Person, name: str) -> None:
        page = someone.page
        self.seen.append(name)
        if page.locator("html").get_attribute("lang") != self.language:
            self.found["language"].append(name)
        self._equip(someone)
        self._note("barriers", name, page.evaluate(BARRIERS, self._rules))
        if self._looks_at_colors:  # by night nothing else is different
            page.emulate_media(color_scheme="dark")
            self._note("barriers", f"{name}, dark", page.evaluate(BARRIERS, COLORS))
            page.emulate_media(color_scheme="light")
        if len(primary := page.evaluate(PRIMARY)) > 1:
            self._note("accents", name, primary)
        page.emulate_media(media="print")
        self._note("paper", name, page.evaluate(PRESSED))
        page.emulate_media(media="screen")
        self._note("letters", name, page.evaluate(LETTERS))
        page.set_viewport_size(PHONE)
        if someone.overflow > 0:
            self._note("phone", name, [f"wider than a phone by {someone.overflow} pixels"])
        self._note("phone", name, page.evaluate(OVERFLOW) + page.evaluate(SMALL))
        page.set_viewport_size({"width": 640, "height": 900})
        self._note("spaced", name, page.evaluate(SPACED))
        page.set_viewport_size({"width": 360, "height": 900})
        self._note("doubled", name, page.evaluate(DOUBLED))
        page.set_viewport_size(DESKTOP)

    def _equip(self, someone: Person) -> None:
        """Whatever is opened from now on has axe with it; the page that is open is given it."""
        if (context := someone.page.context) not in self._equipped:
            self._equipped.add(context)
            context.add_init_script(AXE)
            someone.page.evaluate(f"() => {{ {AXE} }}")

    def _note(self, kind: str, name: str, found: list[str]) -> None:
        self.found[kind] += [f"{name}: {each}" for each in found]
