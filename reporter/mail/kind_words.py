"""What an update is called, on pages and in mails: one word for one thing."""

from __future__ import annotations

from flask_babel import gettext as _

from reporter.models import UpdateKind


def kind_in_words(kind: UpdateKind) -> str:
    """What an update is, of the customer's or of support's."""
    words: dict[UpdateKind, str] = {
        UpdateKind.DETAILS: _("More details"),
        UpdateKind.FILES: _("More files"),
        UpdateKind.INFO: _("More information"),
        UpdateKind.WORSE: _("It is worse"),
        UpdateKind.BETTER: _("It is better"),
        UpdateKind.SOLVED: _("It works again"),
        UpdateKind.ACKNOWLEDGE: _("Seen"),
        UpdateKind.MESSAGE: _("Message to the customer"),
        UpdateKind.SOLVE: _("Solved"),
        UpdateKind.REOPEN: _("Open again"),
        UpdateKind.LINK_NOTICE: _("Linked to a known incident"),
        UpdateKind.CONTACT: _("Address or number corrected"),
        UpdateKind.ANSWERED: _("Answered the customer"),
        UpdateKind.UNREACHABLE: _("Our email did not reach the customer"),
    }
    return words[kind]


def kind_aloud(kind: UpdateKind) -> str:
    """As the first words of a mail to support, which has to see them among a hundred."""
    if kind == UpdateKind.SOLVED:
        return str(_("WORKS AGAIN, says the customer"))  # others may know better
    if kind == UpdateKind.UNREACHABLE:
        return str(_("OUR EMAIL DOES NOT REACH THE CUSTOMER"))
    return kind_in_words(kind).upper()
