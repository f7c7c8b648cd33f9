"""Customers' words: without what a paste adds, made safe for a mail, in which they can hold no
line, mark or direction of ours, and breakable on a small screen.
"""

from __future__ import annotations

import re
import unicodedata

from markupsafe import Markup, escape

# Letters and symbols that nobody sees: Hangul fillers, the blank of Braille, a musical one.
BLANK = frozenset("\u115f\u1160\u3164\uffa0\u2800\U0001d159")
# Of the characters that only format, those that are seen: Arabic and Syriac number signs.
SEEN = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2")
JOINERS = frozenset("\u200c\u200d")
# Scripts whose words need joiners begin here, behind Latin, Greek and Cyrillic.
JOINING_FROM = "\u0530"
FLAG = "\U0001f3f4"  # may be followed by tags, which are seen with it alone
TAGS = range(0xE0020, 0xE0080)
TAB = 8  # columns, as terminals have it
# What a terminal does not show (ECMA-48): control sequences; strings, as of a title or a link, with
# their end; the choice of a character set; a few that stand alone.
ESCAPES = re.compile(
    r"(?:\x1b\[[0-?]{0,64}|\x9b[0-?]{1,64})[ -/]{0,8}[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x80-\x9f\r\n]{0,4096}(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ #%()*+./-][0-~]|\x1b[78=>]"
)
BAR = "| "
# The same in static/js/writing.js.
COLUMNS = re.compile(r"\t|[^\s.!?:;][ \u00a0]{2,5000}\S|\S[ \u00a0]{3,5000}\S")
# Too long for a line of large letters on a phone; and where a reader would break it.
LONG = re.compile(r"\S{12,}")
SEAM = re.compile(r"(?<=\w)(?:[@_](?=\w)|(?=\.\w))")


def short(text: str) -> str:
    """A short answer as it was meant: one line, without what nobody sees and without the blanks
    around it or doubled in it."""
    return one_line(text)


def plain(text: str) -> str:
    """As `short`, for what a program reads: full-width and other compatible forms become the usual
    ones (NFKC), and all dashes one."""
    return re.sub(r"[\u2010-\u2015\u2212]", "-", short(unicodedata.normalize("NFKC", text)))


def one_line(text: str) -> str:
    """*text* as a single line: every control and line separator becomes a space."""
    if text.isprintable() and "  " not in text and BLANK.isdisjoint(text):  # the usual case
        return text.strip()
    return re.sub(r"\s+", " ", _printable(" ".join(text.splitlines()))).strip()


def is_blank(text: str) -> bool:
    """Whether there is nothing to see in *text*: no letter, number, punctuation or symbol."""
    return all(c in BLANK or unicodedata.category(c)[0] in "CMZ" for c in text)


def breakable(text: str) -> Markup:
    """*text* for a page, which may break an address or a file's name behind "@" and "_" and before
    a dot, rather than anywhere, where it does not fit. Whoever copies it gets it as it was."""
    return Markup(LONG.sub(_with_seams, str(escape(text))))  # noqa: S704 (escaped)


def _with_seams(word: re.Match[str]) -> str:
    return SEAM.sub(r"\g<0><wbr>", word[0])


def has_columns(text: str) -> bool:
    """Whether blanks within a line set columns, as in the output of a command. Two after the end of
    a sentence do not: that is how some people type."""
    return COLUMNS.search(text) is not None


def header_text(text: str) -> str:
    """*text* as a line for a header, in which no word passes for an encoded one (RFC 2047)."""
    return one_line(text).replace("=?", "= ?")


def exact_lines(text: str) -> list[str]:
    """The lines of *text* with their columns as a terminal shows them: tabs of eight, escape
    sequences taken out whole. Blank lines around it go."""
    if text.isprintable() and BLANK.isdisjoint(text):  # the usual case: one line, all of it stays
        return [text.rstrip()] if text else []
    lines = ESCAPES.sub("", text).strip("\r\n").splitlines()
    return [_expanded(_printable(line, keep="\t")).rstrip() for line in lines]


def exact(text: str) -> str:
    """*text* for a mail, in those lines."""
    return "\n".join(exact_lines(text))


def visible(text: str) -> str:
    """*text* for a page, as a terminal shows it; tabs stay, which a page has columns for."""
    if text.isprintable() and BLANK.isdisjoint(text):  # the usual case
        return text
    lines = ESCAPES.sub("", text).splitlines()
    return "\n".join(_printable(line, keep="\t") for line in lines)


def barred(text: str) -> str:
    """*text* as exact lines that each begin with a bar, blank ones too.

    So none can pass for a line of ours, also where leading blanks collapse, and none begins with
    what helpdesks take for the mark of a signature.
    """
    return "\n".join(BAR + line for line in exact_lines(text))


def shortened(text: str, length: int) -> str:
    """*text* in at most *length* characters, with an ellipsis where it was cut."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def _expanded(line: str) -> str:
    """*line* with its tabs as spaces; a character may be two columns wide, or none."""
    if "\t" not in line or line.isascii():
        return line.expandtabs(TAB)
    shown, column = [], 0
    for character in line:
        width = TAB - column % TAB if character == "\t" else _width(character)
        shown.append(" " * width if character == "\t" else character)
        column += width
    return "".join(shown)


def _width(character: str) -> int:
    if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _printable(text: str, keep: str = "") -> str:
    if text.isprintable() and BLANK.isdisjoint(text):  # the usual case, in which all of it stays
        return text
    text = ESCAPES.sub("", text)
    around = zip(f" {text}", text, f"{text[1:]} ", strict=False)
    shown = [c if c in keep else _shown(before, c, after) for before, c, after in around]
    return "".join(shown)


def _shown(before: str, character: str, after: str) -> str:
    category = unicodedata.category(character)
    if category == "Cf":
        stays = character in SEEN or _joins(before, character, after)
        return character if stays else ""
    if category in {"Cc", "Zl", "Zp"} or character in BLANK:
        return " "
    return "\ufffd" if category == "Cs" else character


def _joins(before: str, character: str, after: str) -> bool:
    """Whether a word or an emoji needs this character, which alone is not seen."""
    if ord(character) in TAGS:
        return before == FLAG or ord(before) in TAGS
    return character in JOINERS and _is_joined(before) and _is_joined(after)


def _is_joined(character: str) -> bool:
    category = unicodedata.category(character)
    return category in {"So", "Sk"} or (category[0] in "LM" and character >= JOINING_FROM)
