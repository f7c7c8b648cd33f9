"""Headers of every answer: nothing is taken from elsewhere, and nothing runs inline."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from customers import Customer, Page
from factories import an_app, values
from flask import Flask

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "X-Robots-Tag": "noindex",
    "Strict-Transport-Security": "max-age=31536000",
}


# What a page loads is none: of those it has what is of use there, and it allows nothing at all.
LOADED = {"script", "icon", "trouble"}
OF_ALL = ("X-Content-Type-Options", "Cross-Origin-Resource-Policy", "Strict-Transport-Security")


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    with an_app(tmp_path, PROPAGATE_EXCEPTIONS=False) as app:

        @app.get("/broken")
        def broken() -> str:
            raise RuntimeError

        yield app


def get(path: str) -> Callable[[Customer], Page]:
    return lambda customer: customer.ask("GET", path)


def post(path: str, **data: str) -> Callable[[Customer], Page]:
    return lambda customer: customer.ask("POST", path, data)


def receipt(end: str = "") -> Callable[[Customer], Page]:
    def go(customer: Customer) -> Page:
        customer.fill_all()
        path = customer.submit(follow=False).location + end
        return customer.ask("GET", path)

    return go


def review(customer: Customer) -> Page:
    customer.fill_all()
    return customer.ask("GET", "/report/review")


def redirected(customer: Customer) -> Page:
    page = customer.open("/report/failure")
    sent = {**page.fields, **values("failure")}
    return customer.ask("POST", "/report/failure", sent)


ANSWERS = {
    "start": (get("/"), 200),
    "step": (get("/report/failure"), 200),
    "errors": (post("/report/failure"), 422),
    "redirect": (redirected, 303),
    "review": (review, 200),
    "receipt": (receipt(), 200),
    "status": (receipt("/status.json"), 200),
    "text copy": (receipt("/ticket.txt"), 200),
    "json copy": (receipt("/ticket.json"), 200),
    "schema": (get("/schema/ticket-v1.json"), 200),
    "health": (get("/healthz"), 200),
    "ready": (get("/readyz"), 200),
    "script": (get("/static/reporter.js"), 200),
    "trouble": (get("/static/trouble/es.js"), 200),
    "icon": (get("/static/icon.svg"), 200),
    "no such file": (get("/static/nothing.js"), 404),
    "no such page": (get("/nothing"), 404),
    "no such receipt": (get("/r/nothing"), 404),
    "not allowed": (lambda c: c.ask("DELETE", "/"), 405),
    "options": (lambda c: c.ask("OPTIONS", "/"), 200),
    "too large": (post("/report/failure", summary="x" * 3_000_000), 413),
    "broken": (get("/broken"), 500),
}


@pytest.mark.parametrize("kind", sorted(LOADED))
def test_what_a_page_loads_allows_nothing_and_has_the_headers_of_every_answer(app, kind):
    ask, _ = ANSWERS[kind]
    response = ask(Customer(app))
    assert response.status == 200
    assert (
        response.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    )
    assert {name: response.headers.get(name) for name in ALWAYS} == {
        name: value if name in OF_ALL else None for name, value in ALWAYS.items()
    }


@pytest.mark.parametrize("kind", sorted(ANSWERS.keys() - LOADED))
def test_every_answer_has_every_header(app: Flask, kind: str) -> None:
    ask, status = ANSWERS[kind]
    response = ask(Customer(app))
    assert response.status == status
    found_by_search = {"X-Robots-Tag": None} if kind in {"start", "options"} else {}
    wanted = ALWAYS | found_by_search
    assert {name: response.headers.get(name) for name in ALWAYS} == wanted
    policy = dict(
        directive.split(" ", 1)
        for directive in response.headers["Content-Security-Policy"].split("; ")
    )
    assert all(re.fullmatch("'sha256-.{44}'", e) for e in policy.pop("style-src").split())
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "img-src": "'self'",
        "connect-src": "'self'",
        "worker-src": "'self'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    assert "unsafe" not in response.headers["Content-Security-Policy"]
    assert "Server" not in response.headers
    if kind != "no such file":
        assert response.headers["Cache-Control"] == "no-store"


class Elements(HTMLParser):
    """What a page would run, style, or take from elsewhere."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.scripts: list[dict[str, str | None]] = []
        self.styles: list[str] = []
        self.inline: list[str] = []
        self.elsewhere: list[str] = []
        self._in = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self._in = tag
        if tag == "script":
            self.scripts.append(found)
        self.inline += [name for name in found if name == "style" or name.startswith("on")]
        for name in ("src", "href", "action", "formaction"):
            value = found.get(name) or ""
            if re.match(r"(?i)\s*(https?:|//|javascript:|data:)", value):
                self.elsewhere.append(value)

    def handle_endtag(self, tag: str) -> None:
        self._in = ""

    def handle_data(self, text: str) -> None:
        if self._in == "style":
            self.styles.append(text)
        if self._in == "script" and text.strip():
            self.inline.append(text)


