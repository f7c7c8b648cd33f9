"""How headers are written into a mail: each beside its name, and no blank lost on the way."""

from __future__ import annotations

import re
from email.charset import SHORTEST, Charset
from email.header import Header
from email.headerregistry import HeaderRegistry
from email.policy import EmailPolicy
from functools import cache, lru_cache
from itertools import takewhile
from typing import Any

LINE_LENGTH = 76  # RFC 2047, section 2, for lines with an encoded word
# Our own: Flask-Mail and Apprise each change what "utf-8" means to the whole process.
UTF8 = Charset("utf-8")
UTF8.header_encoding = SHORTEST

# Headers whose few values are ours, and no customer's.
ALWAYS_THE_SAME = {
    "Auto-Submitted",
    "Content-Language",
    "Content-Transfer-Encoding",
    "Content-Type",
    "Importance",
    "MIME-Version",
    "X-Auto-Response-Suppress",
    "X-Incident-Service",
    "X-Incident-Severity",
    "X-Priority",
}


class Registry(HeaderRegistry):
    """The standard library's, which makes the class of a header anew each time that it is asked."""

    @cache  # noqa: B019 (there is one registry, and as many names as our mails have headers)
    def __getitem__(self, name: str) -> type:
        found: type = super().__getitem__(name)
        return found


class Folding(EmailPolicy):
    """The standard library's policy for SMTP, with other folding.

    Its own begins a text that does not fit beside the name on the next line, which filters by
    line miss. Of text that is not ASCII it loses the blank between two words where it breaks a
    line, so that is left to the older `email.header.Header`.
    """

    def header_store_parse(self, name: str, value: Any) -> tuple[str, Any]:
        """Parsing is most of what a short mail costs, and much of it is the same in each."""
        if isinstance(value, str) and name in ALWAYS_THE_SAME:
            return _parsed(name, value)
        return super().header_store_parse(name, value)

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
        (address,) = value.addresses
        header.append(address.display_name, UTF8)
        header.append(f"<{address.addr_spec}>", "us-ascii")
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


@lru_cache(64)
def _parsed(name: str, value: str) -> tuple[str, Any]:
    return EmailPolicy.header_store_parse(MAIL, name, value)


MAIL = Folding(linesep="\r\n", header_factory=Registry())
