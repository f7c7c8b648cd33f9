"""The server dies, the link drops, the browser crashes: nothing is lost and nothing sent twice."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from factories import LANGUAGES
from pages import CHANGES, CONTACT, FAILURE, STEPS, TAKEN_OVER, TIMING, Person, person
from playwright.sync_api import Browser, expect
from sites import Site

from reporter.web.stylesheet import FOLDER

UNREACHABLE = "Ahora mismo no podemos conectar con el servidor"


@pytest.fixture
def customer(browser: Browser, site: Site) -> Iterator[Person]:
    with person(browser, site) as customer:
        yield customer


@pytest.fixture
def watched(browser: Browser, site: Site) -> Iterator[Person]:
    """Whose requests a test can answer itself: no service worker takes them over meanwhile."""
    with person(browser, site, service_workers="block") as customer:
        yield customer


def reports(site: Site) -> int:
    return int(site.sql("SELECT count(*) FROM report")[0][0])


def visit_once(customer: Person) -> None:
    """Open the first page, and stay until the form is kept."""
    page = customer.page
    customer.opens("/")
    page.evaluate("navigator.serviceWorker.ready.then((worker) => worker.active.state)")
    page.evaluate(TAKEN_OVER)


def fills_in_without_a_connection(customer: Person, site: Site) -> None:
    """Opens the form that an earlier visit has kept, and answers all of it."""
    visit_once(customer)
    site.stop()
    customer.opens("/")
    for answers in STEPS.values():
        customer.fills(answers)


def test_when_the_server_dies_the_page_stays_says_so_and_goes_on_by_itself(customer, page, site):
    customer.walks_to("timing")
    customer.fills(TIMING)
    site.stop()
    customer.presses()
    expect(page.get_by_role("heading", name=UNREACHABLE)).to_be_visible()
    expect(page.locator('[value="continuous"]')).to_be_checked()
    expect(page.get_by_role("main").get_by_role("link", name="+34 900 000 000")).to_be_visible()
    site.start()
    page.wait_for_url("**/report/changes")


def test_while_it_waits_the_report_can_be_mailed_copied_and_printed(customer, page, site):
    customer.walks_to("contact")
    customer.fills(CONTACT)
    site.stop()
    customer.presses()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate("window.print = () => { window.printed = true }")
    mail = urlsplit(page.get_by_role("link", name="Enviarlo por correo").get_attribute("href"))
    assert (mail.scheme, mail.path) == ("mailto", "support@example.com")
    text = parse_qs(mail.query)["body"][0]
    for words in ("¿Qué servicio falla?\nAlojamiento web", FAILURE["summary"], CONTACT["email"]):
        assert words in text
    assert "csrf" not in mail.query
    page.get_by_role("button", name="Copiarlo").click()
    expect(page.get_by_text("Copiado")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == text
    page.get_by_role("button", name="Imprimirlo").click()
    assert page.evaluate("window.printed")


def test_an_error_of_the_server_is_waited_out_too(watched):
    customer, page = watched, watched.page
    customer.walks_to("timing")
    customer.fills(TIMING)
    failing = [429, 503]
    page.route(
        "**/report/*",
        lambda route: (
            route.fulfill(status=failing.pop(), headers={"Retry-After": "1"})
            if failing and route.request.method == "POST"
            else route.continue_()
        ),
    )
    customer.stops_the_clock()
    customer.presses()
    expect(page.get_by_role("heading", name=UNREACHABLE)).to_be_visible()
    page.clock.run_for(1_500)  # it is tried again by itself
    expect(page.locator("#sending")).to_contain_text("Están llegando muchos avisos")
    expect(page.locator("#trouble")).to_be_hidden()  # by now we were reached
    page.clock.run_for(1_000)
    page.wait_for_url("**/report/changes")
    customer.fills(CHANGES)
    failing.append(502)
    customer.presses()
    expect(page.get_by_role("heading", name=UNREACHABLE)).to_be_visible()
    page.get_by_role("button", name="Intentarlo ahora").click()
    page.wait_for_url("**/report/contact")


def test_an_answer_that_was_lost_does_not_make_a_second_report(watched, site):
    customer, page = watched, watched.page
    customer.walks_to("review")
    before = reports(site)
    lost = []

    def lose_first_answer(route):
        if route.request.method == "POST" and not lost:
            lost.append(route.fetch(max_redirects=0))  # the server took it
            route.abort()
        else:
            route.continue_()

    page.route("**/report/review", lose_first_answer)
    customer.presses()
    page.wait_for_url("**/r/*")
    assert lost
    assert reports(site) == before + 1


@pytest.mark.parametrize(
    ("locale", "title"), [("es-ES", "Comunicar una incidencia"), ("en-GB", "Report an incident")]
)
def test_after_one_visit_the_form_opens_without_a_connection(browser, site, locale, title):
    with person(browser, site, locale) as customer:
        page = customer.page
        visit_once(customer)
        site.stop()
        page.goto("/")
        expect(page.get_by_role("heading", level=1)).to_have_text(title)
        expect(page.locator("#f-summary")).to_be_visible()
        page.goto("/report/failure")
        expect(page.locator("#f-email")).to_be_visible()


def test_the_form_without_a_connection_is_in_a_language_of_the_same_family(browser):
    """As the server chooses one: a code may have three letters, or a region."""
    source = (FOLDER / "sw.js").read_text(encoding="utf-8")
    chosen = source[source.index("function form(") :]
    forms = {"es": "español", "ast": "asturianu", "pt-BR": "português"}
    wanted = ["es-AR", "ast", "as", "pt_BR", "pt", "pt-PT", "ast-ES", "fr", None]
    page = browser.new_page()
    found = page.evaluate(
        f"([forms, wanted]) => {{ const settings = {{ forms }}; {chosen};"
        " return wanted.map((each) => form(each) ?? ''); }",
        [forms, wanted],
    )
    page.close()
    assert found == [
        *("español", "asturianu", "", "português", "português", "português", "asturianu", "", ""),
    ]


def test_a_report_filled_in_without_a_connection_is_sent_once_there_is_one(customer, page, site):
    before = reports(site)
    fills_in_without_a_connection(customer, site)
    customer.presses()
    expect(page.get_by_role("heading", name=UNREACHABLE)).to_be_visible()
    site.start()
    page.wait_for_url("**/r/*")
    page.get_by_text("Mostrar sus respuestas").click()
    expect(page.get_by_text(FAILURE["summary"])).to_be_visible()
    assert reports(site) == before + 1
    page.goto("/")
    expect(page.get_by_role("link", name="Empezar")).to_be_visible()
    assert page.evaluate("Object.keys(localStorage)") == []


def test_a_zone_that_was_typed_is_there_again_and_not_that_of_the_device(browser, site):
    with person(browser, site, zone="America/Bogota") as customer:
        page = customer.page
        customer.opens("/offline")
        page.check('[value="at"]')
        expect(page.locator("#f-timezone")).to_have_value("America/Bogota")
        page.fill("#f-timezone", "Canarias")
        page.reload()
        page.click("h1")
        expect(page.locator('[value="at"]')).to_be_checked()
        page.wait_for_load_state("networkidle")
        expect(page.locator("#f-timezone")).to_have_value("Canarias")


def test_it_is_sent_by_the_next_visit_when_the_browser_was_closed(customer, page, site):
    before = reports(site)
    fills_in_without_a_connection(customer, site)
    customer.presses()
    expect(page.get_by_role("heading", name=UNREACHABLE)).to_be_visible()
    context = page.context
    page.close()
    site.start()
    again = context.new_page()
    again.goto("/")
    again.wait_for_url("**/r/*")
    assert reports(site) == before + 1


def test_a_report_half_sent_goes_on_without_a_connection_and_is_one_report(customer, page, site):
    before = reports(site)
    visit_once(customer)
    customer.walks_to("changes")
    customer.fills(CHANGES)
    site.stop()
    customer.presses()
    page.get_by_role("link", name="Seguir sin conexión").click()
    expect(page.locator("#f-summary")).to_have_value(FAILURE["summary"])
    expect(page.locator('[name=changed][value="no"]')).to_be_checked()
    customer.fills(CONTACT)
    customer.presses()
    site.start()
    page.wait_for_url("**/r/*")
    assert reports(site) == before + 1
    page.goto("/report/review")
    page.wait_for_url("**/r/*")  # the draft the server had is this report


def test_a_wrong_answer_found_late_is_shown_to_be_mended(customer, page, site):
    fills_in_without_a_connection(customer, site)
    page.check('[value="at"]')
    page.fill("#f-started_at", "2031-01-01T10:00")
    customer.presses()
    site.start()
    page.wait_for_url("**/report/timing?check=1")
    expect(page.get_by_role("alert")).to_contain_text("aún no ha llegado")
    page.check('[value="just_now"]')
    customer.continues()
    page.wait_for_url("**/report/changes")


def test_what_is_required_is_asked_for_in_our_words_while_the_server_cannot(customer, page, site):
    visit_once(customer)
    site.stop()
    page.goto("/")
    customer.presses()
    assert page.evaluate("document.activeElement.name") == "service"
    assert page.evaluate("document.querySelector('[data-draft]').noValidate")
    question = page.get_by_role("group", name="¿Qué servicio falla?")
    expect(question.locator(".error")).to_have_text("Elija el servicio que falla")
    expect(question).to_have_accessible_description("Elija el servicio que falla")
    expect(page.get_by_role("heading", name=UNREACHABLE)).to_be_hidden()
    for answers in STEPS.values():
        customer.fills(answers)
    page.fill("#f-email", "nobody")  # which a browser itself would refuse, in its own language
    customer.presses()
    expect(page.locator(".error")).to_have_count(0)
    expect(page.get_by_role("heading", name=UNREACHABLE)).to_be_visible()


def report(customer: Person) -> str:
    """Send one, and return the path of its receipt, which is open."""
    customer.reports()
    return customer.path


def test_what_is_added_to_a_report_waits_for_the_connection_too(customer, page, site):
    receipt = report(customer)
    reference = page.locator("h1").inner_text()
    page.goto("/report/failure")
    page.fill("#f-summary", "Otro aviso")  # which is none of this report
    page.goto(f"{receipt}/details/impact")
    page.fill("[name=users_affected]", "40 personas")
    site.stop()
    customer.presses()
    expect(page.get_by_role("heading", name=UNREACHABLE)).to_be_visible()
    expect(page.get_by_role("link", name="Seguir sin conexión")).to_be_hidden()
    mail = urlsplit(page.get_by_role("link", name="Enviarlo por correo").get_attribute("href"))
    query = parse_qs(mail.query)
    assert query["subject"] == [reference]
    assert query["body"][0].endswith("40 personas")
    assert "Otro aviso" not in query["body"][0]
    site.start()
    page.wait_for_url(f"**{receipt}/details/authorisation")
    page.goto(f"{receipt}/details/impact")
    expect(page.locator("[name=users_affected]")).to_have_value("40 personas")
    expect(page.locator("#offer")).to_be_hidden()


def test_news_from_the_receipt_wait_for_the_connection_too(customer, page, site):
    receipt = report(customer)
    page.check('[name=kind][value="worse"]')
    page.fill("[name=text]", "Ahora tampoco hay correo")
    site.stop()
    page.get_by_role("button", name="Enviar al equipo de soporte").click()
    expect(page.get_by_role("heading", name=UNREACHABLE)).to_be_visible()
    expect(page.locator("#trouble pre")).to_contain_text("Ahora tampoco hay correo")
    expect(page.locator("[name=text]")).to_have_value("Ahora tampoco hay correo")
    site.start()
    expect(page.locator(".told")).to_contain_text("Ahora tampoco hay correo")
    assert urlsplit(page.url).path == receipt
    expect(page.locator("[name=text]")).to_have_value("")
    expect(page.locator(".told li")).to_have_count(1)


@pytest.mark.parametrize(
    ("place", "name"), [("/details/impact", "users_affected"), ("", "text")], ids=str
)
def test_what_was_being_added_is_offered_back_after_a_crash(customer, page, place, name):
    receipt = report(customer)
    page.goto(receipt + place)
    page.fill(f"[name={name}]", "40 personas")
    page.goto("/report/failure")
    expect(page.locator("#offer")).to_be_hidden()  # it belongs elsewhere
    page.goto(receipt + place)
    page.get_by_role("button", name="Recuperarlas").click()
    expect(page.locator(f"[name={name}]")).to_have_value("40 personas")


def test_what_was_not_sent_is_forgotten_after_a_day(page):
    page.goto("/report/failure")
    page.fill("#f-summary", "La web no carga")
    (kept,) = page.evaluate("Object.keys(localStorage)")
    kept_at = f"(at) => JSON.stringify({{ ...JSON.parse(localStorage['{kept}']), at }})"
    page.evaluate(f"localStorage['reporter.details-INC-A'] = ({kept_at})(Date.now() - 864e5)")
    page.evaluate(f"localStorage['{kept}'] = ({kept_at})(Date.now() + 864e6)")  # by a wrong clock
    page.goto("/")
    assert page.evaluate("Object.keys(localStorage)") == [kept]
    assert page.evaluate(f"JSON.parse(localStorage['{kept}']).at <= Date.now()")


def test_no_personal_page_and_no_receipt_is_ever_kept(customer, page, site):
    visit_once(customer)
    customer.reports()
    kept = page.evaluate(
        """async () => {
          const found = {};
          for (const name of await caches.keys()) {
            const cache = await caches.open(name);
            for (const request of await cache.keys())
              found[new URL(request.url).pathname] = await (await cache.match(request)).text();
          }
          return found;
        }"""
    )
    assert sorted(kept) == [
        "/language",
        "/offline",
        "/static/icon.svg",
        "/static/offer.js",
        "/static/reporter.js",
        *(f"/static/trouble/{language}.js" for language in sorted(LANGUAGES)),
        "/static/whole.js",
        "/static/writing.js",
        "/static/zone.js",
    ]
    everything = " ".join(kept.values())
    assert 'csrf_token" type' not in everything
    assert CONTACT["email"] not in everything
    site.stop()
    page.goto("about:blank")
    with pytest.raises(Exception, match="ERR_CONNECTION_REFUSED"):
        page.goto(f"{site.url}/r/anything")


def test_a_review_that_was_sent_off_goes_by_itself_also_after_a_reload(customer, page, site):
    before = reports(site)
    visit_once(customer)
    customer.walks_to("review")
    site.stop()
    customer.presses()
    expect(page.locator("#trouble .queued")).to_be_visible()
    page.reload()  # the form that is kept here, with every answer
    expect(page.locator("#trouble .queued")).to_be_visible()
    site.start()
    page.wait_for_url("**/r/*")
    assert reports(site) == before + 1


def test_a_review_that_was_sent_off_stays_when_it_shows_something_else_by_then(watched, site):
    before = reports(site)
    customer, page = watched, watched.page
    customer.walks_to("review")
    page.route("**/report/review", lambda route: route.abort())
    customer.presses()
    expect(page.locator("#trouble .queued")).to_be_visible()
    # As from another device, of which this browser knows nothing.
    site.sql("UPDATE draft SET steps = replace(steps, 'error 502', 'error 503')")
    page.unroute_all(behavior="wait")
    posts = []
    page.on("request", lambda request: posts.append(request.method))
    page.reload()
    page.wait_for_load_state("networkidle")
    expect(page.locator("#a-summary")).to_contain_text("error 503")
    assert "POST" not in posts
    assert reports(site) == before
    customer.sends()
    page.wait_for_url("**/r/*")
    assert reports(site) == before + 1


def test_what_nobody_sent_off_is_not_sent_and_the_page_says_when_it_can_be(customer, page, site):
    before = reports(site)
    visit_once(customer)
    customer.walks_to("review")
    site.stop()
    page.clock.install()
    with page.expect_event("requestfailed", lambda request: request.url.endswith("/healthz")):
        page.reload()
    expect(page.locator("#f-summary")).to_have_value(FAILURE["summary"])
    site.start()
    page.clock.run_for(30_000)
    expect(page.locator("#sending")).to_contain_text("Vuelve a haber conexión")
    assert reports(site) == before
    customer.presses()
    page.wait_for_url("**/r/*")
    assert reports(site) == before + 1


def test_each_tab_goes_on_without_a_connection_with_what_was_typed_in_it(customer, page, site):
    visit_once(customer)
    customer.opens("/report/failure")
    customer.fills({"summary": "Incidencia A"})
    other = customer.opens_another_tab()
    other.opens("/report/failure")
    other.fills({"summary": "Incidencia B"})
    site.stop()
    for tab, words in ((customer, "Incidencia A"), (other, "Incidencia B")):
        tab.reloads()
        expect(tab.page.locator("#f-email")).to_be_visible()
        expect(tab.page.locator("#f-summary")).to_have_value(words)


@pytest.mark.parametrize("fault", ["throw new DOMException('', 'QuotaExceededError')", ""])
def test_what_a_browser_does_not_keep_is_not_said_to_be_kept(watched, fault):
    customer, page = watched, watched.page
    page.add_init_script(f"if ({fault!r}) Storage.prototype.setItem = () => {{ {fault} }}")
    page.goto("/offline")
    for answers in STEPS.values():
        customer.fills(answers)
    expect(page.locator("#kept")).to_be_visible(visible=not fault)
    page.route("**/report/token", lambda route: route.abort())
    customer.presses()
    expect(page.get_by_role("heading", name=UNREACHABLE)).to_be_visible()
    expect(page.locator("#trouble .queued")).to_be_visible(visible=not fault)
    expect(page.locator("#trouble .waits")).to_be_visible(visible=bool(fault))


def test_many_offline_reports_at_once_lose_nothing(watched, site):
    """The one that is told to wait goes on with its key."""
    customer, page = watched, watched.page
    page.goto("/offline")
    for answers in STEPS.values():
        customer.fills(answers)
    keys = []

    def answer(route):
        keys.append(route.request.post_data)
        if len(keys) == 1:
            route.fulfill(status=429, headers={"Retry-After": "1"})
        else:
            route.continue_()

    asked = []

    def tell(route):
        asked.append(route)
        if len(asked) == 1:
            route.fulfill(status=429, headers={"Retry-After": "1"})
        else:
            route.continue_()

    page.route("**/report/token", tell)
    page.route("**/report/whole", answer)
    customer.presses()
    page.wait_for_url("**/r/*")
    assert (len(asked), len(keys)) == (3, 2)
