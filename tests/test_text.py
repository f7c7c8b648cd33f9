"""Customers' words made safe for a mail."""

from __future__ import annotations

import pytest

from reporter.formats.text import header_text, indented, one_line, shortened

BREAKS = ["\n", "\r", "\r\n", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"]
TURNING = ["\u061c", "\u200e", "\u200f", *map(chr, range(0x202A, 0x202F)),
           *map(chr, range(0x2066, 0x206A)), "\ufeff"]  # fmt: skip


@pytest.mark.parametrize("separator", BREAKS)
def test_no_line_break_of_any_kind_is_left_in_a_line(separator: str) -> None:
    assert one_line(f"a{separator}b") == "a b"
    assert one_line(f"{separator}a{separator}{separator}") == "a"


@pytest.mark.parametrize("separator", BREAKS)
def test_a_line_break_of_any_kind_makes_a_line_that_is_set_in(separator: str) -> None:
    assert indented(f"a{separator}From: b") == "  a\n  From: b"


@pytest.mark.parametrize("control", ["\x00", "\x07", "\x08", "\x1b", "\x7f", "\x9b"])
def test_a_control_character_becomes_a_space(control: str) -> None:
    assert one_line(f"a{control}b") == "a b"
    assert indented(f"a{control}b") == "  a b"


@pytest.mark.parametrize("mark", TURNING)
def test_a_mark_that_turns_the_direction_of_text_is_dropped(mark: str) -> None:
    assert one_line(f"a{mark}b") == "ab"
    assert indented(f"a{mark}b") == "  ab"


@pytest.mark.parametrize(
    "text", ["Íñigo", "e\u0301", "\N{FIRE}", "👩‍👩‍👧", "שלום", "مرحبا", "नमस्ते", "🏳️‍🌈"]
)
def test_what_people_write_in_any_script_stays_as_it_is(text: str) -> None:
    assert one_line(text) == text
    assert indented(text) == f"  {text}"


def test_half_a_character_becomes_the_mark_of_a_missing_one() -> None:
    assert one_line("a\ud800b") == "a\ufffdb"


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("-- ", "  - --"),
        ("--", "  - --"),
        ("- one", "  - - one"),
        ("   -- x", "  -    -- x"),
        ("\t__", "  -     __"),
        ("_____", "  - _____"),
        ("a - b", "  a - b"),
        ("–", "  –"),
    ],
)
def test_a_line_that_looks_like_a_signature_mark_is_escaped(text: str, escaped: str) -> None:
    assert indented(text) == escaped


@pytest.mark.parametrize("hidden", ["\u200b", "\u200e", "\x00", "\u00ad", "\u2060", "\u00a0"])
def test_an_invisible_character_does_not_hide_a_signature_mark(hidden: str) -> None:
    assert indented(f"{hidden}-- ").startswith("  - ")


def test_blank_lines_inside_a_text_stay_and_those_around_it_go() -> None:
    assert indented("\r\n\r\none\r\n\r\ntwo\r\n") == "  one\n\n  two"


def test_the_customers_own_indentation_stays() -> None:
    assert indented("if x:\n    y") == "  if x:\n      y"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("=?utf-8?q?x?=", "= ?utf-8?q?x?="),
        ("=\u202e?utf-8?b?eA?=", "= ?utf-8?b?eA?="),
        ("a\r\nTo: b", "a To: b"),
        ("x=1, y=?", "x=1, y= ?"),
    ],
)
def test_no_word_of_a_header_passes_for_an_encoded_one(text: str, line: str) -> None:
    assert header_text(text) == line


def test_nothing_is_left_of_nothing() -> None:
    assert (one_line(""), indented(""), one_line(" \x00\u202e ")) == ("", "", "")


@pytest.mark.parametrize(
    ("text", "short"),
    [("12345", "12345"), ("123456", "1234…"), ("123 56", "123…"), ("", "")],
)
def test_a_text_that_is_too_long_ends_in_an_ellipsis(text: str, short: str) -> None:
    assert shortened(text, 5) == short
