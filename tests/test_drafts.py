"""What somebody has typed so far, on both engines: kept as raw strings, valid or not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from factories import SENT_AT
from flask import Flask

from reporter.database import get_database
from reporter.models import Base
from reporter.wizard import drafts


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Iterator[Flask]:
    app = make_app()
    Base.metadata.create_all(app.extensions["sqlalchemy"].engine)
    with app.app_context():
        yield app


def load(draft_id: str) -> drafts.Draft | None:
    with get_database().read() as session:
        return drafts.load(session, draft_id)


@pytest.mark.usefixtures("app")
def test_a_draft_nobody_began_is_none() -> None:
    assert load("nobody") is None


@pytest.mark.usefixtures("app")
def test_what_was_typed_comes_back_unchanged() -> None:
    raw = {
        "summary": ["  <b>no carga</b> \r\n\t\x00 \N{FIRE} \u202e e\u0301"],
        "service": ["email"],
    }
    drafts.save("a", "failure", raw, SENT_AT, set())
    draft = load("a")
    assert draft is not None
    assert draft.steps["failure"].raw == raw
    assert draft.steps["failure"].answered_at == SENT_AT


@pytest.mark.usefixtures("app")
def test_a_step_that_is_not_valid_is_kept_and_not_complete() -> None:
    drafts.save("a", "failure", {"summary": ["x"]}, SENT_AT, set())
    drafts.save("a", "contact", {"email": ["ana@"]}, None, set())
    draft = load("a")
    assert draft is not None
    assert draft.completed() == {"failure"}
    assert draft.steps["contact"].raw == {"email": ["ana@"]}
    assert draft.steps["contact"].answered_at is None


@pytest.mark.usefixtures("app")
def test_a_step_submitted_again_replaces_itself_and_no_other() -> None:
    drafts.save("a", "failure", {"summary": ["first"]}, SENT_AT, set())
    drafts.save("a", "changes", {"changed": ["no"]}, SENT_AT, set())
    drafts.save("a", "failure", {"summary": ["second"]}, SENT_AT, set())
    draft = load("a")
    assert draft is not None
    assert {slug: step.raw for slug, step in draft.steps.items()} == {
        "failure": {"summary": ["second"]},
        "changes": {"changed": ["no"]},
    }


@pytest.mark.usefixtures("app")
def test_flags_stay_once_they_are_raised() -> None:
    drafts.save("a", "failure", {}, SENT_AT, {"hidden_field"})
    drafts.save("a", "failure", {}, SENT_AT, set())
    draft = load("a")
    assert draft is not None
    assert draft.flags == ("hidden_field",)


@pytest.mark.usefixtures("app")
def test_a_draft_knows_when_it_was_begun() -> None:
    with time_machine.travel(SENT_AT, tick=False):
        drafts.save("a", "failure", {}, None, set())
    with time_machine.travel(SENT_AT + timedelta(hours=1), tick=False):
        drafts.save("a", "timing", {}, None, set())
    draft = load("a")
    assert draft is not None
    assert draft.created_at == SENT_AT


@pytest.mark.usefixtures("app")
def test_drafts_know_nothing_of_one_another() -> None:
    drafts.save("a", "failure", {"summary": ["mine"]}, SENT_AT, set())
    drafts.save("b", "failure", {"summary": ["yours"]}, SENT_AT, set())
    draft = load("a")
    assert draft is not None
    assert draft.steps["failure"].raw == {"summary": ["mine"]}


def test_two_tabs_that_save_two_steps_at_once_lose_neither(app: Flask) -> None:
    def save(number: int) -> None:
        with app.app_context():
            drafts.save("a", f"step{number}", {"key": [str(number)]}, SENT_AT, {f"flag{number}"})

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(save, range(8)))
    draft = load("a")
    assert draft is not None
    assert {slug: step.raw["key"] for slug, step in draft.steps.items()} == {
        f"step{number}": [str(number)] for number in range(8)
    }
    assert len(draft.flags) == 8


@pytest.mark.usefixtures("app")
def test_a_step_is_put_into_what_another_tab_has_saved_since() -> None:
    with time_machine.travel(SENT_AT, tick=False):  # in which two changes are at the same time
        drafts.save("a", "failure", {"summary": ["first"]}, SENT_AT, set())
        seen = load("a")
        drafts.save("a", "timing", {"pattern": ["over"]}, SENT_AT, {"flag"}, seen=seen)
        drafts.save("a", "failure", {"summary": ["second"]}, SENT_AT, set(), seen=seen)
    draft = load("a")
    assert draft is not None
    assert {slug: step.raw for slug, step in draft.steps.items()} == {
        "failure": {"summary": ["second"]},
        "timing": {"pattern": ["over"]},
    }
    assert draft.flags == ("flag",)
