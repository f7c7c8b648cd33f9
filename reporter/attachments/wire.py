"""What a process with pages and the one that decodes pictures for it say to each other."""

from __future__ import annotations

import socket
import struct
from enum import IntEnum

_ASKED = struct.Struct(">8sQQ")  # a picture's kind, how large it may become, how large it is
_TOLD = struct.Struct(">BQ")


class Word(IntEnum):
    """What is told of a picture, each with a number."""

    SIZE = 1  # pixels: is it wanted?
    JPEG = 2  # milliseconds, then bytes
    PNG = 3
    DAMAGED = 4
    TOO_MANY = 5
    UNWANTED = 6


def asked(suffix: str, most: int, content: bytes) -> bytes:
    """What stands before the *content* itself."""
    return _ASKED.pack(suffix.encode(), most, len(content))


def words(line: socket.socket) -> tuple[str, int, int]:
    """What was `asked`."""
    suffix, most, length = _ASKED.unpack(read_exactly(line, _ASKED.size))
    return suffix.rstrip(b"\0").decode(), most, length


def told(word: Word, number: int) -> bytes:
    return _TOLD.pack(word, number)


def heard(line: socket.socket) -> tuple[Word, int]:
    word, number = _TOLD.unpack(read_exactly(line, _TOLD.size))
    return Word(word), number


def read_exactly(line: socket.socket, length: int) -> bytes:
    """Raises EOFError when the other side is gone, and OSError as sockets do."""
    content = bytearray(length)
    view, place = memoryview(content), 0
    while place < length:
        count = line.recv_into(view[place:])
        if not count:
            raise EOFError
        place += count
    return bytes(content)
