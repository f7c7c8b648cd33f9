"""Every page in every state, in both languages, by day and by night, for everybody."""

from __future__ import annotations

import pytest
from factories import LANGUAGES
from inspector import Inspector
from pages import person
from playwright.sync_api import Browser
from tour import ADDRESS, STATES, tour, toured

# Each language is one walk, which the first of its tests waits for.
pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module", params=LANGUAGES)
def inspector(
    request: pytest.FixtureRequest, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Inspector:
    # A page has the same elements in the same colours whatever the language of its words.
    inspector = Inspector(request.param, colors=request.param == LANGUAGES[0])
    with (
        toured(tmp_path_factory.mktemp("tour")) as (service, smtp),
        person(browser, service, request.param, address=ADDRESS) as customer,
        person(browser, service, request.param) as support,
    ):
        tour(inspector.look, customer, support, service, smtp)
    return inspector


def test_every_state_of_every_page_is_seen_and_speaks_the_language(inspector: Inspector) -> None:
    assert inspector.found["language"] == []
    assert len(inspector.seen) == len(set(inspector.seen)) == STATES


def test_axe_finds_nothing_on_any_page_in_any_state_and_scheme(inspector: Inspector) -> None:
    assert inspector.found["barriers"] == []


def test_nothing_is_cut_off_at_400_percent_and_every_target_is_large(inspector: Inspector) -> None:
    """A window of 1280 at 400 % is 320 wide (WCAG 2.2, 1.4.10), as is a phone's."""
    assert inspector.found["phone"] == []


def test_text_at_200_percent_with_wide_spacing_is_not_cut_off(inspector: Inspector) -> None:
    """WCAG 2.2, 1.4.4 and 1.4.12."""
    assert inspector.found["spaced"] == []


def test_text_at_200_percent_on_a_phone_is_not_cut_off(inspector: Inspector) -> None:
    assert inspector.found["doubled"] == []


def test_nothing_is_typed_in_letters_so_small_that_a_phone_enlarges_the_page(
    inspector: Inspector,
) -> None:
    assert inspector.found["letters"] == []


def test_one_thing_at_most_is_the_one_to_do(inspector: Inspector) -> None:
    assert inspector.found["accents"] == []


def test_on_paper_nothing_is_left_to_press_or_to_fill_in(inspector: Inspector) -> None:
    assert inspector.found["paper"] == []
