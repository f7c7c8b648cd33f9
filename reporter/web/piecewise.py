"""Answers as they are read: whoever reads slowly has a thread, of their client's share of them, and
no memory to speak of.

The server takes an answer as fast as we give it, and keeps it until it is read, which may be never:
forty pictures that nobody reads would be a quarter of a gigabyte. So what is long is given out
piece by piece, as it is read, from a temporary file. All of those together have a bound.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from io import BytesIO
from typing import IO, TYPE_CHECKING, Any

from flask import Flask

from reporter.formats.networks import network_of
from reporter.web import bounds, uploads
from reporter.web.crowding import HEADERS, STATUS, WORDS
from reporter.web.room import Room

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PIECE = 32 * 1024  # the server has two or three of them at a time
IN_MEMORY = 256 * 1024

unread = Room(bounds.UNREAD_BYTES, bounds.CLIENT_UNREAD_BYTES)


class Piecewise:
    """WSGI middleware, inside of what counts who is under way."""

    def __init__(self, app: WSGIApplication, *, limited: bool, least_free: int) -> None:
        self.app = app
        self.limited = limited
        self.least_free = least_free

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        begun: list[Any] = []
        answer = self.app(environ, lambda *told: begun.append(told))  # type: ignore[arg-type]
        try:
            content = b"".join(answer)
        finally:
            close(answer)
        if len(content) > PIECE:
            client = network_of(environ.get("REMOTE_ADDR") or "") if self.limited else ""
            if not unread.takes(client, len(content)):
                start_response(STATUS, HEADERS)
                return [WORDS]
            start_response(*begun[-1])
            return Pieces(self._kept(content), client, len(content))
        start_response(*begun[-1])
        return [content]

    def _kept(self, content: bytes) -> IO[bytes]:
        """To be read from its beginning; in memory what is short, or finds no room on a disk."""
        if len(content) > IN_MEMORY:
            try:
                if uploads.has_room(self.least_free):
                    file = tempfile.TemporaryFile()  # noqa: SIM115 (closed by Pieces)
                    file.write(content)
                    file.seek(0)
                    return file
            except OSError:  # the disk has become full, or there are too many open files
                pass
        return BytesIO(content)


class Pieces:
    """Of one answer. The server closes it in any case, and not always before it forgets it."""

    def __init__(self, file: IO[bytes], client: str, size: int) -> None:
        self._file, self._client, self._size = file, client, size

    def __iter__(self) -> Pieces:
        return self

    def __next__(self) -> bytes:
        if piece := self._file.read(PIECE):
            return piece
        self.close()
        raise StopIteration

    def close(self) -> None:
        self._file.close()
        unread.give_back(self._client, self._size)
        self._size = 0

    __del__ = close


def close(answer: Iterable[bytes]) -> None:
    """As PEP 3333 has it."""
    if closes := getattr(answer, "close", None):
        closes()


def init_app(app: Flask) -> None:
    limits = app.config["RATELIMIT_ENABLED"], app.config["MIN_FREE_BYTES"]
    app.wsgi_app = Piecewise(app.wsgi_app, limited=limits[0], least_free=limits[1])  # type: ignore[method-assign]
