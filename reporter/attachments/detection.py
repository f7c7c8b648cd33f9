"""What kind of file it is, told from its content; nothing is decoded here.

A program, an archive in a form that few open, a video in a rare one: each is refused by its name,
with what to do instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from reporter.attachments import pictures
from reporter.attachments.filetypes import (
    AVIF,
    BMP,
    DOCX,
    GIF,
    GZ,
    HEIC,
    JPEG,
    MOV,
    MP4,
    MSG,
    NO_TEXT,
    PCAP,
    PDF,
    PNG,
    SHOWN,
    TEXT,
    TIFF,
    WEBM,
    WEBP,
    XLSX,
    ZIP,
    Damaged,
    Empty,
    FileType,
    NotAllowed,
    TooManyPixels,
    suffix_of,
)
from reporter.attachments.plain_text import is_mostly_text

BEGINNING = 4096  # bytes
# Where a page or a drawing begins that a browser would run, behind what may stand before it.
MARKUP = re.compile(
    rb"\A(?:\s|<\?.*?\?>|<!--.*?-->)*+<(?:!doctype\s+(?:html|svg)|html|head|body|script|svg)\b",
    re.IGNORECASE | re.DOTALL,
)
# Brands of an ISO base media file (ISO/IEC 14496-12), at its byte 8.
HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
AVIF_BRANDS = {b"avif", b"avis"}
BEGINNINGS = (
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"\xff\xd8\xff", JPEG),
    (b"GIF87a", GIF),
    (b"GIF89a", GIF),
    (b"II*\x00", TIFF),
    (b"MM\x00*", TIFF),
    (b"\x1f\x8b\x08", GZ),
    (b"\xd4\xc3\xb2\xa1", PCAP),
    (b"\xa1\xb2\xc3\xd4", PCAP),
    (b"\x4d\x3c\xb2\xa1", PCAP),
    (b"\xa1\xb2\x3c\x4d", PCAP),
    (b"\x0a\x0d\x0d\x0a", PCAP),
)
# What is not taken, by the name that people know it by.
REFUSED = (
    (b"MZ", "EXE"),
    (b"\x7fELF", "ELF"),
    (b"Rar!\x1a\x07", "RAR"),
    (b"7z\xbc\xaf\x27\x1c", "7Z"),
    (b"\xfd7zXZ", "XZ"),
    (b"BZh", "BZ2"),
    (b"\x28\xb5\x2f\xfd", "ZST"),
    (b"SQLite format 3\x00", "SQLite"),
    (b"ID3", "MP3"),
    (b"OggS", "OGG"),
    (b"\x1a\x45\xdf\xa3", "MKV"),
)
# Names in the directory of a compound file (MS-CFB): those of an Outlook message (MS-OXMSG, 2.2),
# and of what is refused. Where there are none, its own name decides.
COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
OUTLOOK = [
    name.encode("utf-16-le")
    for name in ("__substg1.0_", "__properties_version1.0", "__nameid_version1.0")
]
OFFICE = [
    name.encode("utf-16-le") for name in ("WordDocument", "Workbook", "Book", "PowerPoint Document")
]
# A document of Matroska says which (RFC 8794, 11.2.5), as WebM does, in its head.
EBML = b"\x1a\x45\xdf\xa3"
DOCTYPE = b"\x42\x82"


def detect(content: bytes, name: str = "") -> FileType:
    """The type of *content*. Raises NotAllowed, or one of its kinds.

    Among others for HTML and SVG whose *name* is that of a picture or a PDF; as what they are,
    they are text.
    """
    if not content:
        raise Empty
    kind = _by_beginning(content, suffix_of(name))
    if kind in SHOWN:
        _measure(content, kind)
    if kind:
        return kind
    if is_mostly_text(content):
        if suffix_of(name) in NO_TEXT and _is_markup(content):
            raise NotAllowed("HTML")
        return TEXT
    raise NotAllowed(next((k for mark, k in REFUSED if content.startswith(mark)), ""))


def _by_beginning(content: bytes, called: str) -> FileType | None:
    kind = next((kind for mark, kind in BEGINNINGS if content.startswith(mark)), None)
    if kind:
        return kind
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return WEBP
    if content[:2] == b"BM" and content[6:10] == b"\x00" * 4:
        return BMP
    if content[:BEGINNING].removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"%PDF-"):
        return PDF
    if content[:4] in {b"PK\x03\x04", b"PK\x05\x06"}:
        return _archive(content)
    if content.startswith(COMPOUND):
        if _has(OUTLOOK, content) or (called == "msg" and not _has(OFFICE, content)):
            return MSG
        raise NotAllowed("DOC, XLS, PPT")
    if content.startswith(EBML):
        head = content[:64]
        if b"webm" in head or (called == "webm" and DOCTYPE not in head):
            return WEBM
    return _media(content)


def _has(names: Iterable[bytes], content: bytes) -> bool:
    return any(name in content for name in names)


def _archive(content: bytes) -> FileType:
    """By the names in it, which stand there as they are."""
    if len(content) < 22:  # of the record at its end (APPNOTE 4.3.16)
        raise Damaged
    if b"word/document.xml" in content:
        return DOCX
    return XLSX if b"xl/workbook.xml" in content else ZIP


def _media(content: bytes) -> FileType | None:
    box, brand = content[4:8], content[8:12]
    if box == b"ftyp":
        # A picture may name itself among its compatible brands only.
        brands = {content[i : i + 4] for i in (8, *range(16, min(len(content), 64), 4))}
        if brand in AVIF_BRANDS or (brand in {b"mif1", b"msf1"} and brands & AVIF_BRANDS):
            return AVIF
        if brand in HEIC_BRANDS:
            return HEIC
        return MOV if brand == b"qt  " else MP4
    return MOV if box in {b"moov", b"mdat", b"wide"} and content[:1] == b"\x00" else None


def _measure(content: bytes, kind: FileType) -> None:
    """Raises Damaged for a picture without a size, TooManyPixels for one with too much of it."""
    try:
        width, height = pictures.size(content, kind.suffix)
    except (ValueError, IndexError) as error:
        raise Damaged(kind.suffix.upper()) from error
    if not width or not height:
        raise Damaged(kind.suffix.upper())
    if width * height > pictures.MAXIMUM_PIXELS:
        raise TooManyPixels(kind.suffix.upper())


def _is_markup(content: bytes) -> bool:
    # Without the bytes that make UTF-16 of ASCII.
    beginning = content[:BEGINNING].replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe")
    return MARKUP.match(beginning) is not None
