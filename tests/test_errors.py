"""Error pages: calm, in the customer's language, with the phone number and a way on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from customers import Customer, Page
from factories import an_app
from flask import Flask, abort, request
from sqlalchemy.exc import TimeoutError as PoolTimeout

from reporter.web.errors import gives_back


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    """With pages that fail."""
    with an_app(tmp_path, PROPAGATE_EXCEPTIONS=False) as app:

        @app.route("/fails/<int:code>", methods=["GET", "POST"])
        def fails(code: int) -> str:
            abort(code)

        @app.route("/breaks", methods=["GET", "POST"])
        def breaks() -> str:
            raise RuntimeError(request.form.get("name"))

        @app.route("/full", methods=["GET", "POST"])
        def full() -> str:
            raise PoolTimeout

        @app.route("/guarded", methods=["POST"])
        def guarded() -> str:
            return "taken"

        for endpoint in ("fails", "breaks", "full", "guarded"):
            gives_back(app, endpoint, lambda **_: ["name", "text", "b"])
        yield app


def sent(app: Flask, path: str, **typed: str) -> Page:
    """The answer to a form of ours."""
    customer = Customer(app, "en")
    token = customer.open("/report/failure").fields["csrf_token"]
    customer.headers["Referer"] = "https://incidents.example.com/"
    return customer.ask("POST", path, {**typed, "csrf_token": token})


@pytest.mark.parametrize(
    ("path", "there"),
    [
        ("/report/failure/", "/report/failure"),
        ("/desk/?q=a%20b", "/desk?q=a%20b"),
        ("/r/some-token//", "/r/some-token"),
        ("/r/some-token/details/evidence/", "/r/some-token/details/evidence"),
        ("/notices.json/", "/notices.json"),
    ],
)
def test_a_slash_behind_the_address_of_a_page_leads_there(
    app: Flask, path: str, there: str
) -> None:
    for method in ("GET", "HEAD"):
        response = app.test_client().open(path, method=method)
        assert (response.status_code, response.headers["Location"]) == (308, there)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/report/failure/"),
        ("GET", "/nothing/"),
        ("GET", "//example.com/"),
        ("GET", "/r/some-token/updates/x/"),
        ("GET", "/hooks/helpdesk/"),
    ],
)
def test_a_slash_leads_nowhere_else(app: Flask, method: str, path: str) -> None:
    response = app.test_client().open(method=method, environ_overrides={"PATH_INFO": path})
    assert response.status_code in {404, 400}
    assert "Location" not in response.headers


@pytest.mark.parametrize(
    ("path", "status", "spanish", "english"),
    [
        ("/nothing", 404, "Esa página no existe", "There is no such page"),
        ("/report/nothing", 404, "Esa página no existe", "There is no such page"),
        ("/r/nothing", 404, "Esa página no existe", "There is no such page"),
        ("/fails/405", 405, "Esa página no existe", "There is no such page"),
        (
            "/fails/400",
            400,
            "No hemos podido entender esa petición",
            "We could not understand that request",
        ),
        ("/fails/413", 413, "Es demasiado texto para una página", "That is too much text"),
        ("/fails/429", 429, "Espere un momento, por favor", "Please wait a moment"),
        ("/breaks", 500, "Algo ha fallado por nuestra parte", "Something failed on our side"),
        ("/full", 503, "Algo ha fallado por nuestra parte", "Something failed on our side"),
        ("/fails/503", 503, "Algo ha fallado por nuestra parte", "Something failed on our side"),
        ("/fails/418", 418, "No hemos podido entender esa petición", "We could not understand"),
    ],
)
def test_an_error_is_told_in_both_languages_with_a_way_on(
    app: Flask, path: str, status: int, spanish: str, english: str
) -> None:
    for language, words in (("es", spanish), ("en", english)):
        page = Customer(app, language).open(path)
        assert page.status == status
        assert words in page.text
        assert page.links["/"]
        ways = page.html.split("<main")[1]  # besides the number in the banner
        assert 'href="tel:+34900000000">+34 900 000 000</a>' in ways
        assert 'href="mailto:support@example.com">support@<wbr>example<wbr>.com</a>' in ways


def test_no_error_shows_what_is_behind_it(app: Flask) -> None:
    page = Customer(app).open("/breaks")
    for word in ("Traceback", "RuntimeError", "Werkzeug", "Python", "sqlalchemy"):
        assert word not in page.html


def test_a_page_that_breaks_holds_what_was_typed(app: Flask) -> None:
    text = "\r\n <b>Muñoz</b> \N{FIRE}\r\n"
    page = sent(app, "/breaks?x=1&y=2", name=text, b="2")
    assert page.status == 500
    assert page.action == "/breaks?x=1&y=2"
    assert {k: v for k, v in page.fields.items() if k != "csrf_token"} == {"name": text, "b": "2"}


def test_files_that_a_page_lost_have_to_be_chosen_again(app: Flask) -> None:
    said = {
        kind: app.test_client().get("/full?lang=en", content_type=kind).text.count("files again")
        for kind in ("multipart/form-data; boundary=b", "application/x-www-form-urlencoded")
    }
    assert list(said.values()) == [1, 0]


def test_a_page_that_is_protected_elsewhere_holds_what_was_typed_and_a_fresh_token(
    app: Flask,
) -> None:
    customer = Customer(app, "en")
    page = customer.page = customer.ask("POST", "/guarded", {"text": "hola", "csrf_token": "x"})
    assert page.status == 400
    assert "This page was open for a long time" in page.text
    assert page.fields["text"] == "hola"
    customer.headers["Referer"] = "https://incidents.example.com/"
    assert customer.submit().html == "taken"


@pytest.mark.parametrize("code", [400, 404, 413])
def test_what_would_fail_again_is_not_offered_to_be_sent_again(app: Flask, code: int) -> None:
    page = sent(app, f"/fails/{code}", text="hola")
    assert page.status == code
    assert "Send again" not in page.text


def test_a_method_that_is_not_allowed_says_which_are(app: Flask) -> None:
    response = app.test_client().delete("/")
    assert response.status_code == 405
    assert "GET" in response.headers["Allow"]


def test_without_a_phone_number_the_address_is_given(tmp_path: Path) -> None:
    with an_app(tmp_path, SUPPORT_PHONE="") as app:
        page = Customer(app, "en").open("/nothing")
    assert page.links["mailto:support@example.com"] == "support@example.com"
    assert not any(link.startswith("tel:") for link in page.links)
