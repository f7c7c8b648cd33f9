"""A mail while it is composed, and its bytes: header lines, one text, and what goes with it.

`email.message.EmailMessage` parses each header that it is given, and writes it from what it found,
which was most of what a ticket cost. Here a header is a line as soon as it is set (`policy`), and a
part is made as it will stand there.
"""

from __future__ import annotations

import base64
import secrets
from binascii import b2a_qp
from datetime import datetime
from email.headerregistry import Address
from email.utils import format_datetime

from reporter.mail.policy import attachment_line, header_line

TEXT = (
    b'Content-Type: text/plain; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n'
)
MIXED = b'Content-Type: multipart/mixed; boundary="%s"\r\n'
MIME = b"MIME-Version: 1.0\r\n"
CONTENT = "mime-version"


class Composition:
    """A mail to one *recipient*. Setting a header again puts the new one in its place."""

    def __init__(self, recipient: str) -> None:
        self.recipient = recipient
        self.mime_id = ""
        self._lines: dict[str, bytes] = {}
        self._text = b""
        self._parts: list[bytes] = []

    def __setitem__(self, name: str, value: str | Address | datetime) -> None:
        """Raises ValueError for a value of several lines."""
        if isinstance(value, datetime):
            value = format_datetime(value)
        if name == "Message-ID":
            self.mime_id = str(value)
        self._lines[name.lower()] = header_line(name, value)

    def set_content(self, text: str) -> None:
        """Its text, whatever it holds, in lines of 76 characters at most (RFC 2045, 6.7)."""
        self._lines[CONTENT] = b""  # here, once all of it is there
        lines = [*text.encode().splitlines(), b""]
        self._text = b2a_qp(b"\r\n".join(lines), istext=True)

    def attach(self, content: bytes, mime_type: str, filename: str) -> None:
        """Add a file behind the text and what was attached before."""
        encoded = base64.encodebytes(content).replace(b"\n", b"\r\n")
        headers = [
            header_line("Content-Type", mime_type),
            b"Content-Transfer-Encoding: base64\r\n",
            attachment_line(filename),
            MIME,
        ]
        self._parts.append(b"".join([*headers, b"\r\n", encoded]))

    def to_bytes(self) -> bytes:
        if not self._parts:
            return self._head(MIME + TEXT) + b"\r\n" + self._text
        # With "=_", which neither encoding has anywhere (RFC 2045, 6.7).
        boundary = b"=_" + secrets.token_hex(16).encode()
        head = self._head(MIME + MIXED % boundary)
        between = b"\r\n--%s\r\n" % boundary
        text = b"".join([TEXT, b"\r\n", self._text])
        return b"".join([between.join([head, text, *self._parts]), b"\r\n--%s--\r\n" % boundary])

    def _head(self, kind: bytes) -> bytes:
        """The headers, in the order that they were set in; *kind*: those of the content."""
        return b"".join({**self._lines, CONTENT: kind}.values())
