"""Times, sizes and services in words, in the language in use."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from babel.lists import format_list
from babel.units import format_unit
from flask import current_app
from flask_babel import format_decimal, get_locale
from flask_babel import gettext as _

from reporter.formats.zones import zone_label


def three_ways(moment: datetime, at: datetime) -> str:
    """A moment in the customer's zone, in UTC, and as the time from it to *at*, of the report.

    *moment* carries the customer's zone; both are aware.
    """
    utc = moment.astimezone(UTC)
    same_day = utc.date() == moment.date()
    gap = abs(at - moment)
    if gap < timedelta(minutes=1):
        relative = _("just before this report")
    elif moment < at:
        relative = _("%(elapsed)s before this report", elapsed=elapsed(gap))
    else:
        relative = _("%(elapsed)s after this report", elapsed=elapsed(gap))
    shown = f"{utc:%H:%M}" if same_day else day_and_time(utc)
    return f"{day_and_time(moment)} ({zone_name(moment)}) · {shown} UTC · {relative}"


def day_and_time(moment: datetime) -> str:
    """As in "23 nov 2026 02:40", in the moment's own zone."""
    return format_datetime(moment, "d MMM y HH:mm", tzinfo=moment.tzinfo, locale=get_locale())


def hour(moment: datetime) -> str:
    """As in "02:40", within a sentence: some languages say one o'clock otherwise (la 01:00, but
    las 02:40). In the moment's own zone."""
    minutes = f"{moment:%M}"
    if moment.hour == 1:
        return str(_("01:%(minutes)s", minutes=minutes))
    return str(_("%(hours)s:%(minutes)s", hours=f"{moment:%H}", minutes=minutes))


def zone_name(moment: datetime) -> str:
    zone = moment.tzinfo
    return zone_label(zone) if isinstance(zone, ZoneInfo) else str(zone)


def elapsed(gone: timedelta) -> str:
    """As in "42 minutes" or "1 hour and 5 minutes": the two largest units, rounded down."""
    return _elapsed(max(0, int(gone.total_seconds() // 60)), str(get_locale()))


@lru_cache(1_000)
def _elapsed(minutes: int, locale: str) -> str:
    days, rest = divmod(minutes, 24 * 60)
    hours, minutes = divmod(rest, 60)
    units = [(days, "day"), (hours, "hour"), (minutes, "minute")]
    first = next((i for i, (count, _unit) in enumerate(units) if count), 2)
    parts = [
        format_unit(count, f"duration-{unit}", locale=locale)
        for count, unit in units[first : first + 2]
        if count or (unit == "minute" and first == 2)
    ]
    return str(format_list(parts, locale=locale))


def service_name(service_id: str) -> str:
    """A service's name in the language in use; its id where it is none of ours any more."""
    names = {each["id"]: each["name"] for each in current_app.config["SERVICES"]}
    return str(names.get(service_id, {}).get(str(get_locale()), service_id))


def size_in_words(size: int) -> str:
    """Of *size* bytes, as in "120 kB"."""
    number = size / 1_000_000 if size >= 1_000_000 else max(1, round(size / 1_000))
    text = format_decimal(number, format="#,##0.#")
    return f"{text} {'MB' if size >= 1_000_000 else 'kB'}"
