"""A page that was rendered once and is filled in says what one that is rendered anew says."""

from __future__ import annotations

import re

import pytest
from customers import Customer
from factories import LANGUAGES, SLUGS, values
from flask import Flask

from reporter.formats.skeleton import CLOSE, OPEN, Skeleton, Slot
from reporter.wizard import rendering

# What would break out of where it stands, or be taken for a place to fill in.
HOSTILE = f"\"><script>&amp; {OPEN}service{CLOSE} {Slot('csrf_token')}'</textarea>"


def both(customer: Customer, path: str, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """The page filled in, and the page rendered anew, but for what is new in each."""
    filled = customer.open(path).html
    with monkeypatch.context() as patch:
        patch.setattr(rendering, "_is_plain", lambda *_: False)
        patch.setattr(rendering, "_is_plain_review", lambda *_: False)
        anew = customer.open(path).html
    return without_names(filled), without_names(anew)


def without_names(html: str) -> str:
    """Of the token, and of a draft that nothing was typed into yet."""
    html, found = re.subn(r'(name="(csrf_token|draft_key)"[^>]*) value="[\w.-]{20,}"', r"\1", html)
    assert found == 2
    return html


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("slug", SLUGS)
def test_it_says_the_same_whatever_was_answered(
    app: Flask, slug: str, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, other, third = (Customer(app, language) for _ in range(3))
    for customer in (first, other, third):
        for before in SLUGS[: SLUGS.index(slug)]:
            customer.fill(before)
        filled, anew = both(customer, f"/report/{slug}", monkeypatch)
        assert filled == anew
    first.fill(slug)
    other.fill(slug, company=HOSTILE, affected=HOSTILE, change_description=HOSTILE, changed="no")
    third.fill(slug, started="hour_1", started_at="ayer", impact="minor", email_affected="unknown")
    for customer in (first, other, third, first):
        filled, anew = both(customer, f"/report/{slug}", monkeypatch)
        assert filled == anew


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_review_says_the_same_whatever_was_answered(
    app: Flask, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes: list[dict[str, str]] = [
        {},
        {"company": HOSTILE, "summary": HOSTILE},
        {"impact": "minor"},
    ]
    for answers in changes:
        customer = Customer(app, language)
        for slug in SLUGS:
            customer.fill(slug, **{k: v for k, v in answers.items() if k in values(slug)})
        filled, anew = both(customer, "/report/review", monkeypatch)
        assert filled == anew
        assert "<script>&amp;" not in filled


def test_what_was_typed_is_escaped_and_no_place_to_fill_in(app: Flask) -> None:
    customer = Customer(app)
    Customer(app).open("/report/failure")
    customer.fill("failure", affected=HOSTILE)
    page = customer.open("/report/failure")
    assert page.fields["affected"] == HOSTILE
    assert "<script>" not in page.html


def test_each_browser_has_a_token_and_a_draft_of_its_own(app: Flask) -> None:
    pages = [Customer(app).open("/report/failure") for _ in range(2)]
    for name in ("csrf_token", "draft_key"):
        assert pages[0].fields[name] != pages[1].fields[name]
        assert all(page.fields[name] for page in pages)


def test_what_is_wrong_is_shown_and_not_shown_to_the_next(app: Flask) -> None:
    customer = Customer(app)
    customer.open("/report/failure")
    assert customer.submit(**values("failure", summary="")).errors
    assert not Customer(app).open("/report/failure").errors


def test_a_place_that_nothing_fills_stays_empty() -> None:
    page = Skeleton(f"<b>{Slot('a')}</b>{Slot('b')}")
    assert page.fill({"a": Slot("b"), "c": "x"}) == f"<b>{Slot('b')}</b>"
