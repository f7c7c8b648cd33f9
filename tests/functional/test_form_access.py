"""The form for everyone: WCAG 2.2 AA as far as a program can tell, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from pages import CONTACT, FAILURE, Person, person
from playwright.sync_api import Browser, Locator, Page, expect
from sites import Site
from states import each

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}

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


@pytest.fixture
def customer(browser: Browser, site: Site) -> Iterator[Person]:
    with person(browser, site) as customer:
        yield customer


@pytest.fixture
def page(customer: Person) -> Page:
    """What is in their window, for all that is Playwright's own."""
    return customer.page


def barriers(page: Page) -> list[str]:
    """What axe finds, in both colour schemes; in the dark only what depends on colours."""
    found = []
    for scheme, rules in (("light", RULES), ("dark", {"runOnly": ["color-contrast"]})):
        page.emulate_media(color_scheme=scheme)
        for violation in Axe().run(page, options=rules).response["violations"]:
            nodes = [node["html"][:90] for node in violation["nodes"][:3]]
            found.append(f"{scheme}, {violation['id']}: {nodes}")
    return found


def errors(page: Page) -> Locator:
    """The summary of errors, among what else is said at once."""
    return page.get_by_role("alert").filter(has=page.get_by_role("heading"))


@pytest.mark.parametrize("language", ["es", "en"])
def test_axe_finds_nothing_on_any_page_in_any_state_and_scheme(browser, site, language):
    assert each(browser, site, language, barriers) == []


@pytest.mark.parametrize("language", ["es", "en"])
def test_nothing_is_cut_off_at_400_percent_and_every_target_is_large(browser, site, language):
    """A window of 1280 at 400 % is 320 wide (WCAG 2.2, 1.4.10)."""

    def look(page: Page) -> list[str]:
        return page.evaluate(OVERFLOW) + page.evaluate(SMALL)

    assert each(browser, site, language, look, width=320) == []


def test_text_at_200_percent_with_wide_spacing_is_not_cut_off(browser, site):
    """WCAG 2.2, 1.4.4 and 1.4.12."""

    def look(page: Page) -> list[str]:
        page.evaluate(SPACED)
        return page.evaluate(OVERFLOW)

    assert each(browser, site, "es", look, width=640) == []


def test_text_at_200_percent_on_a_phone_is_not_cut_off(browser, site):
    def look(page: Page) -> list[str]:
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        return page.evaluate(OVERFLOW)

    assert each(browser, site, "es", look, width=360) == []


LETTERS = """() => [...document.querySelectorAll("input:not([type=hidden]), textarea, button")]
  .filter((each) => each.checkVisibility())
  .map((each) => [each.name || each.textContent, parseFloat(getComputedStyle(each).fontSize)])
  .filter(([name, size]) => size < 16)"""


def test_nothing_is_typed_in_letters_so_small_that_a_phone_enlarges_the_page(browser, site):
    assert each(browser, site, "es", lambda page: page.evaluate(LETTERS)) == []


def has_columns(field: Locator) -> bool:
    """Whether it shows text in letters of one width, of a size to be read, and tabs of eight."""
    style = "(field) => { const style = getComputedStyle(field);"
    family, size, tab = field.evaluate(
        f"{style} return [style.fontFamily, parseFloat(style.fontSize), style.tabSize] }}"
    )
    return "monospace" in family and size >= 16 and tab == "8"


def breaks_lines(field: Locator) -> bool:
    """Whether a line that is too long goes on in the next one, rather than be scrolled to."""
    return bool(field.evaluate("(field) => getComputedStyle(field).whiteSpace != 'pre'"))


def test_exact_text_keeps_its_columns_on_the_form_the_review_and_the_receipt(customer, page):
    table = "Host\tLoss%\tSnt\n1. gw\t0.0%\t10  " + "x" * 200
    page.goto("/report/failure")
    error = page.locator("#f-error_message")
    assert has_columns(error)
    assert breaks_lines(error) is False
    page.fill("#f-summary", "x" * 90)
    left = page.locator("#f-summary + [role=status]")
    page.fill("#f-summary", "x" * 115)
    expect(left).to_have_text("Caracteres que quedan: 5")
    page.fill("#f-summary", "x" * 122)
    expect(left).to_have_text("Caracteres de más: 2")
    page.fill("#f-summary", "x" * 90)
    expect(left).to_have_text("")
    customer.walks_to("review", error_message=table)
    shown = page.locator("#a-error_message pre")
    assert has_columns(shown)
    assert shown.evaluate("(pre) => pre.scrollWidth > pre.clientWidth")
    shown.focus()
    expect(shown).to_be_focused()  # and so a keyboard scrolls it
    customer.continues()
    page.wait_for_url("**/r/*")
    page.check("[name=kind][value=worse]")
    page.fill("#f-text", "Ahora tampoco hay correo.  Ni web")
    assert breaks_lines(page.locator("#f-text")) is True
    page.fill("#f-text", table)
    assert has_columns(page.locator("#f-text"))
    assert breaks_lines(page.locator("#f-text")) is False
    page.locator("#update .actions button").click()
    assert has_columns(page.locator(".told pre"))
    page.goto(page.url.partition("#")[0] + "/details/evidence")
    assert has_columns(page.locator("#f-tests_done"))