@pytest.mark.parametrize(
    "kind", ["start", "step", "errors", "review", "receipt", "no such page", "broken", "too large"]
)
def test_no_page_runs_anything_inline_or_takes_anything_from_elsewhere(
    app: Flask, kind: str
) -> None:
    ask, _ = ANSWERS[kind]
    response = ask(Customer(app))
    page = Elements(response.html)
    scripts = [urlsplit(script["src"]).path for script in page.scripts]
    own = ["/static/receipt.js"] if kind == "receipt" else []
    assert scripts == ["/static/reporter.js", *own]
    assert page.inline == []
    assert page.elsewhere == []
    [allowed] = re.findall("style-src ([^;]+)", response.headers["Content-Security-Policy"])
    assert len(page.styles) == (2 if kind in {"review", "receipt"} else 1)
    for style in page.styles:
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in allowed.split()


@pytest.mark.parametrize("typed", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>'])
def test_what_somebody_typed_never_becomes_part_of_a_page(app: Flask, typed: str) -> None:
    customer = Customer(app)
    texts = dict.fromkeys(
        ["affected", "summary", "error_message", "frequency", "change_description", "name",
         "company", "customer_number"],
        typed,
    )  # fmt: skip
    customer.open("/report/failure")
    wrong = customer.submit(**values("failure", **texts, impact=None))
    pages = [wrong.html, customer.fill_all(**texts).html, customer.submit().html]
    for html in pages:
        assert typed not in html
        assert Elements(html).inline == []
        sources = [urlsplit(script["src"] or "") for script in Elements(html).scripts]
        assert {(each.netloc, each.path.rpartition("/")[0]) for each in sources} == {
            ("", "/static")
        }


def test_a_site_without_tls_promises_none(tmp_path: Path) -> None:
    with an_app(tmp_path, BASE_URL="http://127.0.0.1:8000") as app:
        assert "Strict-Transport-Security" not in app.test_client().get("/").headers


def test_a_cookie_is_kept_from_scripts_and_other_sites(app: Flask) -> None:
    response = Customer(app).peek("/report/failure")
    cookie = response.headers["Set-Cookie"]
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))


@pytest.mark.parametrize("path", ["/desk//x", "//evil.example/..", "/r//x", "/desk/notices//1"])
def test_no_spelling_of_a_path_leads_to_another_host(app: Flask, path: str) -> None:
    client = app.test_client()
    answer = client.get(path, headers={"Host": "evil.example"})
    assert "evil.example" not in answer.headers.get("Location", "")
    assert answer.status_code in {303, 404}


def test_a_link_is_never_built_from_the_host_header(app: Flask) -> None:
    for path in ("/", "/report/failure", "/report/review", "/nothing"):
        response = app.test_client().get(path, headers={"Host": "evil.example"})
        assert "evil.example" not in response.get_data(as_text=True)
        assert "evil.example" not in str(response.headers)
