"""What the forms outside the wizard share."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms.validators import Length

from reporter.formats.text import one_line


def at_most(characters: int) -> Length:
    """A validator of the length of a text."""
    return Length(max=characters, message=_l("Use %(max)d characters or fewer"))


def line(text: str | None) -> str:
    """A filter: *text* as one line."""
    return one_line(text or "")


def lines(text: str | None) -> str:
    """A filter: *text* without what a browser or a paste adds."""
    return (text or "").replace("\r\n", "\n").replace("\x00", "").strip()
