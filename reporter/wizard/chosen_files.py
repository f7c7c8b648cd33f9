"""Files that were chosen in a step: kept at once, whatever else is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from flask import request
from flask_babel import gettext as _

from reporter.attachments import keeping
from reporter.attachments.store import Owner
from reporter.web import origins, quotas
from reporter.wizard.pages import SendForm


def keep(question: str, owner_now: Callable[[], Owner]) -> list[str] | None:
    """Keep what was chosen for *question*; what to say of what cannot be. None where nothing was.

    *owner_now*: whose they are, asked for once there is something to keep."""
    uploads = [each for each in request.files.getlist(question) if each.filename]
    if not uploads:
        return None
    # A stranger's page keeps nothing here; one of ours loses nothing by its age.
    if not SendForm().validate() and not origins.is_proven():
        return [_("You will need to choose the files again.")]
    allowance = quotas.unsent(datetime.now(UTC))
    return keeping.keep(owner_now(), uploads, question, allowance)
