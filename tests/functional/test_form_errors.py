"""Error pages, also those shown when we cannot say anything ourselves."""

from __future__ import annotations

import re
import subprocess

import pytest

from reporter.settings import ROOT

pytestmark = pytest.mark.settings(PROPAGATE_EXCEPTIONS=False)


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


def test_the_proxys_page_needs_nothing_else_and_speaks_both_languages():
    page = (ROOT / "deploy" / "down.html").read_text(encoding="utf-8")
    spanish, english = page.split('lang="en"')
    assert reaches_support(spanish)
    assert reaches_support(english)
    assert not re.search(r'src="|<link|<script|url\(|href="/', page)


def test_the_command_of_the_guide_puts_the_provider_into_it():
    guide = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"^sed .*?down\.html$", guide, re.MULTILINE | re.DOTALL)
    written = command.partition(" > ")[0]
    page = subprocess.run(written, shell=True, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "<header>Example Hosting</header>" in page.stdout
    for ours in ("Incident reports", "#1d5fa8", "#8cc0f7", "900", "support@example.com"):
        assert ours not in page.stdout