def test_a_report_can_be_made_with_the_keyboard_alone(page):
    def tab_to(selector: str) -> None:
        for _ in range(60):
            page.keyboard.press("Tab")
            if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
                outline = "getComputedStyle(document.activeElement.closest('.option') ??"
                outline += " document.activeElement).outlineStyle"
                assert page.evaluate(outline) == "solid", f"no focus to be seen on {selector}"
                return
        raise AssertionError(f"Tab does not reach {selector}")

    def choose(name: str, value: str) -> None:
        tab_to(f"[name={name}]")
        page.keyboard.press("Space")
        for _ in range(10):
            if page.evaluate("document.activeElement.value") == value:
                return
            page.keyboard.press("ArrowDown")
        raise AssertionError(f"{name} cannot be {value}")

    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Ir al contenido")).to_be_focused()
    page.keyboard.press("Enter")
    tab_to("main a.primary")
    page.keyboard.press("Enter")
    page.wait_for_url("**/report/failure")
    choose("service", "email")
    tab_to("[name=summary]")
    page.keyboard.type(FAILURE["summary"])
    choose("impact", "major")
    tab_to("main .primary")
    page.keyboard.press("Enter")
    page.wait_for_url("**/report/timing")
    choose("started", "just_now")
    choose("pattern", "continuous")
    page.keyboard.press("Enter")
    page.wait_for_url("**/report/changes")
    choose("changed", "no")
    page.keyboard.press("Enter")
    page.wait_for_url("**/report/contact")
    for name in ("name", "email"):
        tab_to(f"[name={name}]")
        page.keyboard.type(CONTACT[name])
    choose("email_affected", "no")
    choose("preferred_channel", "email")
    page.keyboard.press("Enter")
    page.wait_for_url("**/report/review")
    tab_to("main .primary")
    page.keyboard.press("Enter")
    page.wait_for_url("**/r/*")


def test_errors_take_the_focus_and_lead_to_their_questions(customer, page):
    page.goto("/report/failure")
    customer.continues()
    summary = errors(page)
    expect(summary).to_be_focused()
    assert page.title().startswith("Error:")
    summary.get_by_role("link", name="Cuente en una línea qué ocurre").click()
    field = page.locator("#f-summary")
    expect(field).to_be_focused()
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description(re.compile("Por ejemplo.*Error: Cuente en una"))
    summary.get_by_role("link", name="Elija el servicio que falla").click()
    expect(page.locator("[name=service]").first).to_be_focused()
    expect(page.get_by_role("group", name="¿Qué servicio falla?")).to_have_accessible_description(
        re.compile("Error: Elija el servicio")
    )


def test_without_scripts_errors_take_the_focus_too(browser, site):
    with person(browser, site, scripts=False) as customer:
        customer.opens("/report/failure")
        customer.continues()
        expect(errors(customer.page)).to_be_focused()


def test_fields_say_what_a_browser_may_fill_in_and_which_keyboard_to_show(customer, page):
    customer.walks_to("contact")
    wanted = {
        "name": ("name", None),
        "company": ("organization", None),
        "customer_number": ("off", None),
        "email": ("email", "email"),
        "phone": ("tel", "tel"),
    }
    for name, (autocomplete, inputmode) in wanted.items():
        field = page.locator(f"[name={name}]")
        assert field.get_attribute("autocomplete") == autocomplete
        assert field.get_attribute("inputmode") == inputmode
        # No browser mends a name or a number, nor begins an address with a capital.
        assert field.get_attribute("spellcheck") == "false"
        capitals = "words" if name in {"name", "company"} else "none"
        assert field.get_attribute("autocapitalize") == capitals


