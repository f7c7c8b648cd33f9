"""Pictures that few programs show, turned into one that all do, by a process apart."""

from __future__ import annotations

import atexit
import os
import socket
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress

import structlog

from reporter.attachments.filetypes import JPEG, PNG, Damaged, FileType, TooManyPixels
from reporter.attachments.turns import (
    CONVERTED_PIXELS,
    CONVERTED_WITHIN_SECONDS,
    Busy,
    Spending,
    Turn,
)
from reporter.attachments.wire import Word, asked, heard, read_exactly

# What takes longer than its pixels would is counted as so many more.
PIXELS_A_MILLISECOND = 20_000
# Over what a picture may take of a processor (`decoder.CPU_SECONDS`), if others want it too.
PATIENCE_SECONDS = 120.0

decoding = Turn()  # memory is taken once, whoever sends what
converted = Spending(CONVERTED_PIXELS, CONVERTED_WITHIN_SECONDS)
log = structlog.get_logger("reporter.web")


def convert(
    content: bytes, kind: FileType, client: str = "", most: int = sys.maxsize
) -> tuple[bytes, FileType]:
    """*content* as a JPEG, where it is a photo, or as a PNG; the first page of several. Nothing
    but its pixels and colours is kept; a photo over *most* bytes has fewer pixels. *client*: whose
    it is, who has a part of our time. Raises Damaged and TooManyPixels, before it decodes, and
    Busy, where there is no time for it now, or where nothing can be made of it here."""
    with decoding.taken(client):
        word, clean = _decoder.convert(asked(kind.suffix, most, content), content, client)
    if word == Word.TOO_MANY:
        raise TooManyPixels(kind.suffix.upper())
    if word == Word.DAMAGED:
        raise Damaged(kind.suffix.upper())
    return clean, PNG if word == Word.PNG else JPEG


class Decoder:
    """`reporter.attachments.decoder`, started when it is needed, and again where it has ended.

    One thread at a time. It ends by itself, when it was not needed for a while or we are gone.
    """

    def __init__(self, module: str = "reporter.attachments.decoder") -> None:
        self._module = module
        self._process: subprocess.Popen[bytes] | None = None
        self._line: socket.socket | None = None

    def convert(self, request: bytes, content: bytes, client: str) -> tuple[Word, bytes]:
        """What it makes of a picture. Raises Busy."""
        try:
            word, number = self._ask(request, content)
            if word == Word.SIZE:
                return self._have_it_made(client, number)
            return word, self._rest()
        except Busy:
            raise
        except (OSError, EOFError) as error:
            code = self.end()
            log.error("picture not converted", code=code, error=type(error).__name__)
            raise Busy from error

    def _ask(self, *request: bytes) -> tuple[Word, int]:
        if self._process is not None:
            with suppress(OSError, EOFError):  # it has ended meanwhile
                return self._told(request)
            self.end()
        self._start()
        return self._told(request)

    def _told(self, request: Iterable[bytes]) -> tuple[Word, int]:
        for part in request:
            self._open_line.sendall(part)
        return heard(self._open_line)

    def _have_it_made(self, client: str, pixels: int) -> tuple[Word, bytes]:
        try:
            converted.spend(client, pixels)
        except Busy:
            self._open_line.sendall(b"\x00")
            heard(self._open_line)
            self._rest()
            raise
        self._open_line.sendall(b"\x01")
        word, milliseconds = heard(self._open_line)
        clean = self._rest()
        converted.add(client, PIXELS_A_MILLISECOND * milliseconds - pixels)
        return word, clean

    def _rest(self) -> bytes:
        _, length = heard(self._open_line)
        return read_exactly(self._open_line, length)

    @property
    def _open_line(self) -> socket.socket:
        assert self._line is not None
        return self._line

    def _start(self) -> None:
        ours, its = socket.socketpair()
        with its:
            ours.settimeout(PATIENCE_SECONDS)
            named = {k: v for k, v in os.environ.items() if not k.startswith("REPORTER_")}
            self._process = subprocess.Popen(  # noqa: S603 (our own)
                [sys.executable, "-m", self._module],
                stdin=its.fileno(),
                env=named,  # without secrets
                start_new_session=True,  # it ends with us, and not before what we have in hand
            )
        self._line = ours

    def end(self) -> int | None:
        """What it ended with, as it does now at the latest."""
        process, self._process = self._process, None
        line, self._line = self._line, None
        if line is not None:
            line.close()
        if process is None:
            return None
        with suppress(subprocess.TimeoutExpired):  # it has been told, by the line that was closed
            return process.wait(1.0)
        process.kill()
        return process.wait()


_decoder = Decoder()
atexit.register(_decoder.end)
