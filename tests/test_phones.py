"""Phone numbers as people write them: no letter is a digit, and what stands beside is a note."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from reporter.formats.phones import Fault, NotAPhone, international, parse_phone


@pytest.fixture(autouse=True)
def in_spain() -> Iterator[None]:
    app = Flask("none")
    app.config["PHONE_REGION"] = "ES"
    with app.app_context():
        yield


@pytest.mark.parametrize(
    ("typed", "number", "note"),
    [
        ("600 000 000", "+34 600 00 00 00", ""),
        ("tel: 600000000", "+34 600 00 00 00", ""),
        ("Teléfono 600-000-000.", "+34 600 00 00 00", ""),
        ("\u202a+34 600\u00a0000\u00a0000\u202c", "+34 600 00 00 00", ""),
        ("６００　０００　０００", "+34 600 00 00 00", ""),
        ("+34 600–000–000", "+34 600 00 00 00", ""),
        ("+49 30 12345 Max", "+49 30 12345", "Max"),
        ("600 000 000 (tardes)", "+34 600 00 00 00", "tardes"),
        ("+34 600 000 000;ext=12", "+34 600 00 00 00 ext. 12", ""),
        ("600 000 000 (tardes) WhatsApp", "+34 600 00 00 00", "tardes · WhatsApp"),
        ("600000000 WhatsApp", "+34 600 00 00 00", "WhatsApp"),
        ("600 000 000 / 611 000 000", "+34 600 00 00 00", "611 000 000"),
        ("600000000/611000000", "+34 600 00 00 00", "611000000"),
        ("600 000 000 - 611 000 000", "+34 600 00 00 00", "611 000 000"),
        ("600 000 000 (9-14 h)", "+34 600 00 00 00", "9-14 h"),
        ("+49 30 1234567 (9-14)", "+49 30 1234567", "9-14"),
        ("Ana: 600 000 000, tardes", "+34 600 00 00 00", "Ana · tardes"),
        ("despacho 12, 600 000 000", "+34 600 00 00 00", "despacho 12"),
        ("+34 (0)600 000 000", "+34 600 00 00 00", ""),
        ("+44 (0)20 7946 0958", "+44 20 7946 0958", ""),
        ("+39 (0)6 698 12345", "+39 06 6981 2345", ""),
        ("+52 1 55 1234 5678", "+52 55 1234 5678", ""),
        ("+52 55 1234 5678", "+52 55 1234 5678", ""),
        ("+1 (212) 555-0100", "+1 212-555-0100", ""),
        ("912 345 678 ext. 12", "+34 912 34 56 78 ext. 12", ""),
        ("912 345 678 extensión 12 mañanas", "+34 912 34 56 78 ext. 12", "mañanas"),
        ("912345678 x12", "+34 912 34 56 78 ext. 12", ""),
    ],
)
def test_a_number_is_read_and_what_is_beside_it_is_kept(typed: str, number: str, note: str) -> None:
    found = parse_phone(typed)
    assert (str(found), found.note) == (number, note)
    assert international(typed) == number


@pytest.mark.parametrize(
    ("typed", "fault", "part"),
    [
        ("no tengo", Fault.NO_DIGITS, "no tengo"),
        ("@", Fault.NO_DIGITS, "@"),
        ("1-800-FLOWERS", Fault.LETTERS, "FLOWERS"),
        ("12", Fault.TOO_SHORT, "12"),
        ("600 000 00", Fault.TOO_SHORT, "600 000 00"),
        ("6" * 30, Fault.TOO_LONG, "6" * 30),
        ("600 000 000 1", Fault.TOO_LONG, "600 000 000 1"),
        ("+999 123", Fault.COUNTRY, "+999 123"),
    ],
)
def test_a_refusal_says_which_part_was_not_understood(typed: str, fault: Fault, part: str) -> None:
    with pytest.raises(NotAPhone) as refused:
        parse_phone(typed)
    assert (refused.value.fault, refused.value.part) == (fault, part)


def test_a_number_that_no_phone_has_is_known() -> None:
    assert parse_phone("600 000 000").is_usual
    assert not parse_phone("+34 100 000 000").is_usual
