"""What pages weigh, and how long browsers may keep what."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import brotli
import pytest
import time_machine
from factories import LANGUAGES, SENT_AT, an_app
from flask import Flask, g
from flask.testing import FlaskClient
from flask_wtf.csrf import generate_csrf, validate_csrf
from wtforms.validators import ValidationError

from reporter.settings import SettingsError
from reporter.settings import accent as look

pytestmark = pytest.mark.settings(PROPAGATE_EXCEPTIONS=False)

PAGES = ("/", "/report/failure", "/offline?lang=es", "/nowhere")
PACKETS = 14 * 1024  # what a server may send before it hears back: 10 segments (RFC 6928)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def script_url(client: FlaskClient, path: str = "/") -> str:
    return re.search(r'<script type="module" src="([^"]+)"', client.get(path).text)[1]


def packed_weight(client: FlaskClient, path: str) -> int:
    """Bytes of a page and of the scripts it loads before somebody asks for more, in Brotli."""
    scripts = re.findall(r'<script type="module" src="([^"]+)"', client.get(path).text)
    answers = [client.get(each, headers={"Accept-Encoding": "br"}) for each in (path, *scripts)]
    assert {answer.headers["Content-Encoding"] for answer in answers} == {"br"}
    return sum(len(answer.data) for answer in answers)


def weight(client: FlaskClient, path: str) -> int:
    """Bytes of the answer, headers and all, as Brotli compresses it."""
    response = client.get(path, headers={"Accept-Encoding": "br", "Accept-Language": "es"})
    assert response.headers.get("Content-Encoding", "br") == "br"
    return len(response.data) + len(str(response.headers)) + len("HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_page_with_everything_it_needs_fits_the_first_round_trip(client, language):
    assert packed_weight(client, f"/?lang={language}") <= 6.5 * 1024
    assert weight(client, "/") + weight(client, script_url(client)) <= PACKETS


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", ["/report/failure", "/offline"])
def test_a_form_with_everything_it_needs_is_light(client, path, language):
    assert packed_weight(client, f"{path}?lang={language}") <= 10 * 1024


@pytest.mark.parametrize("path", ["/report/failure", "/offline?lang=es"])
def test_every_page_of_questions_fits_the_first_round_trip(client, path):
    assert weight(client, path) <= PACKETS


def test_the_script_and_the_stylesheet_stay_small(client, app):
    assert len(client.get(script_url(client)).data) <= 8 * 1000
    assert len(app.jinja_env.globals["stylesheet"]) <= 9 * 1000
    assert len(app.jinja_env.globals["report_stylesheet"]) <= 3300


@pytest.mark.parametrize("pressed", [".option", ".primary", ".secondary"])
def test_what_can_be_pressed_answers_a_pointer_that_is_over_it(app, pressed):
    rules = re.findall(r"([^{}]+){[^{}]*}", app.jinja_env.globals["stylesheet"])
    assert any(f"{pressed}:hover" in rule.split(",") for rule in rules)


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip"])
def test_pages_are_compressed_as_the_browser_likes(client, coding):
    response = client.get("/", headers={"Accept-Encoding": coding})
    assert response.headers["Content-Encoding"] == coding
    assert "Accept-Encoding" in response.headers["Vary"]
    if coding == "br":
        assert brotli.decompress(response.data).startswith(b"<!doctype html>")


def test_an_asset_asked_for_by_its_content_is_kept_for_ever(client):
    response = client.get(script_url(client))
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert response.mimetype == "text/javascript"
    # Nor for one cookie alone: a browser would ask for it again after each page.
    assert response.headers["Vary"] == "Accept-Encoding"


def test_an_asset_is_the_same_in_every_coding_and_its_etag_another(client):
    plain = client.get(script_url(client))
    packed = client.get(script_url(client), headers={"Accept-Encoding": "gzip, br"})
    assert packed.headers["Content-Encoding"] == "br"
    assert brotli.decompress(packed.data) == plain.data
    assert packed.headers["ETag"] != plain.headers["ETag"]
    for response in (plain, packed):
        assert "Accept-Encoding" in response.headers["Vary"]


def test_an_asset_of_another_version_is_not_kept(client):
    response = client.get(re.sub("v=.*", "v=0123456789ab", script_url(client)))
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_never_kept_and_asks_nobody_else_for_anything(client, path):
    response = client.get(path)
    assert response.headers["Cache-Control"] == "no-store"
    assert not re.search(r'(?:src|srcset|href|action)="(?:https?:)?//', response.text)
    assert not re.search(r"url\(|@import|<link[^>]+stylesheet", response.text)
    assert "unsafe" not in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", PAGES)
def test_no_page_waits_for_a_second_request_before_it_is_shown(client, path):
    head = client.get(path).text.split("</head>")[0]
    scripts = re.findall(r"<script[^>]*>", head)  # a module waits for the page, not the page for it
    assert scripts[0] == f'<script type="module" src="{script_url(client)}">'
    assert all(each.startswith('<script type="module" src="/static/') for each in scripts)
    assert re.findall(r'<link rel="(\w+)"', head) == ["icon"]


def test_what_stays_the_same_in_a_token_does_not_open_anything(app):
    """So a compressed page gives nothing away by its size (BREACH)."""
    with app.test_request_context():
        tokens = []
        for seconds in (0, 1):
            g.pop("csrf_token", None)
            with time_machine.travel(SENT_AT + timedelta(seconds=seconds), tick=False):
                tokens.append(generate_csrf())
        first, second = (token.split(".") for token in tokens)
        assert first[0] == second[0]
        assert first[2] != second[2]
        with pytest.raises(ValidationError):
            validate_csrf(first[0])
        with pytest.raises(ValidationError):
            validate_csrf(".".join([first[0], first[1], second[2]]))
        validate_csrf(tokens[0])


def test_a_provider_brings_a_logo_and_a_colour(tmp_path: Path) -> None:
    logo = tmp_path / "logo.svg"
    logo.write_text('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"/>')
    with an_app(tmp_path, LOGO=str(logo), ACCENT_COLOR="#7a1fa2") as app:
        client = app.test_client()
        page = client.get("/").text
        source = re.search(r'<img src="([^"]+)" alt="Ejemplo Hosting">', page)[1]
        picture = client.get(source)
    assert picture.mimetype == "image/svg+xml"
    assert "immutable" in picture.headers["Cache-Control"]
    assert "--accent:#7a1fa2;" in page


@pytest.mark.parametrize("accent", ["#1d5fa8", "#000000", "#7a1fa2", "#b3261e", "#00695c"])
def test_an_accent_can_be_read_by_day_and_by_night(accent):
    assert look.is_readable(accent)
    assert look.contrast(look.for_dark(accent), look.DARK_TINT) >= look.READABLE


@pytest.mark.parametrize(("colour", "ratio"), [("#000000", 21), ("#777777", 4.48)])
def test_contrast_is_that_of_the_standard(colour, ratio):
    assert look.contrast(colour, "#ffffff") == pytest.approx(ratio, abs=0.01)
    assert look.contrast("#ffffff", colour) == pytest.approx(ratio, abs=0.01)


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("ACCENT_COLOR", "red", "ACCENT_COLOR must be"),
        ("ACCENT_COLOR", "#ffcc00", "too light"),
        ("LOGO", "/nowhere/logo.svg", "names no file"),
        ("LOGO", __file__, "must end in"),
    ],
)
def test_a_look_that_cannot_be_is_refused_at_the_start(tmp_path, setting, value, words):
    with pytest.raises(SettingsError, match=words), an_app(tmp_path, **{setting: value}):
        pass
