"""Why a file is not kept, in the customer's words: what it is, and what to do instead."""

from __future__ import annotations

from flask_babel import gettext as _

from reporter.attachments.filetypes import Damaged, Empty, NotAllowed, TooManyPixels
from reporter.formats.words import size_in_words


class Refused(Exception):
    """A file that is not kept; its text is for the customer."""


def too_much_unsent(name: str, most: int) -> str:
    """What to say of a file for which its client has too much here that was not sent."""
    return str(
        _(
            "%(name)s was not kept: from one connection we keep %(limit)s of files that were not "
            "sent yet. Send what is here, or remove some of it, and add it again",
            name=name,
            limit=size_in_words(most),
        )
    )


def sent_meanwhile(name: str) -> str:
    """What to say of a file of a draft that is none any more."""
    return str(_("%(name)s arrived after the report was sent: add it to its details", name=name))


def too_many(name: str, limit: int) -> str:
    return str(
        _("%(name)s does not fit: a report may have %(limit)s files", name=name, limit=limit)
    )


def too_large(name: str, limit: int, *, for_desk: bool) -> str:
    """What to say of a file for which there is no room, in mails or at the desk."""
    if for_desk:
        return str(
            _(
                "%(name)s is too large to add: files of its kind can be %(limit)s in total. "
                "Send a part of it",
                name=name,
                limit=size_in_words(limit),
            )
        )
    return str(
        _(
            "%(name)s is too large to add: files can be %(limit)s in total. "
            "Make it smaller, or put it in a ZIP file",
            name=name,
            limit=size_in_words(limit),
        )
    )


def unreadable(name: str, error: NotAllowed) -> str:
    """What to say of a file that is no use to anybody, by its cause."""
    if isinstance(error, Empty):
        problem = _("%(name)s is empty: choose it again once it is complete", name=name)
    elif isinstance(error, TooManyPixels):
        problem = _("%(name)s has too many pixels: send a smaller version", name=name)
    elif isinstance(error, Damaged):
        problem = _("%(name)s is damaged: save it again, or send a screenshot of it", name=name)
    elif error.kind:
        problem = _(
            "%(name)s is a kind of file that we do not accept (%(kind)s): put it in a ZIP file",
            name=name,
            kind=error.kind,
        )
    else:
        problem = _(
            "%(name)s is a kind of file that we do not recognise: put it in a ZIP file, or send a "
            "screenshot",
            name=name,
        )
    return str(problem)
