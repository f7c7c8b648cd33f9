"""Pictures without the position at which they were taken, which is cut out of their parts: no pixel
is decoded, so that neither a size nor a missing end keeps a position in.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

from reporter.attachments.filetypes import (
    AVIF,
    GIF,
    HEIC,
    JPEG,
    PNG,
    TIFF,
    UNCONVERTED,
    VIDEOS,
    WEBP,
    Damaged,
    FileType,
)
from reporter.attachments.pictures import gif_blocks, jpeg_segments, png_chunks, webp_chunks

EXIF, PHOTOSHOP, MORE = 0xE1, 0xED, 0xE2  # segments APP1, APP13 and APP2 of a JPEG
EXIF_MARK = b"Exif\x00\x00"
SEVERAL = b"MPF\x00"  # several pictures in one file (CIPA DC-007), each with a position
EXIF_IFD, GPS_IFD, MAKER_NOTE = 0x8769, 0x8825, 0x927C  # Exif 2.32, section 4.6.3
# A WebP's header says which of its chunks there are (WebP Container Specification).
XMP_FLAG, EXIF_FLAG = 0x04, 0x08
TEXTS = {b"tEXt", b"zTXt", b"iTXt"}
# How a chunk of text that may hold a position is called: XMP, an EXIF or IPTC as text, or a tag.
TELLING = (b"xml:com.adobe", b"raw profile", b"exif", b"gps", b"location")
# Where a video says it (QuickTime File Format, 3GPP TS 26.244).
IN_VIDEOS = (b"\xa9xyz", b"loci", b"com.apple.quicktime.location", b"GPSLatitude")
PLACED = {UNCONVERTED[kind] for kind in (HEIC, AVIF, TIFF)}  # a BMP has no room for it


def without_position(content: bytes, kind: FileType) -> bytes:
    """*content*; a picture that may say where it was taken, without that, with its pixels as they
    are. Raises Damaged for one whose parts cannot be told apart."""
    clean = CLEANERS.get(kind)
    try:
        return clean(content) if clean else content
    except (ValueError, IndexError, struct.error) as error:
        raise Damaged(kind.suffix.upper()) from error


def may_tell_position(content: bytes, kind: FileType) -> bool:
    """Whether a video seems to say where it was recorded, or a picture that is left as it came
    could: nothing is cut out of them."""
    if kind in PLACED:
        return True
    return kind in VIDEOS and any(mark in content for mark in IN_VIDEOS)


def _jpeg(content: bytes) -> bytes:
    """Without XMP, without captions, and with the first picture alone where there are several."""
    kept = [content[:2]]
    for marker, segment in jpeg_segments(content):
        if marker == EXIF and segment[4:].startswith(EXIF_MARK):
            exif = _exif(segment[4:])
            if exif is None or len(exif) > 65_000:
                continue
            segment = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
        elif marker in {EXIF, PHOTOSHOP} or (marker == MORE and segment[4:].startswith(SEVERAL)):
            continue
        kept.append(segment)
    return b"".join(kept)


def _png(content: bytes) -> bytes:
    kept = [content[:8]]
    for name, held, chunk in png_chunks(content):
        if name in TEXTS and held.lower().startswith(TELLING):
            continue
        if name == b"eXIf":
            exif = _exif(EXIF_MARK + held)
            if exif is None:
                continue
            chunk = _png_chunk(name, exif.removeprefix(EXIF_MARK))
        kept.append(chunk)
    return b"".join(kept)


def _png_chunk(name: bytes, held: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(name + held))
    return struct.pack(">I", len(held)) + name + held + check


def _webp(content: bytes) -> bytes:
    kept, gone = [], XMP_FLAG
    for name, chunk in webp_chunks(content):
        if name == b"XMP ":
            continue
        if name == b"EXIF":
            exif = _exif(EXIF_MARK + chunk.removeprefix(EXIF_MARK))
            if exif is None:
                gone |= EXIF_FLAG
                continue
            same = exif.removeprefix(EXIF_MARK) == chunk.removeprefix(EXIF_MARK)
            chunk = chunk if same else exif.removeprefix(EXIF_MARK)
        kept.append((name, chunk))
    parts = []
    for name, chunk in kept:
        if name == b"VP8X":
            chunk = bytes([chunk[0] & ~gone, *chunk[1:]])
        parts.append(name + struct.pack("<I", len(chunk)) + chunk + b"\x00" * (len(chunk) % 2))
    body = b"WEBP" + b"".join(parts)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _gif(content: bytes) -> bytes:
    """Without XMP, and without comments, which may hold as much."""
    blocks = gif_blocks(content)
    return b"".join(
        block
        for kind, block in blocks
        if kind != b"!\xfe" and not (kind == b"!\xff" and block[3:14] == b"XMP DataXMP")
    )


def _exif(held: bytes) -> bytes | None:
    """*held* as it is where it tells no position; else made anew without it; None where it cannot
    be read, and so not be trusted."""
    from PIL.Image import Exif  # two megabytes of each process, which most never need

    try:
        exif = Exif()
        exif.load(held)
        details = exif.get_ifd(EXIF_IFD)
        if not exif.get_ifd(GPS_IFD) and GPS_IFD not in exif and MAKER_NOTE not in details:
            return held
        exif.pop(GPS_IFD, None)
        details.pop(MAKER_NOTE, None)  # as each maker likes, a place among it
        return EXIF_MARK + exif.tobytes().removeprefix(EXIF_MARK)
    except Exception:  # a malformed one raises whatever it likes
        return None


CLEANERS: dict[FileType, Callable[[bytes], bytes]] = {
    JPEG: _jpeg,
    PNG: _png,
    WEBP: _webp,
    GIF: _gif,
}
