"""References: short, sayable, and hard to mistake for one another."""

from __future__ import annotations

import re

import pytest

from reporter.formats.reference import new_reference, parse_reference


def test_a_reference_is_a_letter_and_five_characters_of_crockfords_alphabet() -> None:
    for _ in range(500):
        assert re.fullmatch(r"INC-[A-HJKMNP-TV-Z][0-9A-HJKMNP-TV-Z]{5}", new_reference())


def test_references_are_taken_at_random() -> None:
    assert len({new_reference() for _ in range(1_000)}) > 990


@pytest.mark.parametrize(
    "heard",
    [
        "INC-KX7M9Q",
        "inc-kx7m9q",
        "KX7M9Q",
        " kx7 m9q ",
        "INC KX7M9Q",
        "INCKX7M9Q",
        "inc-kx7-m9q",
        "INC–KX7M9Q",
        "INC\u2011KX7M9Q",
    ],
)
def test_a_reference_is_understood_as_people_write_it(heard: str) -> None:
    assert parse_reference(heard) == "INC-KX7M9Q"


@pytest.mark.parametrize(
    ("heard", "meant"),
    [("INC-KO7M9Q", "INC-K07M9Q"), ("kl7miq", "INC-K17M1Q"), ("INC-A00000", "INC-A00000")],
)
def test_letters_that_are_taken_for_digits_are_mended(heard: str, meant: str) -> None:
    assert parse_reference(heard) == meant


@pytest.mark.parametrize(
    "text", ["", "INC-", "INC-KX7M9", "INC-KX7M9QQ", "INC-7X7M9Q", "INC-KX7M9U", "INC-KX7M9Ñ"]
)
def test_what_is_no_reference_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no reference"):
        parse_reference(text)


def test_every_new_reference_is_understood() -> None:
    for _ in range(100):
        reference = new_reference()
        assert parse_reference(reference.lower().removeprefix("inc-")) == reference
