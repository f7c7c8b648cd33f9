"""The kinds of question about time: when it started, in which zone, when it last worked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import current_app
from flask_babel import gettext as _
from wtforms import Form
from wtforms.validators import ValidationError

from reporter.formats.skeleton import Slot
from reporter.formats.text import is_blank
from reporter.formats.times import CLOCK_SKEW, NoSuchTime, is_date_alone, localize, parse_past
from reporter.formats.words import three_ways
from reporter.formats.zones import parse_zone, zone_label
from reporter.web.fields import Radios, TextInput

# As a browser's own field holds a time (HTML Standard, local date and time string).
COMPLETE = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?")

AGO = {
    "just_now": timedelta(0),
    "minutes_15": timedelta(minutes=15),
    "hour_1": timedelta(hours=1),
}


class Started(Radios):
    """Roughly when, counted back from the time it was answered; or "at" an exact time."""

    def words(self) -> Mapping[str, str]:
        return {}

    def format(self, form: Form, at: datetime) -> str:
        if self.data in AGO:
            return f"{self.word()}\n{three_ways(form.moment().at, at)}"
        return "" if self.data == "at" else self.word()  # the next answer tells it


class TypedTime(TextInput):
    """A date and time of day, picked or typed as people write it."""

    control = "local_time"
    input_type = "datetime-local"

    def attributes(self) -> dict[str, str]:
        # A browser's own field drops what is not complete: half a date would be gone.
        found = super().attributes()
        return found if self._is_complete() else {**found, "type": "text"}

    def is_plain(self) -> bool:
        return super().is_plain() and self._is_complete()

    def _is_complete(self) -> bool:
        """Or blank, or left open for one that is."""
        shown = self.data or ""
        return not shown or isinstance(shown, Slot) or COMPLETE.fullmatch(shown) is not None

    def local(self, at: datetime, zone: ZoneInfo) -> datetime:
        """The time meant, when it was answered *at*; naive, if without an offset. Raises
        ValueError."""
        return self.once("local", lambda: parse_past(self.data or "", at, zone), at, zone)

    def problem(self) -> str:
        """What to say of what is no time."""
        if is_date_alone(self.data):
            return str(_("Add the time to the date, for example 24/11/2025 09:30"))
        return str(_("Enter the date and the time, for example 2026-11-23 02:40"))


class LocalTime(TypedTime):
    """A time in the zone another question asks for."""

    def validate_value(self, form: Form) -> None:
        try:
            self.local(form.answered_at, form.report_zone)
        except ValueError:
            raise ValidationError(self.problem()) from None

    def format(self, form: Form, at: datetime) -> str:
        return three_ways(form.moment().at, at)


class Zone(TextInput):
    """A time zone: its IANA name, or the name of its city; left blank, the provider's."""

    def __init__(self, label: Any, **kwargs: Any) -> None:
        super().__init__(label, default=lambda: current_app.config["TIMEZONE"], **kwargs)

    def process_formdata(self, valuelist: list[str]) -> None:
        super().process_formdata([value for value in valuelist if not is_blank(value)])

    def zone(self) -> ZoneInfo:
        """The zone; the provider's while what was typed is none."""
        return self.once("zone", self._parsed)

    def _parsed(self) -> ZoneInfo:
        try:
            return parse_zone(self.data)
        except ValueError:
            return ZoneInfo(current_app.config["TIMEZONE"])

    def validate_value(self, form: Form) -> None:
        if self.shown_with and form[self.shown_with[0]].data != self.shown_with[1]:
            return  # nobody sees it: a browser may have filled in what we do not know
        try:
            parse_zone(self.data)
        except ValueError:
            raise ValidationError(
                _("Enter a time zone or its city, for example Europe/Madrid, Bogotá or UTC-5")
            ) from None

    def value(self, form: Form) -> str | None:
        return self.zone().key if self.is_asked(form) else None

    def format(self, form: Form, at: datetime) -> str:
        return zone_label(self.zone())


class PastTime(TypedTime):
    """A time in the zone of the report, and told by how long before or after it.

    The form has both, as `report_zone` and `report_saved_at`.
    """

    control = "input"

    def moment(self, form: Form) -> datetime:
        """Of a time that exists twice, the earlier. Raises ValueError."""
        local = self.local(form.answered_at, form.report_zone)
        return localize(local, form.report_zone, "earlier")

    def validate_value(self, form: Form) -> None:
        try:
            moment = self.moment(form)
        except NoSuchTime:
            raise ValidationError(
                _("That time did not exist: the clocks went forward. Check the hour")
            ) from None
        except ValueError:
            raise ValidationError(self.problem()) from None
        if moment > datetime.now(UTC) + CLOCK_SKEW:
            raise ValidationError(_("That time is in the future. Check the date"))

    def value(self, form: Form) -> str | None:
        """ISO 8601 with the offset, as what was typed has none."""
        return self.moment(form).isoformat(timespec="seconds") if not self.is_blank() else None

    def format(self, form: Form, at: datetime) -> str:
        return three_ways(self.moment(form), form.report_saved_at or at)
