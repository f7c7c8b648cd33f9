"""The kinds of file that are taken, what names call them, and why one is not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath


@dataclass(frozen=True)
class FileType:
    """`for_desk`: kept for support's desk alone, as a download, and never in a mail.
    `converted`: a picture that few programs show, turned into another kind before it is kept."""

    mime_type: str
    suffix: str
    for_desk: bool = False
    converted: bool = False


def _desk(suffix: str) -> FileType:
    return FileType("application/octet-stream", suffix, for_desk=True)


PNG = FileType("image/png", "png")
JPEG = FileType("image/jpeg", "jpg")
WEBP = FileType("image/webp", "webp")
GIF = FileType("image/gif", "gif")
PDF = FileType("application/pdf", "pdf")
# Helpdesks drop or split text parts, so text travels as bytes.
TEXT = FileType("application/octet-stream", "txt")
HEIC = FileType("image/heic", "heic", converted=True)
AVIF = FileType("image/avif", "avif", converted=True)
BMP = FileType("image/bmp", "bmp", converted=True)
TIFF = FileType("image/tiff", "tif", converted=True)
DOCX, XLSX, ZIP, GZ = _desk("docx"), _desk("xlsx"), _desk("zip"), _desk("gz")
MSG, PCAP = _desk("msg"), _desk("pcap")
MP4, MOV, WEBM = _desk("mp4"), _desk("mov"), _desk("webm")
VIDEOS = {MP4, MOV, WEBM}
# What is converted, where there is no time for it: as it came.
UNCONVERTED = {kind: _desk(kind.suffix) for kind in (HEIC, AVIF, BMP, TIFF)}
SHOWN = {PNG, JPEG, WEBP, GIF}

# How a name calls each kind; a text may be called anything else.
NAMED = {
    "png": {"png"},
    "jpg": {"jpg", "jpeg", "jpe", "jfif"},
    "webp": {"webp"},
    "gif": {"gif"},
    "pdf": {"pdf"},
    "docx": {"docx", "docm"},
    "xlsx": {"xlsx", "xlsm"},
    "zip": {"zip"},
    "gz": {"gz", "tgz"},
    "msg": {"msg"},
    "pcap": {"pcap", "pcapng", "cap"},
    "mp4": {"mp4", "m4v", "3gp"},
    "mov": {"mov", "qt"},
    "webm": {"webm"},
}
NO_TEXT = {"svg", "bmp", "tif", "tiff", "heic", "avif"}.union(*NAMED.values())


class NotAllowed(ValueError):
    """The content is of no kind that is taken. `kind`: which one it is, where that is known."""

    def __init__(self, kind: str = "") -> None:
        super().__init__(kind)
        self.kind = kind


class Empty(NotAllowed):
    """There is nothing in it."""


class Damaged(NotAllowed):
    """A picture that nothing can show, or a file that ends before it begins."""


class TooManyPixels(NotAllowed):
    """A picture that would fill the memory of whoever opens it."""


def is_unconverted(suffix: str) -> bool:
    """Whether a file that is kept with this *suffix* is a picture as it came."""
    return suffix in {kind.suffix for kind in UNCONVERTED}


def is_named_so(name: str, suffix: str) -> bool:
    """Whether a file that is kept with this *suffix* is what its *name* calls it."""
    called = suffix_of(name)
    return called in NAMED[suffix] if suffix in NAMED else called not in NO_TEXT


def suffix_of(name: str) -> str:
    return PurePath(name).suffix.lower().removeprefix(".")
