"""How headers are written into a mail: each beside its name, and no blank lost on the way."""

from __future__ import annotations

import re
from email.charset import SHORTEST, Charset
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from functools import lru_cache
from itertools import takewhile
from typing import Any

LINE_LENGTH = 76  # RFC 2047, section 2, for lines with an encoded word
# Our own: Flask-Mail and Apprise each change what "utf-8" means to the whole process.
UTF8 = Charset("utf-8")
UTF8.header_encoding = SHORTEST
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
    part = EmailMessage(policy=MAIL)
    part.add_header("Content-Disposition", "attachment", filename=filename)
    return b"".join(MAIL.fold_binary(name, value) for name, value in part.items())


class Folding(EmailPolicy):
    """The standard library's policy for SMTP, with other folding.

    Its own begins a text that does not fit beside the name on the next line, which filters by
    line miss. Of text that is not ASCII it loses the blank between two words where it breaks a
    line, so that is left to the older `email.header.Header`.
    """

    def fold_binary(self, name: str, value: Any) -> bytes:
        text = str(value)
        if not text.isascii():
            return f"{name}: {_encoded(name, value)}\r\n".encode("ascii")
        if len(name) + len(text) + 2 <= LINE_LENGTH and text.isprintable():
            return f"{name}: {text}\r\n".encode("ascii")
        return re.sub(rb"^([!-9;-~]+:)\r\n ", rb"\1 ", super().fold_binary(name, value))


def _encoded(name: str, value: Any) -> str:
    """A header with encoded words (RFC 2047), folded. An address header has one address."""
    header = Header(header_name=name, maxlinelen=LINE_LENGTH)
    if hasattr(value, "addresses"):
        (value,) = value.addresses
    if isinstance(value, Address):
        header.append(value.display_name, UTF8)
        header.append(f"<{value.addr_spec}>", "us-ascii")
    else:
        words = str(value).split(" ")
        plain = list(takewhile(str.isascii, words))
        # Behind these `Header` leaves no blank, as in a comment, and what an encoded word is
        # glued to makes it none (RFC 2047, section 5).
        while plain and (not plain[-1] or plain[-1][-1] in "()\\"):
            plain.pop()
        if plain:
            header.append(" ".join(plain), "us-ascii")
        header.append(" ".join(words[len(plain) :]), UTF8)
    return header.encode(linesep="\r\n")


@lru_cache(8)
def _from_line(display_name: str, addr_spec: str) -> bytes:
    """Of us, so always the same."""
    return _line("From", Address(display_name, addr_spec=addr_spec))


def _line(name: str, value: str | Address) -> bytes:
    text = str(value)
    if text.isprintable():
        if not text.isascii():
            return f"{name}: {_encoded(name, value)}\r\n".encode("ascii")
        if len(name) + len(text) + 2 <= LINE_LENGTH:
            return f"{name}: {text}\r\n".encode("ascii")
    # An end of a line is refused there.
    return MAIL.fold_binary(*MAIL.header_store_parse(name, value))


MAIL = Folding(linesep="\r\n")
