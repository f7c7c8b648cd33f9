"""How headers are written into a mail: each beside its name, and no blank lost on the way."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from functools import lru_cache
from itertools import takewhile
from string import ascii_letters, digits
from typing import Any

LINE_LENGTH = 76  # RFC 2047, section 2, for lines with an encoded word
# What an encoded word has around its text, with what base64 adds at its end; and the least room
# that it is begun in.
AROUND = len("=?utf-8?q??=") + 3
LEAST_ROOM = AROUND + len("=F0=9F=98=80")
UNQUOTED = frozenset(f"{ascii_letters}{digits}!*+-/")
# What a filename may hold and be written between quotes as it is (RFC 2183, section 2).
PLAIN_NAME = re.compile(r"[\w.+-]{1,48}", re.ASCII)


def header_line(name: str, value: str | Address) -> bytes:
    """A header as it stands in a mail, folded and with its end.

    Raises ValueError for a value of several lines.
    """
    if name == "From" and isinstance(value, Address):
        return _from_line(value.display_name, value.addr_spec)
    return _line(name, value)


def attachment_line(filename: str) -> bytes:
    """The header that names a file."""
    if PLAIN_NAME.fullmatch(filename):
        return f'Content-Disposition: attachment; filename="{filename}"\r\n'.encode("ascii")
    # The standard library's own folding, which writes other letters as RFC 2231 has it.
    part = EmailMessage(policy=SMTP)
    part.add_header("Content-Disposition", "attachment", filename=filename)
    return b"".join(SMTP.fold_binary(name, value) for name, value in part.items())


class Folding(EmailPolicy):
    """The standard library's policy for SMTP, with other folding.

    Its own begins a text that does not fit beside the name on the next line, which filters by
    line miss. Of text that is not ASCII it loses the blank between two words where it breaks a
    line, so that is written here.
    """

    def fold_binary(self, name: str, value: Any) -> bytes:
        text = str(value)
        if not text.isascii():
            (address,) = getattr(value, "addresses", [text])
            return f"{_encoded(name, address)}\r\n".encode("ascii")
        if len(name) + len(text) + 2 <= LINE_LENGTH and text.isprintable():
            return f"{name}: {text}\r\n".encode("ascii")
        return re.sub(rb"^([!-9;-~]+:)\r\n ", rb"\1 ", super().fold_binary(name, value))


def _encoded(name: str, value: str | Address) -> str:
    """A header with encoded words (RFC 2047), folded."""
    plain, end = [], []
    if isinstance(value, Address):
        text, end = value.display_name, [f"<{value.addr_spec}>"]
    else:
        words = value.split(" ")
        plain = list(takewhile(str.isascii, words))
        text = " ".join(words[len(plain) :])
    lines = [f"{name}:"]
    for word in plain:
        _add(lines, word)
    for word in (*_encoded_words(text, LINE_LENGTH - len(lines[-1]) - 1), *end):
        _add(lines, word)
    return "\r\n".join(lines)


def _add(lines: list[str], word: str) -> None:
    """Behind the last of *lines* or on the next; the first always beside the name."""
    if len(lines[-1]) + 1 + len(word) <= LINE_LENGTH or " " not in lines[-1]:
        lines[-1] += f" {word}"
    else:
        lines.append(f" {word}")


def _encoded_words(text: str, room: int) -> Iterator[str]:
    """*text* as encoded words of whole characters: the first fits into *room*, if that is enough
    to begin with, and each other into a line. They end behind a blank where they can, as some
    readers keep the one that stands between two."""
    quoted = [len(_quoted(character)) for character in text]
    based = [4 / 3 * len(character.encode()) for character in text]
    is_quoted = sum(quoted) <= sum(based)
    sizes: Sequence[float] = quoted if is_quoted else based
    start, blank, most = 0, 0, room if room >= LEAST_ROOM else LINE_LENGTH - 1
    used = 0.0
    for place, size in enumerate(sizes):
        if used + size > most - AROUND:
            end = blank if blank > start else place
            yield _encoded_word(text[start:end], is_quoted)
            start, used, most = end, sum(sizes[end:place]), LINE_LENGTH - 1
        used += size
        if text[place] == " ":
            blank = place + 1
    yield _encoded_word(text[start:], is_quoted)


def _encoded_word(text: str, is_quoted: bool) -> str:
    if is_quoted:
        return f"=?utf-8?q?{''.join(map(_quoted, text))}?="
    return f"=?utf-8?b?{base64.b64encode(text.encode()).decode()}?="


@lru_cache(2_000)
def _quoted(character: str) -> str:
    """In an encoded word that may stand in a name too (RFC 2047, section 5)."""
    if character in UNQUOTED:
        return character
    return "_" if character == " " else "".join(f"={byte:02X}" for byte in character.encode())


@lru_cache(8)
def _from_line(display_name: str, addr_spec: str) -> bytes:
    """Of us, so always the same."""
    return _line("From", Address(display_name, addr_spec=addr_spec))


def _line(name: str, value: str | Address) -> bytes:
    text = str(value)
    if text.isprintable():
        if not text.isascii():
            return f"{_encoded(name, value)}\r\n".encode("ascii")
        if len(name) + len(text) + 2 <= LINE_LENGTH:
            return f"{name}: {text}\r\n".encode("ascii")
    # An end of a line is refused there.
    return MAIL.fold_binary(*MAIL.header_store_parse(name, value))


MAIL = Folding(linesep="\r\n")
