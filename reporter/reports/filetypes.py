"""What kind of file it is, told from its content; and pictures without their position.

A picture is written anew only to take its position out: other bytes behind it stay, as an archive
that somebody appended. Nothing of ours reads or shows them; whoever opens the file is told that it
is a picture.
"""

from __future__ import annotations

import codecs
import io
import re
import struct
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath

from PIL import Image, UnidentifiedImageError
from PIL.JpegImagePlugin import JpegImageFile

PICTURES = {
    "PNG": ("image/png", "png"),
    "JPEG": ("image/jpeg", "jpg"),
    "WEBP": ("image/webp", "webp"),
    "GIF": ("image/gif", "gif"),
}
# How a name calls each kind; a text may be called anything else.
NAMED = {
    "image/png": {"png"},
    "image/jpeg": {"jpg", "jpeg", "jpe", "jfif"},
    "image/webp": {"webp"},
    "image/gif": {"gif"},
    "application/pdf": {"pdf"},
}
NO_TEXT = {"svg", "bmp", "tif", "tiff", "heic"}.union(*NAMED.values())
# Where a page or a drawing begins that a browser would run, behind what may stand before it.
MARKUP = re.compile(
    rb"(?:\s|<\?.*?\?>|<!--.*?-->)*+<(?:!doctype\s+(?:html|svg)|html|head|body|script|svg)\b",
    re.IGNORECASE | re.DOTALL,
)
BEGINNING = 4096  # bytes
# What a log may hold besides text: tabs, line ends, form feeds, colours.
TEXT_CONTROLS = frozenset(b"\t\n\r\x0c\x1b\x08")
MAXIMUM_PIXELS = 50_000_000
HEIC = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
GPS_IFD = 0x8825  # Exif 2.32, section 4.6.3
IPTC = 0x0404  # the caption of a photo, with its place (Photoshop image resources)
# A WebP's header says which of its chunks there are (WebP Container Specification).
XMP_FLAG = 0x04


class NotAllowed(ValueError):
    """The content is of no kind that is taken."""


class Heic(NotAllowed):
    """A picture as some phones keep it, which few programs show."""


class TooManyPixels(NotAllowed):
    """A picture that would fill the memory of whoever opens it."""


@dataclass(frozen=True)
class FileType:
    mime_type: str
    suffix: str


PDF = FileType("application/pdf", "pdf")
# Helpdesks drop or split text parts, so text travels as bytes.
TEXT = FileType("application/octet-stream", "txt")


def detect(content: bytes, name: str = "") -> FileType:
    """The type of *content*. Raises NotAllowed, or one of its kinds.

    Among others for HTML and SVG whose *name* is that of a picture or a PDF; as what they are,
    they are text.
    """
    picture = _picture_format(content)
    if picture:
        return FileType(*PICTURES[picture])
    if content[:BEGINNING].removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"%PDF-"):
        return PDF
    if content and _is_text(content):
        if _suffix(name) in NO_TEXT and _is_markup(content):
            raise NotAllowed
        return TEXT
    if content[4:8] == b"ftyp" and content[8:12] in HEIC:
        raise Heic
    raise NotAllowed


def is_named_so(name: str, mime_type: str) -> bool:
    """Whether a file of this type is what its *name* calls it."""
    suffix = _suffix(name)
    return suffix in NAMED[mime_type] if mime_type in NAMED else suffix not in NO_TEXT


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


def _picture_format(content: bytes) -> str | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of many pixels: they are not decoded here
            with Image.open(io.BytesIO(content), formats=list(PICTURES)) as picture:
                # Several pictures in one file begin as a JPEG does (CIPA DC-007).
                return "JPEG" if picture.format == "MPO" else picture.format
    except Image.DecompressionBombError:
        raise TooManyPixels from None
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError):
        return None


def _suffix(name: str) -> str:
    return PurePath(name).suffix.lower().removeprefix(".")


def _is_markup(content: bytes) -> bool:
    # Without the bytes that make UTF-16 of ASCII.
    beginning = content[:BEGINNING].replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe")
    return MARKUP.match(beginning) is not None


def _is_text(content: bytes) -> bool:
    if content[:2] in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}:
        return _is_utf16(content)
    for encoding in ("utf-8", "cp1252"):
        try:
            content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return all(byte >= 32 or byte in TEXT_CONTROLS for byte in content)
    return False


def _is_utf16(content: bytes) -> bool:
    try:
        text = content.decode("utf-16")
    except UnicodeDecodeError:
        return False
    return all(character >= " " or character in "\t\n\r" for character in text)
