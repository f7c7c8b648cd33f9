"""Secret and signed links: long enough, one key for each purpose, never of the Host header."""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta
from pathlib import Path

import pytest
from factories import SETTINGS, an_app, sqlite_url

from reporter import create_app
from reporter.links import (
    ADDRESSES,
    absolute,
    hash_token,
    new_token,
    receipt_token,
    seal,
    sign,
    unseal,
)


def test_a_token_has_at_least_128_bits_and_is_never_the_same() -> None:
    tokens = {new_token() for _ in range(200)}
    assert len(tokens) == 200
    # 6 bits a character
    assert all(re.fullmatch(r"[\w-]{22,}", token) for token in tokens)


def test_the_database_keeps_a_hash_of_a_token() -> None:
    assert hash_token("token") == hashlib.sha256(b"token").hexdigest()


def test_the_receipt_of_a_draft_is_always_the_same_and_needs_the_key(tmp_path: Path) -> None:
    with an_app(tmp_path) as app, app.app_context():
        first, again, other = (receipt_token(draft) for draft in ("a", "a", "b"))
    with an_app(tmp_path, SECRET_KEY="another" * 6) as app, app.app_context():
        elsewhere = receipt_token("a")
    assert first == again
    assert len({first, other, elsewhere}) == 3
    assert all(re.fullmatch(r"[\w-]{22,}", each) for each in (first, other, elsewhere))


def test_what_is_signed_for_one_purpose_is_no_proof_for_another(tmp_path: Path) -> None:
    with an_app(tmp_path) as app, app.app_context():
        proofs = {sign(purpose, "a") for purpose in ("receipt", "message-id", "other")}
        assert len(proofs) == 3
        assert sign("receipt", "a") == sign("receipt", "a")
        assert sign("receipt", "a") != sign("receipt", "b")


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("https://incidents.example.com", "https://incidents.example.com/r/x"),
        ("https://incidents.example.com/", "https://incidents.example.com/r/x"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/r/x"),
    ],
)
def test_a_link_is_built_from_the_settings_and_never_from_the_request(
    tmp_path: Path, base: str, url: str
) -> None:
    with (
        an_app(tmp_path, BASE_URL=base) as app,
        app.test_request_context(base_url="https://evil.example", headers={"Host": "evil.example"}),
    ):
        assert absolute("/r/x") == url


ROTATED = {"SECRET_KEY": "tomorrow" * 4, "SECRET_KEY_FALLBACKS": ["today" * 8, "yesterday" * 4]}


@pytest.mark.parametrize("former", ["today" * 8, "yesterday" * 4])
def test_what_a_former_key_signed_still_opens(tmp_path: Path, former: str) -> None:
    with an_app(tmp_path, SECRET_KEY=former, BASE_URL="http://localhost") as app, app.app_context():
        sealed, token = seal("purpose", "value"), receipt_token("draft")
        with app.test_client() as client:
            client.get("/report/failure?lang=en")
            cookie = client.get_cookie("reporter")
            assert cookie
    with an_app(tmp_path, **ROTATED, BASE_URL="http://localhost") as app, app.app_context():
        assert unseal("purpose", sealed, timedelta(days=1)) == "value"
        assert receipt_token("draft") != token
        assert receipt_token("draft", hash_token(token)) == token
        newly = seal("purpose", "value")
        with app.test_client() as client:
            client.set_cookie("reporter", cookie.value)
            assert 'lang="en"' in client.get("/").text
    with an_app(tmp_path, SECRET_KEY=former, BASE_URL="http://localhost") as app, app.app_context():
        assert unseal("purpose", newly, timedelta(days=1)) is None


def test_a_page_that_was_open_when_the_key_was_changed_can_be_sent(tmp_path: Path) -> None:
    with (
        an_app(tmp_path, SECRET_KEY="today" * 8, BASE_URL="http://localhost") as app,
        app.test_client() as client,
    ):
        page = client.get("/report/failure").text
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
        assert found
        cookie = client.get_cookie("reporter")
        assert cookie
    with (
        an_app(tmp_path, **ROTATED, BASE_URL="http://localhost") as app,
        app.test_client() as client,
    ):
        client.set_cookie("reporter", cookie.value)
        answer = client.post("/report/failure", data={"csrf_token": found[1]})
        assert answer.status_code == 422


def test_what_mails_lead_to_is_where_the_pages_are(tmp_path: Path) -> None:
    """A worker has no page loaded to ask."""
    app = create_app({**SETTINGS, "DATABASE_URL": sqlite_url(tmp_path)})
    rules = {rule.endpoint: rule.rule for rule in app.url_map.iter_rules()}
    assert {endpoint: rules[endpoint] for endpoint in ADDRESSES} == ADDRESSES


def test_all_that_mails_lead_to_is_known_without_pages() -> None:
    asked = {
        endpoint
        for path in (Path(__file__).parents[1] / "reporter").rglob("*.py")
        for endpoint in re.findall(r'full_url\("([\w.]+)"', path.read_text(encoding="utf-8"))
    }
    assert asked
    assert asked <= set(ADDRESSES)


def test_the_templates_of_mails_need_nothing_of_the_pages(tmp_path: Path) -> None:
    app = create_app({**SETTINGS, "DATABASE_URL": sqlite_url(tmp_path)}, pages=False)
    of_mails = [name for name in app.jinja_env.list_templates() if name.startswith("email/")]
    assert of_mails
    with app.app_context(), app.test_request_context():
        for name in of_mails:
            app.jinja_env.get_template(name)  # raises for a filter that it does not know
    assert not list(app.url_map.iter_rules())
