"""The form for everyone: by keyboard, with a screen reader, in other colours, on paper."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from inspector import OVERFLOW, SPACED
from pages import CONTACT, FAILURE, STEPS, Person, person
from playwright.sync_api import Browser, Locator, Page, expect
from sites import Site


@pytest.fixture
def customer(browser: Browser, site: Site) -> Iterator[Person]:
    with person(browser, site) as customer:
        yield customer


def errors(page: Page) -> Locator:
    """The summary of errors, among what else is said at once."""
    return page.get_by_role("alert").filter(has=page.get_by_role("heading"))


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


def test_a_report_can_be_made_with_the_keyboard_alone(customer, page):
    def choose(name: str, value: str) -> None:
        customer.tabs_to(f"[name={name}]")
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
    customer.tabs_to("main a.primary")
    page.keyboard.press("Enter")
    page.wait_for_url("**/report/failure")
    choose("service", "email")
    customer.tabs_to("[name=summary]")
    page.keyboard.type(FAILURE["summary"])
    choose("impact", "major")
    customer.tabs_to("main .primary")
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
        customer.tabs_to(f"[name={name}]")
        page.keyboard.type(CONTACT[name])
    choose("email_affected", "no")
    choose("preferred_channel", "email")
    page.keyboard.press("Enter")
    page.wait_for_url("**/report/review")
    customer.tabs_to("main .primary")
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
    # The question comes into view with its field, not the field alone.
    page.set_viewport_size({"width": 360, "height": 640})
    summary.get_by_role("link", name="Indique qué gravedad tiene").click()
    expect(page.get_by_text("¿Qué gravedad tiene para ustedes?")).to_be_in_viewport()


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


@pytest.mark.parametrize("language", ["es", "en"])
def test_the_phone_is_one_line_under_the_header_of_a_small_phone(browser, site, language):
    line = "(line) => line.clientHeight / parseFloat(getComputedStyle(line).lineHeight)"
    with person(browser, site, language, viewport={"width": 360, "height": 740}) as customer:
        customer.reports()
        receipt = customer.path
        for path in ("/", "/report/failure", receipt, f"{receipt}/details/evidence", "/nowhere"):
            customer.opens(path)
            assert customer.page.locator("header .urgent").evaluate(line) < 1.5, path


# Of each group of options its last row, where another has more than that one.
ALONE = """() => [...document.querySelectorAll(".options")].flatMap((group) => {
  const rows = new Map();
  for (const option of group.querySelectorAll(".option:not(.none)")) {
    if (!option.checkVisibility()) continue;
    const top = Math.round(option.getBoundingClientRect().top);
    rows.set(top, [...(rows.get(top) ?? []), option]);
  }
  return [...rows.values()]
    .filter((row) => row.length === 1 && row[0].offsetWidth < group.clientWidth - 1)
    .map(([option]) => option.innerText);
})"""


@pytest.mark.parametrize("width", [320, 768, 1280])
def test_no_option_stands_alone_in_its_row(customer, page, width):
    page.set_viewport_size({"width": width, "height": 900})
    customer.reports()
    receipt = customer.path
    steps = [f"/report/{slug}" for slug in STEPS] + ["/offline"]
    details = [f"{receipt}/details/{slug}" for slug in ("evidence", "impact", "authorisation")]
    for path in [*steps, receipt, *details]:
        page.goto(path)
        assert page.evaluate(ALONE) == [], path


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


def test_a_logo_that_is_made_for_white_is_seen_by_night_too(customer, page):
    page.emulate_media(color_scheme="dark")
    page.goto("/")
    page.evaluate("document.querySelector('.provider').append(new Image())")
    expect(page.locator(".provider img")).to_have_css("background-color", "rgb(255, 255, 255)")


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
    folded = page.locator("details.whole")
    assert folded.get_attribute("open") is None
    expect(page.get_by_text(FAILURE["summary"])).to_be_visible()
    # Not every browser has styles that unfold: it says before and after that it prints.
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(folded).to_have_attribute("open", "")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(folded).not_to_have_attribute("open", "")
    for pressed in page.locator("main form, main button, main input, main textarea").all():
        expect(pressed).to_be_hidden()
    assert page.evaluate(OVERFLOW) == []
