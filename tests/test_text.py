"""Customers' words made safe for a mail."""

from __future__ import annotations

import pytest

from reporter.formats.text import (
    barred,
    breakable,
    exact_lines,
    has_columns,
    header_text,
    is_blank,
    one_line,
    plain,
    short,
    shortened,
    visible,
)

BREAKS = ["\n", "\r", "\r\n", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"]
TURNING = ["\u061c", "\u200e", "\u200f", *map(chr, range(0x202A, 0x202F)),
           *map(chr, range(0x2066, 0x206A)), "\ufeff"]  # fmt: skip


@pytest.mark.parametrize("separator", BREAKS)
def test_no_line_break_of_any_kind_is_left_in_a_line(separator: str) -> None:
    assert one_line(f"a{separator}b") == "a b"
    assert one_line(f"{separator}a{separator}{separator}") == "a"


@pytest.mark.parametrize("separator", BREAKS)
def test_a_line_break_of_any_kind_makes_a_line_that_begins_with_a_bar(separator: str) -> None:
    assert barred(f"a{separator}From: b") == "| a\n| From: b"


@pytest.mark.parametrize("control", ["\x00", "\x07", "\x08", "\x1b", "\x7f", "\x9b"])
def test_a_control_character_becomes_a_space(control: str) -> None:
    assert one_line(f"a{control}b") == "a b"
    assert barred(f"a{control}b") == "| a b"


@pytest.mark.parametrize("mark", TURNING)
def test_a_mark_that_turns_the_direction_of_text_is_dropped(mark: str) -> None:
    assert one_line(f"a{mark}b") == "ab"
    assert barred(f"a{mark}b") == "| ab"


@pytest.mark.parametrize(
    "text", ["Íñigo", "e\u0301", "\N{FIRE}", "👩‍👩‍👧", "שלום", "مرحبا", "नमस्ते", "🏳️‍🌈"]
)
def test_what_people_write_in_any_script_stays_as_it_is(text: str) -> None:
    assert one_line(text) == text
    assert barred(text) == f"| {text}"


def test_half_a_character_becomes_the_mark_of_a_missing_one() -> None:
    assert one_line("a\ud800b") == "a\ufffdb"


@pytest.mark.parametrize("text", ["-- ", "--", "_____", "reference: x", "> quoted", "| barred"])
def test_no_line_passes_for_one_of_ours_or_the_mark_of_a_signature(text: str) -> None:
    assert barred(text) == f"| {text.rstrip()}"


def test_blank_lines_inside_a_text_stay_and_those_around_it_go() -> None:
    assert barred("\r\n\r\none\r\n\r\ntwo\r\n") == "| one\n| \n| two"


def test_the_customers_own_indentation_stays() -> None:
    assert barred("if x:\n    y") == "| if x:\n|     y"
    assert barred("\n    y\n  z\n") == "|     y\n|   z"


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
    assert (one_line(""), barred(""), one_line(" \x00\u202e ")) == ("", "", "")


@pytest.mark.parametrize(
    ("text", "short"),
    [("12345", "12345"), ("123456", "1234…"), ("123 56", "123…"), ("", "")],
)
def test_a_text_that_is_too_long_ends_in_an_ellipsis(text: str, short: str) -> None:
    assert shortened(text, 5) == short


NOBODY_SEES = ["\u200b", "\u2060", "\u00ad", "\ufeff", "\u180e", "\u200e", "\u202b", "\u2066"]


@pytest.mark.parametrize("mark", NOBODY_SEES)
def test_a_character_that_nobody_sees_is_taken_off_wherever_it_stands(mark: str) -> None:
    assert short(f"{mark}ana{mark}@example.com{mark}") == "ana@example.com"
    assert header_text(f"La{mark} tienda") == "La tienda"
    assert short(f"न{mark}म") == "नम"  # where a joiner would stay
    assert exact_lines(f"a{mark}b\n{mark}") == ["ab", ""]


@pytest.mark.parametrize(
    "text",
    ["می\u200cخواهم", "क्\u200dष", "👩\u200d💻", "🏳️\u200d🌈", "👩🏽\u200d🚒", "\u0601", "❤️\u200d🔥",
     "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"],
)  # fmt: skip
def test_a_joiner_that_a_word_or_an_emoji_needs_stays(text: str) -> None:
    assert short(text) == header_text(text) == text
    assert exact_lines(text) == [text]


@pytest.mark.parametrize("text", ["a\u200db", "a\u200c b", "\u200d", "a\U000e0067b", "1\u200d2"])
def test_any_other_joiner_is_taken_off(text: str) -> None:
    assert not set("\u200c\u200d\U000e0067") & set(short(text))


@pytest.mark.parametrize(
    "text",
    ["", " ", "\u200b", "\u2800", "\u3164", "\u00ad", "\ufeff", "\u00a0\u3000", "\u115f\uffa0",
     "\r\n\t", "\u200d", "\x00", "\u2028", "\u0301"],
)  # fmt: skip
def test_what_holds_nothing_to_see_is_a_blank(text: str) -> None:
    assert is_blank(text)
    assert is_blank(text * 3)


@pytest.mark.parametrize("text", [".", "0", "\u200ba", "ㅤx", "⠁", "🔥", "—"])
def test_what_holds_anything_to_see_is_none(text: str) -> None:
    assert not is_blank(text)


def test_blanks_of_every_kind_are_one_blank() -> None:
    assert short("La  tienda  no carga") == "La tienda no carga"
    assert short("\u00a0La  tienda\u3000\u2800 no\u202fcarga ") == "La tienda no carga"


def test_full_width_forms_are_read_as_the_usual_ones_by_a_program_only() -> None:
    assert plain("６００－０００　０００") == "600-000 000"
    assert plain("ana＠example．com") == "ana@example.com"
    assert plain("600–000—000") == "600-000-000"
    assert short("エラー：５０２") == "エラー：５０２"


@pytest.mark.parametrize(
    ("cell", "blanks"),
    [
        ("abc", 5),
        ("x\u0301x\u0301", 6),  # each with a mark on it, and in one column
        ("a\u20dd", 7),  # within a circle
        ("👩\u200d💻", 4),  # joined
        ("日本", 4),  # wide ones
        ("ＡＢ", 4),  # full width
        ("ｱｲ", 6),  # half width
    ],
)
def test_a_tab_counts_columns_and_not_characters(cell: str, blanks: int) -> None:
    assert exact_lines(f"{cell}\tX") == [f"{cell}{' ' * blanks}X"]


def test_a_tab_reaches_to_the_next_of_eight_columns() -> None:
    assert exact_lines("ID\tNAME\tUP\nabcdefgh\tx\t1") == [
        "ID      NAME    UP",
        "abcdefgh        x       1",
    ]
    assert exact_lines("é\ttres\n日本\tx\n\x1b[31mrojo\x1b[0m\tx") == [
        "é       tres",
        "日本    x",
        "rojo    x",
    ]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[1;31mERROR\x1b[0m: 502", "ERROR: 502"),
        ("\x1b[38;5;196mERROR\x1b[m", "ERROR"),
        ("\x1b]0;root@web1: ~\x07root@web1:~# ls", "root@web1:~# ls"),
        ("\x1b]8;;https://example.com\x1b\\enlace\x1b]8;;\x1b\\", "enlace"),
        ("\x1b(Btexto\x1b[K", "texto"),
        ("\x1b[?25l50 %\x1b[?25h", "50 %"),
        ("\x9b31mERROR", "ERROR"),
        ("\x1b]0;sin fin", "0;sin fin"),
        ("[31m no es ninguna", "[31m no es ninguna"),
    ],
)
def test_what_a_terminal_does_not_show_goes_whole(text: str, shown: str) -> None:
    assert [line.lstrip(" ]") for line in exact_lines(text)] == [shown]
    assert short(text).lstrip(" ]") == shown
    assert visible(text).lstrip(" ]") == shown


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Host\tLoss%", True),
        ("Mem:          15900", True),
        ("1. gw  0.0%", True),
        ("Ahora tampoco hay correo. Ni web", False),
        ("It is down.  The mail too.  Really?  Yes", False),
        ("  File 1", False),
        ("uno  ", False),
    ],
)
def test_columns_are_blanks_within_a_line_but_not_those_after_a_sentence(
    text: str, expected: bool
) -> None:
    assert has_columns(text) is expected


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Escriba a inigo@example.com.", "Escriba a inigo@|example|.com."),
        ("Captura_2026_11_23.png", "Captura_|2026_|11_|23|.png"),
        ("<b>tienda.example.com</b>", "&lt;b&gt;tienda|.example|.com&lt;/b&gt;"),
        ("nginx/1.24.0 de Tienda, S.L.", "nginx/1|.24|.0 de Tienda, S.L."),
        ("Son 1.234,50 €. Muchos.", "Son 1.234,50 €. Muchos."),
        ("a@b.es ... @ana _x_ electrónicamente", "a@b.es ... @ana _x_ electrónicamente"),
    ],
)
def test_a_long_word_may_break_where_a_reader_would_break_it(text: str, shown: str) -> None:
    assert breakable(text) == shown.replace("|", "<wbr>")


def test_a_page_has_a_text_as_a_terminal_shows_it_with_its_tabs() -> None:
    text = "\x1b[31mERROR\x1b[0m\tcol\r\n\n\x1b]0;root\x07# ls\u202e\x07"
    assert visible(text) == "ERROR\tcol\n\n# ls "
