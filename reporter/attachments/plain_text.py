"""Text in any encoding: whether bytes are mostly text, and what they say."""

from __future__ import annotations

import codecs

# What a log or a capture of a terminal may hold besides text: tabs, line ends, form feeds, colours,
# bells, the shifts of a serial line, and the mark that ends a file in DOS.
CONTROLS = b"\t\n\r\x0b\x0c\x1b\x08\x07\x0e\x0f\x1a"
NOT_TEXT = bytes(byte for byte in range(32) if byte not in CONTROLS) + b"\x7f"
# One such byte in so many is an accident.
ACCIDENT = 50
MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
SAMPLE = 65_536  # bytes, of which the encoding is guessed


def is_mostly_text(content: bytes) -> bool:
    """Whether somebody who opens *content* as text can read it.

    A log may be cut inside a character, hold a bad byte or what a serial line added.
    """
    encoding = _encoding(content)
    if encoding.startswith("utf-16"):
        return _reads_as_utf16(content, encoding)
    return _is_rare(len(content) - len(content.translate(None, NOT_TEXT)), len(content))


def to_text(content: bytes) -> str:
    """What *content* says, with a mark for each byte that says nothing."""
    return content.decode(_encoding(content), "replace")


def _encoding(content: bytes) -> str:
    """As far as can be told: UTF-16 is known by its mark or its zeros; of the rest, UTF-8 by its
    form, and any other has ASCII where it matters."""
    for mark, encoding in MARKS.items():
        if content.startswith(mark):
            return encoding
    sample = content[:SAMPLE]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if max(even, odd) * 5 > len(sample[::2]) and min(even, odd) * 20 <= len(sample[::2]):
        return "utf-16-be" if even > odd else "utf-16-le"
    return "utf-8"


def _reads_as_utf16(content: bytes, encoding: str) -> bool:
    text = content.decode(encoding, "replace")
    bad = sum(c == "\ufffd" or (c < " " and c not in "\t\n\r\x0b\x0c\x1b\x1a") for c in text)
    return bool(text.strip("\ufeff\ufffd")) and _is_rare(bad, len(text))


def _is_rare(bad: int, count: int) -> bool:
    return bad * ACCIDENT <= count
