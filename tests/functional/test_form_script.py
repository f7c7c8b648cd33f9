"""What the script adds to the form, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
import sites
from pages import CHANGES, CONTACT, FAILURE, TIMING, Person, bytes_on_the_line, person
from playwright.sync_api import Browser, Page, Route, expect
from running import until
from servers import smtp_server
from sites import Site


@pytest.fixture
def customer(browser: Browser, site: Site) -> Iterator[Person]:
    """Whose requests are all seen: those that a service worker passes on are not."""
    with person(browser, site, service_workers="block") as customer:
        yield customer


@contextmanager
def known_incident(site: Site, text: str = "Cae el nodo 7") -> Iterator[None]:
    """One that is closed at the end: the tests of this file have one site."""
    key = site.run("notice", "open", "--service", FAILURE["service"], "--text", text).strip()
    yield
    site.run("notice", "close", key, "--text", "Era un disco")


def stored(page: Page) -> str:
    """What the browser keeps of drafts."""
    return page.evaluate("Object.values(localStorage).join()")


def test_the_zone_is_the_browsers(browser, site):
    with person(browser, site, zone="America/Bogota") as customer:
        customer.walks_to("timing")
        expect(customer.page.locator("#f-timezone")).to_have_value("America/Bogota")


@pytest.mark.parametrize(
    ("language", "zone", "typed", "words"),
    [
        ("es-ES", "Europe/Madrid", "2026-11-23T10:05", "hoy 10:05, hace 42 minutos"),
        ("en-GB", "Europe/Madrid", "2026-11-23T10:05", "today 10:05, 42 minutes ago"),
        ("es-ES", "Europe/Madrid", "2026-11-22T23:47", "ayer 23:47, hace 11 horas"),
        ("es-ES", "America/Bogota", "2026-11-23T04:05", "hoy 04:05, hace 42 minutos"),
        ("en-GB", "Europe/Madrid", "2026-11-20T10:47", "Friday 20 November at 10:47, 3 days ago"),
        ("es-ES", "Europe/Madrid", "2026-11-23T11:47", "hoy 11:47, dentro de 1 hora"),
    ],
)
def test_a_chosen_time_is_read_back_as_people_say_it(browser, site, language, zone, typed, words):
    with person(browser, site, language) as customer:
        page = customer.page
        customer.walks_to("timing")
        page.clock.set_fixed_time("2026-11-23T10:47:00+01:00")
        page.reload()
        page.check('[value="at"]')
        page.fill("#f-timezone", zone)
        page.fill("#f-started_at", typed)
        expect(page.get_by_role("status").first).to_have_text(words)


def test_what_was_typed_survives_a_crash_and_is_offered_back(customer, page, site):
    page.goto("/report/failure")
    customer.fills(FAILURE)
    expect(page.get_by_text("se conserva en este navegador")).to_be_visible()
    context = page.context
    page.close()
    again = context.new_page()
    again.goto("/report/failure")
    expect(again.locator("#f-summary")).to_have_value("")
    again.get_by_role("button", name="Recuperarlas").click()
    expect(again.locator("#f-summary")).to_have_value(FAILURE["summary"])
    expect(again.locator('[value="critical"]')).to_be_checked()
    expect(again.get_by_role("heading", level=1)).to_be_focused()
    expect(again.locator("#offer")).to_be_hidden()


def test_what_is_discarded_is_not_offered_again(customer, page):
    page.goto("/report/failure")
    customer.fills(FAILURE)
    again = page.context.new_page()  # after a reload a browser may put some back by itself
    again.goto("/report/failure")
    again.get_by_role("button", name="Descartarlas").click()
    assert "error 502" not in stored(again)
    again.reload()
    expect(again.locator("#offer")).to_be_hidden()


def test_the_browser_keeps_neither_tokens_nor_what_is_no_question_of_ours(customer, page):
    customer.walks_to("timing")
    kept = stored(page)
    assert "502" in kept
    assert "csrf" not in kept
    assert "topic" not in kept
    # As an extension puts one there, which costs the others nothing.
    page.evaluate(
        """() => {
          const theirs = Object.assign(document.createElement("input"), { name: "theirs" });
          document.querySelector("#step").prepend(theirs);
        }"""
    )
    page.fill("[name=theirs]", "de nadie")
    customer.fills(TIMING)
    assert "continuous" in stored(page)
    assert "de nadie" not in stored(page)


def test_nothing_is_kept_once_it_is_sent(customer, page):
    customer.walks_to("review")
    assert "502" in stored(page)
    customer.continues()
    page.wait_for_url("**/r/*")
    assert stored(page) == ""
    page.goto("/report/failure")
    expect(page.locator("#f-summary")).to_have_value("")
    expect(page.locator("#offer")).to_be_hidden()


def test_a_second_press_makes_no_second_request(customer, page):
    customer.walks_to("review")
    posts = []
    page.on("request", lambda request: request.method == "POST" and posts.append(request.url))
    page.locator("main button.primary").dblclick()
    page.wait_for_url("**/r/*")
    assert len(posts) == 1


def test_wrong_answers_come_back_with_the_page(customer, page):
    page.goto("/report/failure")
    page.fill("#f-summary", "La tienda no carga")
    customer.continues()
    expect(page.locator(".errors")).to_be_focused()
    expect(page.locator("#f-summary")).to_have_value("La tienda no carga")


def test_going_back_and_changing_language_lose_nothing(customer, page):
    customer.walks_to("timing")
    page.check('[value="hour_1"]')
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("When it started")
    expect(page.locator('[value="hour_1"]')).to_be_checked()
    page.get_by_role("button", name="Back").click()
    page.wait_for_url("**/report/failure")
    expect(page.locator("#f-summary")).to_have_value(FAILURE["summary"])


def test_a_receipt_shows_by_itself_what_becomes_of_the_report(browser, tmp_path):
    with (
        smtp_server() as smtp,
        sites.running(tmp_path, MAIL_PORT=str(smtp.port)) as site,
        person(browser, site) as customer,
    ):
        page = customer.page
        customer.reports()
        progress = page.locator("[data-status]")
        expect(progress).to_have_attribute("aria-live", "polite")
        expect(progress).to_contain_text("En camino al equipo de soporte")
        below = page.locator("h2").first.bounding_box()
        site.run("worker", "--once")
        expect(progress).to_contain_text(re.compile("Enviado"))
        assert below
        assert abs(page.locator("h2").first.bounding_box()["y"] - below["y"]) <= 30
        service = FAILURE["service"]
        site.run("notice", "open", "--service", service, "--text", "Cae el nodo 7")
        expect(progress).to_contain_text("Cae el nodo 7")
        # What can be done about it comes with it, and what was promised goes once it is solved.
        expect(page.get_by_role("button", name="Es la misma incidencia")).to_be_visible()
        expect(page.locator("#next")).to_contain_text("leerá su aviso y trabajará en él")


def test_a_receipt_that_nobody_looks_at_asks_nothing(customer, page):
    customer.stops_the_clock()
    customer.reports()
    with page.expect_response("**/status.json"):
        page.clock.run_for(2_000)
    page.evaluate(
        "Object.defineProperty(document, 'hidden', {get: () => window.away !== false});"
        "document.dispatchEvent(new Event('visibilitychange'))"
    )
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.clock.run_for(120_000)
    assert asked == []
    with page.expect_request("**/status.json"):
        page.evaluate("window.away = false; dispatchEvent(new Event('visibilitychange'))")


def test_what_has_the_focus_on_a_receipt_keeps_it_when_there_is_news(customer, page, site):
    customer.reports()
    with known_incident(site, "a\tb\n" + "x" * 300):
        columns = page.locator("#live pre")
        expect(columns).to_be_visible()
        columns.focus()
        columns.evaluate("(pre) => { pre.scrollLeft = 99 }")
        site.sql("UPDATE message SET state = 'sent', sent_at = created_at WHERE kind = 'ticket'")
        expect(page.locator("#live .done b").nth(1)).to_have_text("Enviado")
        expect(columns).to_be_focused()
        assert columns.evaluate("(pre) => pre.scrollLeft") == 99


@pytest.mark.parametrize("status", [429, 503])
def test_a_receipt_whose_page_did_not_come_is_asked_for_again(customer, page, site, status):
    customer.reports()
    failing = [status]
    page.route(
        page.url,
        lambda route: route.fulfill(status=failing.pop()) if failing else route.continue_(),
    )
    site.sql("UPDATE message SET state = 'sent', sent_at = created_at WHERE kind = 'ticket'")
    expect(page.locator("#live .done b").nth(1)).to_have_text("Enviado")
    assert failing == []


@pytest.mark.parametrize(
    ("path", "helps", "at_first"),
    [
        ("/", set(), 8473),
        ("/report/failure", {"files.js", "trouble/es.js", "writing.js"}, 9962),
        ("/offline", {"trouble/es.js", "whole.js", "writing.js", "zone.js"}, 10_849),
    ],
)
def test_a_first_visit_asks_nobody_else_has_what_only_helps_later_and_is_as_light_as_at_first(
    page, site, path, helps, at_first
):
    """*at_first*: what it took before the screenshots, the box, the zones and most that is said."""
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    weights = bytes_on_the_line(page)
    page.goto(path, wait_until="networkidle")
    assert all(url.startswith(site.url) for url in asked)
    assert page.evaluate("document.querySelectorAll('script:not([src])').length") == 0
    came = {urlsplit(url).path.removeprefix("/static/") for url in asked} - {path, "/healthz"}
    assert came == {"reporter.js", "icon.svg"} | helps  # and nothing to offer what was typed before
    there, *later = page.evaluate(
        """() => [performance.getEntriesByType("navigation")[0].loadEventStart,
                  ...performance.getEntriesByType("resource")
                    .filter((each) => !/reporter[.]js|icon[.]svg|healthz/.test(each.name))
                    .map((each) => each.startTime)]"""
    )
    assert len(later) == len(helps)
    assert all(there <= each for each in later)
    first = {url: weight for url, weight in weights.items() if not url.endswith("/healthz")}
    first = {url: each for url, each in first.items() if not any(part in url for part in helps)}
    assert len(first) == 3, "the page, its script and its icon"
    assert sum(first.values()) <= at_first


@pytest.mark.parametrize("lose", [Route.abort, lambda _route: None], ids=["lost", "still coming"])
def test_where_what_is_shown_in_trouble_did_not_come_a_word_is_said_and_the_third_try_goes_plain(
    customer, page, lose
):
    page.context.route("**/static/trouble/*", lambda route: lose(route))
    customer.walks_to("timing")
    customer.fills(TIMING)
    page.clock.install()
    sent = []

    def answer(route):
        by_script = route.request.headers.get("x-requested-with")
        if route.request.method == "POST":
            sent.append(by_script)
        route.abort() if by_script else route.continue_()

    page.route("**/report/timing", answer)
    customer.presses()
    expect(page.locator("#sending")).to_contain_text("Lo que ha escrito está a salvo")
    for count in (1, 2):
        until(lambda count=count: page.title() and len(sent) >= count)
        expect(page.locator("main button.primary")).to_be_enabled()
        page.clock.run_for(4_000)
    page.wait_for_url("**/report/changes")
    assert sent == ["fetch", "fetch", "fetch", None]


# While it is sent --------------------------------------------------------------------------


def test_a_press_shows_at_once_that_it_is_sent_and_says_more_when_it_takes_long(customer, page):
    customer.walks_to("timing")
    customer.fills(TIMING)
    page.clock.install()
    held = []
    page.route(
        "**/report/timing",
        lambda route: held.append(route) if route.request.method == "POST" else route.continue_(),
    )
    customer.presses()
    expect(page.locator("#sending")).to_have_text("Enviando…")
    expect(page.locator("form[data-send]")).to_have_attribute("aria-busy", "true")
    expect(page.locator("main button.primary")).to_be_disabled()
    page.clock.run_for(8_000)
    expect(page.locator("#sending")).to_contain_text("más de lo habitual")
    # Nor does a page that takes long to be whole, for a logo say, make another press one.
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: false }))")
    page.evaluate("document.querySelector('form[data-send]').dispatchEvent(new Event('submit'))")
    expect(page.locator("#sending")).to_contain_text("más de lo habitual")
    assert len(held) == 1
    held[0].continue_()
    page.wait_for_url("**/report/changes")


def test_a_server_that_asks_to_wait_is_waited_for(customer, page):
    customer.walks_to("timing")
    customer.fills(TIMING)
    asked = []

    def answer(route):
        if route.request.method == "POST" and not asked:
            asked.append(route)
            route.fulfill(status=429, headers={"Retry-After": "1"})
        else:
            route.continue_()

    page.route("**/report/timing", answer)
    customer.stops_the_clock()
    customer.presses()
    expect(page.locator("#sending")).to_contain_text("Están llegando muchos avisos")
    expect(page.locator("#trouble")).to_be_hidden()
    page.clock.run_for(1_000)
    page.wait_for_url("**/report/changes")


def test_an_error_in_the_script_itself_sends_the_form_all_the_same(customer, page):
    customer.walks_to("timing")
    customer.fills(TIMING)
    page.evaluate("void (window.fetch = () => { throw new RangeError() })")
    customer.presses()
    page.wait_for_url("**/report/changes")


def test_trouble_comes_into_view_on_a_phone(browser, site):
    with person(browser, site, viewport={"width": 360, "height": 740}) as customer:
        page = customer.page
        customer.opens("/report/failure")  # its button is far down
        customer.fills(FAILURE)
        page.clock.install()
        held = []  # nothing comes back, and no refusal either
        page.route("**/report/failure", lambda route: held.append(route))
        customer.presses()
        until(lambda: page.title() and held)
        page.clock.run_for(30_000)
        expect(page.locator("#trouble")).to_be_focused()
        expect(page.locator("#trouble h2")).to_be_in_viewport()
        assert page.evaluate("document.querySelector('#trouble').getAttribute('role')") == "alert"


def test_copied_is_said_only_of_what_the_clipboard_took(customer, page):
    customer.walks_to("timing")
    customer.fills(TIMING)
    page.route("**/report/timing", lambda route: route.abort())
    customer.presses()
    page.evaluate(
        "navigator.clipboard.writeText = () => Promise.reject(); document.execCommand = () => false"
    )
    page.click("#trouble [value=copy]")
    expect(page.locator("#trouble .uncopied")).to_be_visible()
    expect(page.locator("#trouble .copied")).to_be_hidden()
    expect(page.locator("#trouble pre")).to_contain_text(FAILURE["summary"])


# Drafts ------------------------------------------------------------------------------------


def test_what_one_tab_holds_is_not_put_over_what_another_does(customer, page):
    customer.opens("/report/failure")
    customer.fills({"summary": "Incidencia A"})
    other = customer.opens_another_tab()
    other.opens("/report/failure")
    other.fills({"summary": "Incidencia B"})
    assert "Incidencia A" in stored(page)
    until(lambda: "Incidencia B" in stored(page))  # one tab hears of another's a little later
    customer.fills(FAILURE | {"summary": "Incidencia A"})
    customer.continues()
    other.fills(FAILURE | {"summary": "Incidencia B"})
    other.continues()
    third = customer.opens_another_tab()  # which the server can tell what the others hold
    third.opens("/")
    third.follows("main form a.secondary")
    third.page.wait_for_load_state("networkidle")
    expect(third.page.locator("#offer")).to_be_hidden()
    for each, words in ((customer, "Incidencia A"), (other, "Incidencia B")):
        for answers in (TIMING, CHANGES, CONTACT):
            each.fills(answers)
            each.continues()
        expect(each.page.locator("#a-summary")).to_contain_text(words)
        each.sends()
        each.page.wait_for_url("**/r/*")
    assert stored(page) == ""


def without_clear_site_data(route: Route) -> None:
    """As for a browser that does not know the header."""
    response = route.fetch(max_redirects=0)
    headers = {k: v for k, v in response.headers.items() if k != "clear-site-data"}
    assert headers != response.headers
    route.fulfill(response=response, headers=headers)


def test_a_browser_that_is_forgotten_keeps_nothing(customer, page):
    customer.walks_to("timing")
    assert "502" in stored(page)
    page.goto("/")
    page.route("**/report/forget", without_clear_site_data)
    page.get_by_role("button", name="Borrar lo que he escrito").click()
    expect(page.get_by_text("Hemos borrado")).to_be_visible()
    assert stored(page) == ""


# In what the browser keeps.
LONG_AGO = """() => {
  for (const [name, text] of Object.entries(localStorage)) {
    const draft = JSON.parse(text);
    draft.answers.started.at -= 2 * 60 * 60 * 1000;
    localStorage.setItem(name, JSON.stringify(draft));
  }
}"""


def test_just_now_that_is_asked_again_is_counted_from_when_it_was_answered_again(
    customer, page, site
):
    customer.walks_to("changes")
    ((key, steps),) = site.sql("SELECT id, steps FROM draft ORDER BY updated_at DESC LIMIT 1")
    old = re.sub(r'("answered_at": ")\d{4}', r"\g<1>2020", steps)
    site.sql("UPDATE draft SET steps = ? WHERE id = ?", old, key)
    page.evaluate(LONG_AGO)
    page.goto("/report/timing")
    expect(page.locator("#e-started")).to_contain_text("hace más de una hora")
    # As some browsers put it back by themselves: nothing tells a script of it.
    page.evaluate("document.querySelector('[value=just_now]').checked = true")
    customer.continues()
    page.wait_for_url("**/report/changes")


# The receipt -------------------------------------------------------------------------------


def test_every_press_on_a_receipt_is_answered_in_view(browser, site):
    phone = {"width": 360, "height": 740}
    with person(browser, site, viewport=phone) as customer, known_incident(site):
        page = customer.page
        customer.reports()
        receipt = customer.path

        def presses(selector: str, said: str) -> None:
            customer.follows(selector)
            word = page.locator(".note.done").first
            expect(word).to_contain_text(said)
            expect(word).to_be_focused()
            expect(word).to_be_in_viewport(ratio=1)

        presses("[name=wanted]", "Le enviaremos un correo cuando haya una actualización")
        presses("[name=wanted]", "Ya no le enviaremos")
        presses("[name=notice]", "Hemos vinculado su aviso")
        page.check("[name=kind][value=worse]")
        presses("#update .actions button", "Lo hemos guardado")
        page.goto(f"{receipt}/details/impact")
        page.fill("[name=deadline]", "hoy")
        customer.follows("[name=go][value=review].secondary")
        presses("main button.primary", "Hemos guardado sus detalles")
        page.locator("summary").last.click()
        presses("button[form=replace]", "Esta página tiene ahora otro enlace")


# As a translator in the browser does it: whatever comes new is rewritten too. How often each part
# was built again is counted.
TRANSLATED = """() => {
  window.rebuilt = {};
  for (const part of document.querySelectorAll('#live, #told')) {
    const translate = () => {
      const walker = document.createTreeWalker(part, NodeFilter.SHOW_TEXT);
      const texts = [];
      while (walker.nextNode()) texts.push(walker.currentNode);
      for (const text of texts) {
        const font = document.createElement('font');
        text.replaceWith(font);
        font.append(text);
      }
    };
    translate();
    window.rebuilt[part.id] = 0;
    const watch = new MutationObserver(() => {
      window.rebuilt[part.id]++;
      translate();
      watch.takeRecords();
    });
    watch.observe(part, { childList: true });
  }
}"""


def test_a_receipt_that_a_translator_rewrote_is_built_again_once_and_where_it_changed(
    customer, page, site
):
    customer.reports()
    customer.fills({"kind": "worse"})
    customer.follows("#update .actions button")
    page.evaluate(TRANSLATED)
    site.sql("UPDATE message SET state = 'sent', sent_at = created_at WHERE kind = 'ticket'")
    for _ in range(4):
        with page.expect_response(lambda response: response.url.endswith("/status.json")):
            pass
    expect(page.locator("#live .done b").nth(1)).to_have_text("Enviado")
    assert page.evaluate("window.rebuilt") == {"live": 1, "told": 0}


def test_a_date_in_large_letters_goes_on_in_the_next_line_of_its_field_on_a_phone(page):
    page.goto("/offline")
    page.check('[value="at"]')
    page.fill("#f-started_at", "2026-11-23T10:05")
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    heights = []
    for width in (1280, 320):
        page.set_viewport_size({"width": width, "height": 740})
        heights.append(page.locator("#f-started_at").bounding_box()["height"])
    assert heights[1] > 1.5 * heights[0]


def test_half_a_date_stays_and_is_pointed_out(customer, page):
    customer.walks_to("timing")
    customer.fills({"started": "at", "pattern": "continuous"})
    field = page.locator("#f-started_at")
    field.press_sequentially("1124")
    assert field.evaluate("field => field.validity.badInput")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method))
    customer.presses()
    expect(field).to_be_focused()
    assert field.evaluate("field => field.validity.badInput")
    expect(page.locator("output.error")).to_have_text("Escriba la fecha y también la hora")
    expect(field).to_have_attribute("aria-invalid", "true")
    assert "POST" not in sent
    page.wait_for_url("**/report/timing")
    field.fill("2025-11-24T09:30")
    expect(page.locator("output.error")).to_have_count(0)
    field.fill("2025-11-24T09:30")
    customer.continues()
    page.wait_for_url("**/report/changes")