def test_a_screen_reader_meets_a_page_of_questions_in_order(customer, page):
    customer.walks_to("timing")
    page.check('[value="at"]')
    expect(page.locator("body")).to_match_aria_snapshot(
        """
        - link "Ir al contenido"
        - banner:
          - link "Ejemplo Hosting"
          - navigation "Idioma":
            - button "English"
          - paragraph:
            - link "+34 900 000 000"
        - main:
          - paragraph:
            - button "Volver"
          - paragraph: Paso 2 de 4
          - heading "Desde cuándo" [level=1]
          - group "¿Cuándo empezó?":
            - radio "Ahora mismo"
            - radio "Hace unos 15 minutos"
            - radio /una hora/
            - radio "A una hora concreta" [checked]
            - radio "No lo sé"
            - paragraph: /En su hora local/
            - textbox "Fecha y hora"
            - status
            - checkbox "Esa hora es aproximada"
            - textbox /Su zona horaria/: Europe/Madrid
          - group "¿Falla todo el tiempo?":
            - radio "Sí, todo el tiempo"
            - radio "Va y viene"
            - radio /ya funciona/
            - radio "No lo sé"
          - paragraph:
            - button "Continuar"
        - contentinfo
        """
    )


def test_a_screen_reader_meets_errors_before_the_questions(customer, page):
    page.goto("/report/failure")
    customer.continues()
    expect(page.get_by_role("main")).to_match_aria_snapshot(
        """
        - main:
          - paragraph:
            - button "Volver"
          - alert:
            - heading "Revise estas respuestas" [level=2]
            - list:
              - listitem:
                - link "Elija el servicio que falla"
              - listitem:
                - link "Cuente en una línea qué ocurre"
              - listitem:
                - link "Indique qué gravedad tiene"
          - paragraph: Paso 1 de 4
          - heading "Qué falla" [level=1]
          - group "¿Qué servicio falla?"
        """
    )


def test_a_screen_reader_hears_the_reference_first_on_the_receipt(customer, page):
    customer.reports()
    expect(page.get_by_role("main")).to_match_aria_snapshot(
        """
        - main:
          - paragraph: Su referencia
          - heading /INC-[A-Z0-9]{6}/ [level=1]
          - list "En qué punto está su aviso":
            - listitem: /Guardado/
            - listitem: /En camino al equipo de soporte/
        """
    )


def test_the_widest_reference_is_not_cut_off(customer, page):
    customer.reports()
    page.evaluate("document.querySelector('.reference h1').textContent = 'INC-WWWWWW'")
    page.set_viewport_size({"width": 320, "height": 900})
    assert page.evaluate(OVERFLOW) == []
    page.set_viewport_size({"width": 640, "height": 900})
    page.evaluate(SPACED)
    assert page.evaluate(OVERFLOW) == []


def test_colours_that_a_system_forces_leave_what_is_chosen_and_done_to_be_seen(customer, page):
    def style(selector: str, name: str, pseudo: str = "") -> str:
        read = "([at, name, pseudo]) => getComputedStyle(document.querySelector(at), pseudo)[name]"
        return page.evaluate(read, [selector, name, pseudo])

    page.emulate_media(forced_colors="active")
    page.goto("/report/failure")
    page.check('[value="critical"]')
    assert style(".option:has([value=critical])", "outlineStyle") == "solid"
    assert style(".option:has([value=major])", "outlineStyle") == "none"
    assert style("main .primary", "borderTopStyle") == "solid"
    assert style("progress", "borderTopStyle") == "solid"
    customer.reports()
    done, to_come = ".states .done", ".states li:not(.done)"
    assert style(done, "backgroundColor", "::before") != style(
        to_come, "backgroundColor", "::before"
    )


def test_on_paper_are_the_answers_and_nothing_to_press(customer, page):
    customer.walks_to("review")
    page.emulate_media(media="print")
    expect(page.get_by_text(FAILURE["summary"])).to_be_visible()
    for pressed in page.locator("main .actions, .back, header nav, footer, .heading a").all():
        expect(pressed).to_be_hidden()
    assert page.evaluate(OVERFLOW) == []


def test_on_paper_a_receipt_has_the_reference_its_link_and_every_answer_and_no_form(customer, page):
    customer.reports()
    page.emulate_media(media="print")
    expect(page.locator("h1")).to_be_visible()
    expect(page.get_by_text(page.url)).to_be_visible()
    for folded in page.locator("details.whole").all():
        folded.evaluate("(each) => { each.open = true }")  # as printing does
    expect(page.get_by_text(FAILURE["summary"])).to_be_visible()
    for pressed in page.locator("main form, main button, main input, main textarea").all():
        expect(pressed).to_be_hidden()
    assert page.evaluate(OVERFLOW) == []
