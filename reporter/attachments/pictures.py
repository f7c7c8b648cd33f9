"""Pictures read as bytes: how large they are, and their parts, without decoding a pixel.

Every walk ends: each step moves on, and a part that claims more than there is reaches to the end.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

# Phones make 200 million; over this, whoever opens a picture runs out of memory.
MAXIMUM_PIXELS = 250_000_000
# Of one that is converted: decoded, it takes up to four bytes a pixel, twice.
DECODED_PIXELS = 50_000_000
# Of which a picture consists, at most: those of cameras and editors have some hundreds, and each
# takes time.
PARTS = 20_000
# Of a JPEG (ITU-T T.81, annex B): markers without a length, and those that begin a frame.
ALONE = {0x01, *range(0xD0, 0xD8)}
FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
SCAN, END = 0xDA, 0xD9
MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


def size(content: bytes, suffix: str) -> tuple[int, int]:
    """Width and height, in pixels. Raises ValueError or IndexError where there is none."""
    try:
        return SIZES[suffix](content)
    except struct.error as error:
        raise ValueError(suffix) from error


def jpeg_segments(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Each marker with all of its bytes; a scan with its data; nothing behind the end. Raises
    ValueError for what is none, or consists of too much."""
    place = 2
    for _ in range(PARTS):
        if place + 1 >= len(content):
            return
        if content[place] != 0xFF:
            raise ValueError(place)
        marker = content[place + 1]
        if marker == 0xFF:  # padding
            place += 1
            continue
        if marker == END:
            yield marker, content[place : place + 2]
            return
        end = place + 2
        if marker not in ALONE:
            (length,) = struct.unpack_from(">H", content, end)
            end += max(length, 2)
        if marker == SCAN:
            following = MARKER.search(content, end)
            end = following.start() if following else len(content)
        yield marker, content[place:end]
        place = end
    raise ValueError(PARTS)


def png_chunks(content: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """The name of each chunk, what it holds, and all of its bytes; nothing behind the end."""
    place = 8
    for _ in range(PARTS):
        if place + 8 > len(content):
            return
        length, name = struct.unpack_from(">I4s", content, place)
        yield name, content[place + 8 : place + 8 + length], content[place : place + 12 + length]
        if name == b"IEND":
            return
        place += 12 + length
    raise ValueError(PARTS)


def webp_chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The name of each chunk and what it holds (WebP Container Specification)."""
    end = min(len(content), 8 + int(struct.unpack_from("<I", content, 4)[0]))
    place = 12
    for _ in range(PARTS):
        if place + 8 > end:
            return
        name, length = struct.unpack_from("<4sI", content, place)
        yield name, content[place + 8 : min(end, place + 8 + length)]
        place += 8 + length + length % 2
    raise ValueError(PARTS)


def gif_blocks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The kind of each block ("," a picture, "!" and a label an extension) and all of its bytes;
    nothing behind the end (GIF89a, appendix B)."""
    place = 13 + _colors(content[10])
    yield b"header", content[:place]
    for _ in range(PARTS):
        if place >= len(content):
            return
        kind, start = content[place : place + 1], place
        if kind == b"!":
            kind, place = content[place : place + 2], place + 2
        elif kind == b",":
            place += 10 + _colors(content[place + 9]) + 1
        else:  # the end, or what is none
            yield kind, b";"
            return
        while place < len(content) and content[place]:
            place += 1 + content[place]
        place += 1
        yield kind, content[start:place]
    raise ValueError(PARTS)


def _colors(flags: int) -> int:
    """Bytes of a table of colours."""
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _jpeg_size(content: bytes) -> tuple[int, int]:
    for marker, segment in jpeg_segments(content):
        if marker in FRAMES:
            height, width = struct.unpack_from(">HH", segment, 5)
            return width, height
    raise ValueError("no frame")


def _png_size(content: bytes) -> tuple[int, int]:
    if content[12:16] != b"IHDR":
        raise ValueError("no header")
    width, height = struct.unpack_from(">II", content, 16)
    return width, height


def _gif_size(content: bytes) -> tuple[int, int]:
    width, height = struct.unpack_from("<HH", content, 6)
    return width, height


def _webp_size(content: bytes) -> tuple[int, int]:
    for name, chunk in webp_chunks(content):
        if name == b"VP8X":
            return 1 + _three(chunk, 4), 1 + _three(chunk, 7)
        if name == b"VP8 ":
            width, height = struct.unpack_from("<HH", chunk, 6)
            return width & 0x3FFF, height & 0x3FFF
        if name == b"VP8L":
            (bits,) = struct.unpack_from("<I", chunk, 1)
            return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    raise ValueError("no picture")


def _three(content: bytes, place: int) -> int:
    return int.from_bytes(content[place : place + 3], "little")


SIZES = {"jpg": _jpeg_size, "png": _png_size, "gif": _gif_size, "webp": _webp_size}
