"""Error pages, also those shown when we cannot say anything ourselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from factories import an_app
from flask import Flask

from reporter.web.errors import unavailable_page


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    with an_app(tmp_path, PROPAGATE_EXCEPTIONS=False) as app:
        yield app


def reaches_support(page: str) -> bool:
    return 'href="tel:+34900000000"' in page and 'href="mailto:support@example.com"' in page


@pytest.mark.parametrize(("language", "words"), [("es", "por nuestra parte"), ("en", "our side")])
def test_an_error_of_ours_says_how_to_reach_us(app, language, words):
    @app.get("/broken")
    def broken():
        raise RuntimeError

    response = app.test_client().get(f"/broken?lang={language}")
    assert response.status_code == 500
    assert words in response.text
    assert reaches_support(response.text.partition("<main")[2])


def test_a_database_that_does_not_answer_gives_back_what_was_typed(app, tmp_path):
    client = app.test_client()
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get("/report/failure").text)
    (tmp_path / "reporter.db").unlink()
    app.extensions["sqlalchemy"].close()
    answers = {"csrf_token": token[1], "summary": "La tienda no carga: 502"}
    response = client.post("/report/failure", data=answers)
    assert response.status_code == 503
    assert "La tienda no carga: 502" in response.text
    assert reaches_support(response.text.partition("<main")[2])


def test_the_proxys_page_needs_nothing_else_and_speaks_every_language(app):
    with app.test_request_context():
        page = unavailable_page()
    assert page.count('href="tel:+34900000000"') == 2
    assert page.count('href="mailto:support@example.com"') == 2
    assert re.findall(r'<section lang="(\w+)"', page) == ["es", "en"]
    assert not re.search(r'src="|<link|<script|url\(|href="/', page)


def test_the_proxys_page_is_printed_by_a_command(app):
    result = app.test_cli_runner().invoke(args=["error-page"])
    assert result.exit_code == 0
    assert result.output.startswith("<!doctype html>")
