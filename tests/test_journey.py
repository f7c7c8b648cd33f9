"""The order of steps: where somebody may go, and where they go next."""

from __future__ import annotations

import pytest

from reporter.wizard.journey import Journey

SLUGS = ("failure", "timing", "changes")


def journey(*completed: str) -> Journey:
    return Journey(SLUGS, set(completed))


@pytest.mark.parametrize(
    ("completed", "first_open"),
    [
        ((), "failure"),
        (("failure",), "timing"),
        (("failure", "changes"), "timing"),
        (("timing", "changes"), "failure"),
        (SLUGS, "review"),
    ],
)
def test_the_first_open_step_is_the_first_one_without_an_answer(
    completed: tuple[str, ...], first_open: str
) -> None:
    assert journey(*completed).first_open() == first_open


@pytest.mark.parametrize(
    ("completed", "reachable"),
    [
        ((), ["failure"]),
        (("failure",), ["failure", "timing"]),
        (("failure", "changes"), ["failure", "timing"]),
        (SLUGS, ["failure", "timing", "changes", "review"]),
    ],
)
def test_a_step_can_be_visited_when_all_before_it_are_answered(
    completed: tuple[str, ...], reachable: list[str]
) -> None:
    told = journey(*completed)
    assert [slug for slug in (*SLUGS, "review") if told.can_visit(slug)] == reachable


def test_after_each_step_comes_the_next_and_after_the_last_the_review() -> None:
    assert [journey().after(slug) for slug in SLUGS] == ["timing", "changes", "review"]


def test_before_each_step_is_the_one_asked_before_and_nothing_before_the_first() -> None:
    assert [journey().before(slug) for slug in SLUGS] == [None, "failure", "timing"]


def test_steps_are_numbered_from_one() -> None:
    assert [journey().number(slug) for slug in SLUGS] == [1, 2, 3]


def test_a_step_nobody_declared_has_no_place() -> None:
    with pytest.raises(ValueError, match="unknown"):
        journey().can_visit("unknown")
