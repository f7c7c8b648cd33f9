"""Short words for a board that is read at a glance, in the language in use."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask_babel import gettext as _

from reporter.desk.timeline import Happened
from reporter.formats.support_times import support_zone
from reporter.formats.words import day_and_time, hour

NEAR = timedelta(hours=12)  # a time of day is enough for it


def state_names() -> dict[str, str]:
    return {
        "open": _("Open"),
        "unseen": _("Not seen yet"),
        "late": _("Update is late"),
        "solved": _("Solved"),
        "all": _("All"),
    }


def age(moment: datetime, now: datetime) -> str:
    """How long ago, in its largest unit: "42 min", "3 h", "2 d"; never broken between the two."""
    minutes = max(0, int((now - moment).total_seconds() // 60))
    if minutes < 60:
        return f"{minutes}\xa0min"
    return f"{minutes // 60}\xa0h" if minutes < 48 * 60 else f"{minutes // (24 * 60)}\xa0d"


def clock(moment: datetime, now: datetime) -> str:
    """By support's clock; with its day where that is not near."""
    if abs(moment - now) < NEAR:
        return f"{moment.astimezone(support_zone()):%H:%M}"
    return day_and_time(moment.astimezone(support_zone()))


def promised(moment: datetime, now: datetime) -> str:
    """Of an update, in a few words; its time is never broken."""
    local = moment.astimezone(support_zone())
    if abs(moment - now) < NEAR:
        return str(_("promised for %(time)s", time=hour(local)))
    return str(_("promised for %(day)s", day=day_and_time(local).replace(" ", "\xa0")))


def happened() -> dict[Happened, str]:
    return {
        Happened.BEGAN: _("It started"),
        Happened.FIRST_REPORT: _("First report"),
        Happened.SURGE: _("Surge of reports"),
        Happened.OPENED: _("Known incident opened"),
        Happened.SEEN: _("First report seen"),
        Happened.MESSAGE: _("Message to customers"),
        Happened.CLOSED: _("Closed"),
    }
