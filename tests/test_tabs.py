"""A page belongs to the draft it was opened for: tabs, links and days do not mix reports."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import unquote

import pytest
import sqlalchemy as sa
import time_machine
from customers import Customer, Page
from factories import SENT_AT, SLUGS, values
from flask import Flask

from reporter import report
from reporter.models import Draft, Report


@pytest.fixture
def customer(app: Flask) -> Customer:
    return Customer(app, "en")


def reports(app: Flask) -> list[report.Report]:
    with app.extensions["sqlalchemy"].read() as session:
        rows = session.scalars(sa.select(Report).order_by(Report.id)).all()
        return [report.Report.from_json(row.content) for row in rows]


def goes_on(customer: Customer, page: Page, *slugs: str, **changes: str) -> Page:
    """Answer these steps in the tab that shows *page*."""
    customer.page = page
    for slug in slugs:
        page = customer.submit(**values(slug, **changes))
    return page


def without_key(customer: Customer, slug: str, **changes: str | None) -> Page:
    """As from a page that was opened before there were keys."""
    return customer.fill(slug, draft_key=None, shown=None, **changes)


def test_two_tabs_opened_on_the_first_page_are_two_reports(app: Flask, customer: Customer) -> None:
    one, other = customer.open("/report/failure"), customer.open("/report/failure")
    one = goes_on(customer, one, "failure", service="web-hosting", summary="Incidencia A")
    other = goes_on(customer, other, "failure", service="email", summary="Incidencia B")
    one = goes_on(customer, one, *SLUGS[1:])
    assert "Incidencia A" in one.text
    assert "Incidencia B" not in one.text
    other = goes_on(customer, other, *SLUGS[1:])
    for page in (one, other):
        customer.page = page
        assert customer.submit().status == 200
    sent = {each.text("summary"): each.text("service") for each in reports(app)}
    assert sent == {"Incidencia A": "web-hosting", "Incidencia B": "email"}


def test_a_tab_that_is_read_again_stays_with_its_report(customer: Customer) -> None:
    one, other = customer.open("/report/failure"), customer.open("/report/failure")
    one = goes_on(customer, one, "failure", summary="Incidencia A")
    goes_on(customer, other, "failure", summary="Incidencia B")
    elsewhere = customer.page.action
    assert one.fields["draft_key"] == customer.open("/report/timing").fields["draft_key"]
    assert customer.open("/report/failure").fields["summary"] == "Incidencia A"
    back = customer.open(elsewhere.replace("timing", "failure"))
    assert back.fields["summary"] == "Incidencia B"


def test_what_is_typed_over_a_report_that_another_tab_sends_is_a_report_of_its_own(
    app: Flask, customer: Customer
) -> None:
    review = customer.fill_all(summary="Incidencia A")
    tab = customer.open("/report/failure")
    customer.page = review
    customer.submit()
    page = goes_on(customer, tab, *SLUGS, summary="Incidencia B")
    assert "Incidencia B" in page.text
    customer.submit()
    assert [each.text("summary") for each in reports(app)] == ["Incidencia A", "Incidencia B"]


@pytest.mark.parametrize("slug", SLUGS)
def test_a_page_that_says_again_what_was_sent_leads_to_the_receipt(
    app: Flask, customer: Customer, slug: str
) -> None:
    customer.fill_all()
    page = customer.open(f"/report/{slug}")
    customer.open("/report/review")
    receipt = customer.submit(follow=False).location
    customer.page = page
    assert customer.submit(follow=False).location == receipt
    customer.page = page
    last = {"failure": "summary", "timing": "frequency", "changes": "change_description"}
    page = customer.submit(**{last.get(slug, "name"): "Otra cosa"})
    assert page.location != receipt
    assert len(reports(app)) == 1


def test_a_page_without_a_key_belongs_to_the_draft_of_its_cookie(
    app: Flask, customer: Customer
) -> None:
    for slug in SLUGS:
        without_key(customer, slug)
    customer.submit(draft_key=None, shown=None)
    assert len(reports(app)) == 1


def test_a_review_sends_what_it_shows(app: Flask, customer: Customer) -> None:
    review = customer.fill_all(summary="A2")
    customer.fill("failure", summary="B2")
    customer.page = review
    page = customer.submit()
    assert page.status == 422
    assert "Your answers have changed since this page was opened" in page.text
    assert "Describe" not in page.text
    assert re.search(r"<li>[^<]*in one line", page.html)
    assert "B2" in page.text
    assert reports(app) == []
    assert customer.submit().status == 200
    assert [each.text("summary") for each in reports(app)] == ["B2"]


def test_the_details_that_are_sent_are_those_that_were_confirmed(
    app: Flask, customer: Customer
) -> None:
    customer.fill_all()
    receipt = customer.submit(follow=False).location

    def allow(action: str) -> Page:
        customer.open(f"{receipt}/details/authorisation")
        return customer.submit(allowed_actions=action)

    allow("restart_service")
    review = customer.open(f"{receipt}/details/review")
    allow("power_off")
    customer.page = review
    page = customer.submit()
    assert page.status == 422
    assert "Switch the server off" in page.text
    assert "Your answers have changed" in page.text


def test_just_now_is_asked_again_after_an_hour(app: Flask, customer: Customer) -> None:
    with time_machine.travel(SENT_AT, tick=False) as clock:
        customer.fill("failure")
        customer.submit(**values("timing", started="just_now"))
        customer.fill("changes")
        customer.fill("contact")
        clock.shift(timedelta(days=2))
        page = customer.open("/report/review")
        assert page.action == "/report/timing"
        assert "more than an hour ago" in page.errors["started"]
        assert "started" not in page.fields
        assert page.fields["pattern"] == "intermittent"
        page = customer.submit(started="just_now")
        customer.open("/report/review")
        customer.submit()
        (sent,) = reports(app)
        assert sent.started_at == SENT_AT + timedelta(days=2)


def test_a_page_opened_before_the_hour_was_over_does_not_make_just_now_new(
    app: Flask, customer: Customer
) -> None:
    with time_machine.travel(SENT_AT, tick=False) as clock:
        customer.fill("failure")
        customer.submit(**values("timing", started="just_now"))
        page = customer.open("/report/timing")
        clock.shift(timedelta(hours=2))
        customer.page = page
        customer.submit()
        assert "more than an hour ago" in customer.open("/report/timing").errors["started"]


# The first page ---------------------------------------------------------------------------

UNDER_WAY = "You have an unsent report"


def test_the_first_page_names_what_is_under_way(app: Flask, customer: Customer) -> None:
    assert UNDER_WAY not in customer.open("/").text
    customer.fill("failure", summary="La tienda no carga")
    start = customer.open("/")
    assert UNDER_WAY in start.text
    assert "La tienda no carga" in start.text
    assert start.links["/report/timing"].startswith("Continue this report")
    another = next(link for link, text in start.links.items() if text == "Start another report")
    page = customer.open(another)
    assert page.fields["summary"] == ""
    page = customer.submit(**values("failure", summary="Otra"))
    assert "Otra" in customer.open("/").text
    assert "La tienda no carga" in customer.page.text


def test_of_several_under_way_one_stands_out(customer: Customer) -> None:
    one, other = customer.open("/report/failure"), customer.open("/report/failure")
    for page in (one, other):
        goes_on(customer, page, "failure")
    start = customer.open("/").html
    assert start.count("Continue this report") == 2
    assert start.count('class="primary"') == 1


def test_what_was_sent_is_not_under_way(customer: Customer) -> None:
    customer.report()
    assert UNDER_WAY not in customer.open("/").text


def test_a_browser_can_be_forgotten(app: Flask, customer: Customer) -> None:
    customer.fill("failure", summary="La tienda no carga")
    customer.open("/")
    page = customer.submit()
    assert "We have deleted what you typed" in page.text
    assert "data-forget" in page.html  # for the script, which forgets it in the browser
    assert "La tienda no carga" not in page.text
    assert customer.open("/report/failure").fields["summary"] == ""
    with app.extensions["sqlalchemy"].read() as session:
        assert session.scalars(sa.select(Draft)).all() == []


def test_a_browser_keeps_no_more_drafts_than_its_cookie_holds(customer: Customer) -> None:
    pages = [customer.open("/report/failure") for _ in range(12)]
    for number, page in enumerate(pages):
        customer.page = page
        customer.submit(**values("failure", summary=f"Incidencia {number}"))
    found = re.findall(r"Incidencia \d+", customer.open("/").text)
    assert len(found) == 8
    assert {"Incidencia 0", "Incidencia 11"} <= set(found)


# Strangers --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://incidents.example.com", "Sec-Fetch-Site": "cross-site"},
    ],
)
@pytest.mark.parametrize("path", ["/report/failure", "/report/review", "/report/whole"])
def test_what_another_sites_page_sends_is_refused_before_anything_is_shown(
    app: Flask, customer: Customer, headers: dict[str, str], path: str
) -> None:
    customer.fill_all()
    sent = {"draft_key": "known-to-somebody", "summary": "a stranger's words"}
    answer = customer.ask("POST", path, sent, headers=headers)
    assert answer.status == 403
    assert "stranger" not in answer.text
    assert "known-to-somebody" not in answer.text


def test_what_our_own_pages_send_is_taken(customer: Customer) -> None:
    customer.headers |= {
        "Origin": "https://incidents.example.com",
        "Sec-Fetch-Site": "same-origin",
    }
    assert customer.report().status == 200


def test_a_key_opens_the_draft_of_its_own_browser_alone(app: Flask, customer: Customer) -> None:
    """Whoever knows it, or has somebody else send it, reads and changes nothing by it."""
    customer.fill("failure", summary="My own words")
    key = customer.open("/report/timing").fields["draft_key"]
    stranger = Customer(app, "en")
    stranger.open("/report/failure")
    stranger.submit(draft_key=key, **values("failure", summary="Other words"))
    assert "My own words" not in stranger.open("/report/failure").html
    assert customer.open("/report/failure").fields["summary"] == "My own words"
    with app.extensions["sqlalchemy"].read() as session:
        kept = session.scalars(sa.select(Draft.steps)).all()
    told = [steps["failure"]["answers"]["summary"] for steps in kept]
    assert sorted(told) == [["My own words"], ["Other words"]]


def test_a_cookie_under_https_is_this_hosts_alone(app: Flask, customer: Customer) -> None:
    answer = customer.ask("GET", "/report/failure")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-")
    assert {"Secure", "Path=/"} <= set(cookie.split("; "))
    assert "Domain" not in cookie


# No cookies -------------------------------------------------------------------------------


def test_blocked_cookies_are_said_as_such_in_the_language_chosen(app: Flask) -> None:
    customer = Customer(app, "en")
    customer.blocks_cookies()
    start = customer.open("/?lang=es")
    page = customer.open(next(link for link in start.links if link.startswith("/report/failure")))
    for _ in range(2):  # and no loop: the ways out stand there each time
        page = customer.submit(**values("failure"))
        assert page.status == 422
        assert "Su navegador no ha enviado nuestra cookie" in page.text
        assert page.fields["summary"] == values("failure")["summary"]
        mail = unquote(next(link for link in page.links if link.startswith("mailto:")))
        assert "502" in mail
        assert "¿Qué servicio falla?:\nAlojamiento web\n" in mail
        assert "tel:+34900000000" in page.links
        typed = page.html.partition("Lo que ha escrito</summary>")[2].partition("</pre>")[0]
        assert values("failure")["summary"] in typed


def test_the_form_without_a_connection_says_the_same(app: Flask) -> None:
    client = app.test_client(use_cookies=False)
    answer = client.post("/report/whole?lang=es", data=values("failure") | values("contact"))
    assert answer.status_code == 400
    assert "su navegador no guarda cookies" in answer.text
    assert "mailto:" in answer.text
    assert "502 Bad Gateway" in answer.text
