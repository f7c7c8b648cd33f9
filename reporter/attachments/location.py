"""Pictures without the position at which they were taken."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator

from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from reporter.attachments.filetypes import FileType, NotAllowed, TooManyPixels

MAXIMUM_PIXELS = 50_000_000
GPS_IFD = 0x8825  # Exif 2.32, section 4.6.3
IPTC = 0x0404  # the caption of a photo, with its place (Photoshop image resources)
# A WebP's header says which of its chunks there are (WebP Container Specification).
XMP_FLAG = 0x04


def without_position(content: bytes, kind: FileType) -> bytes:
    """*content*; a JPEG or a WebP that says where it was taken, without that.

    Raises NotAllowed for a picture that cannot be read, and TooManyPixels.
    """
    try:
        if kind.mime_type == "image/webp":
            return _webp_without_position(content)
        if kind.mime_type != "image/jpeg":
            return content
        # The first picture, where phones put several into one file, each with a position.
        with JpegImageFile(io.BytesIO(content)) as picture:
            exif = picture.getexif()
            told = exif.get_ifd(GPS_IFD) or b"GPSL" in picture.info.get("xmp", b"")
            told = told or IPTC in picture.info.get("photoshop", {})
            if not told and "mp" not in picture.info:
                return content
            if picture.width * picture.height > MAXIMUM_PIXELS:
                raise TooManyPixels
            exif.pop(GPS_IFD, None)
            clean = io.BytesIO()
            # "keep": the same compression, so that nothing is lost to the eye. No XMP, no IPTC.
            picture.save(clean, "JPEG", quality="keep", exif=exif, icc_profile=_profile(picture))
            return clean.getvalue()
    except TooManyPixels:
        raise
    except Exception as error:  # a malformed file raises whatever it likes, as struct.error
        raise NotAllowed from error


def _webp_without_position(content: bytes) -> bytes:
    """*content* without the position in its EXIF, and without XMP. The picture stays as it is."""
    with Image.open(io.BytesIO(content), formats=["WEBP"]) as picture:
        exif = picture.getexif()
        if not exif.get_ifd(GPS_IFD) and b"GPSL" not in picture.info.get("xmp", b""):
            return content
        exif.pop(GPS_IFD, None)
    clean = io.BytesIO(content[:12])
    clean.seek(12)
    for name, chunk in _chunks(content):
        if name == b"XMP ":
            continue
        if name == b"VP8X":
            chunk = bytes([chunk[0] & ~XMP_FLAG, *chunk[1:]])
        if name == b"EXIF":
            chunk = exif.tobytes().removeprefix(b"Exif\x00\x00")
        clean.write(name + struct.pack("<I", len(chunk)) + chunk + b"\x00" * (len(chunk) % 2))
    clean.seek(4)
    clean.write(struct.pack("<I", len(clean.getvalue()) - 8))
    return clean.getvalue()


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The chunks of a RIFF file. Raises struct.error for one that is cut off."""
    end = 8 + int(struct.unpack_from("<I", content, 4)[0])
    place = 12
    while place < end:
        name, size = struct.unpack_from("<4sI", content, place)
        yield name, content[place + 8 : place + 8 + size]
        place += 8 + size + size % 2


def _profile(picture: Image.Image) -> bytes | None:
    profile: bytes | None = picture.info.get("icc_profile")
    return profile
