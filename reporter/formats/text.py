"""Customers' words made safe for a mail: they can hold no line, mark or direction of ours."""

from __future__ import annotations

import re
import unicodedata

# Marks that turn the direction of text (Unicode Standard Annex 9, table 4) and the byte order
# mark. Joiners stay: names and emoji need them.
TURNING = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
)
INDENT = "  "


def one_line(text: str) -> str:
    """*text* as a single line: every control and line separator becomes a space."""
    return re.sub(r"\s+", " ", _printable(" ".join(text.splitlines()))).strip()


def is_blank(text: str) -> bool:
    """Whether there is nothing to see in *text*: no letter, number, punctuation or symbol."""
    return all(unicodedata.category(character)[0] in "CMZ" for character in text)


def header_text(text: str) -> str:
    """*text* as a line for a header, in which no word passes for an encoded one (RFC 2047)."""
    return one_line(text).replace("=?", "= ?")


def indented(text: str) -> str:
    """*text* as lines set in by two spaces, so that none stands at column 0.

    A line that begins with "-" or "_" gets "- " first, as helpdesks cut a mail at what looks
    like the mark of a signature.
    """
    lines = [_printable(line.expandtabs(4)).rstrip() for line in text.strip("\r\n").splitlines()]
    return "\n".join(INDENT + _escaped(line) if line else "" for line in lines)


def shortened(text: str, length: int) -> str:
    """*text* in at most *length* characters, with an ellipsis where it was cut."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def _escaped(line: str) -> str:
    seen = (c for c in line if not c.isspace() and unicodedata.category(c) != "Cf")
    return f"- {line}" if next(seen, "") in {"-", "_"} else line


def _printable(text: str) -> str:
    if text.isprintable():  # the usual case, in which all of it stays
        return text
    return "".join(_shown(character) for character in text)


def _shown(character: str) -> str:
    if character in TURNING:
        return ""
    category = unicodedata.category(character)
    if category in {"Cc", "Zl", "Zp"}:
        return " "
    return "\ufffd" if category == "Cs" else character
