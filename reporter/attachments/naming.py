"""What a file is called where it is shown."""

from __future__ import annotations

from pathlib import PurePath

from flask_babel import gettext as _

from reporter.attachments.filetypes import TEXT, is_named_so, is_unconverted
from reporter.report import StoredFile


def taken_as(file: StoredFile) -> str:
    """In words, what it was kept as; empty where its name says so."""
    suffix = PurePath(file.filename).suffix[1:]
    if is_unconverted(suffix):
        return str(_("kept as it is, for support's desk only"))
    if is_named_so(file.name, suffix):
        return ""
    if suffix == TEXT.suffix:
        return str(_("taken as text"))
    return str(_("taken as %(kind)s", kind=suffix.upper()))
