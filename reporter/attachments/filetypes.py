"""What kind of file it is, told from its content.

A picture is written anew only to take its position out (`positions`): other bytes behind it stay,
as an archive that somebody appended. Nothing of ours reads or shows them; whoever opens the file is
told that it is a picture.
"""

from __future__ import annotations

import codecs
import io
import re
import warnings
from dataclasses import dataclass
from pathlib import PurePath

from PIL import Image, UnidentifiedImageError

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
    rb"\A(?:\s|<\?.*?\?>|<!--.*?-->)*+<(?:!doctype\s+(?:html|svg)|html|head|body|script|svg)\b",
    re.IGNORECASE | re.DOTALL,
)
BEGINNING = 4096  # bytes
# What a log may hold besides text: tabs, line ends, form feeds, colours.
TEXT_CONTROLS = frozenset(b"\t\n\r\x0c\x1b\x08")
HEIC = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}


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
