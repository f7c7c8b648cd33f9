"""What a file is called: in a mail and on a disk, and where it is shown."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePath

from flask_babel import gettext as _

from reporter.attachments.filetypes import TEXT, is_named_so, is_unconverted
from reporter.report import StoredFile


def stem(name: str) -> str:
    """One that any file system and mail program takes."""
    plain = unicodedata.normalize("NFKD", PurePath(name).stem).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:40].strip("-") or "file"


def text_suffix(name: str) -> str:
    """Its own, where that is a short word."""
    suffix = PurePath(name).suffix.lower().removeprefix(".")
    return suffix if re.fullmatch(r"[a-z0-9]{1,8}", suffix) else TEXT.suffix


def taken_as(file: StoredFile) -> str:
    """In words, what it was kept as; empty where its name says so."""
    suffix = PurePath(file.filename).suffix[1:]
    if is_unconverted(suffix):
        return str(_("kept as it is, for support's desk only"))
    if is_named_so(file.name, suffix):
        return ""
    if suffix == TEXT.suffix:
        return str(_("saved as text"))
    return str(_("saved as %(kind)s", kind=suffix.upper()))
