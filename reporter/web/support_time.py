"""A time as support writes it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask_babel import gettext as _
from wtforms import Form
from wtforms.validators import ValidationError

from reporter.formats.support_times import WrongSide, parse_time, support_zone
from reporter.web.fields import TextInput, line


class SupportTime(TextInput):
    """An hour, or a date and an hour, in support's zone: to come when *ahead*, else gone by.

    It is read once, when it arrives. `moment` is what it meant then, in UTC; None when it was
    left blank or is no such time.
    """

    def __init__(self, label: Any, *, ahead: bool, **kwargs: Any) -> None:
        super().__init__(
            label, max_length=40, filters=[line], verbatim=True, autocomplete="off", **kwargs
        )
        self.ahead = ahead
        self.moment: datetime | None = None
        self.problem: ValueError | None = None

    def process_formdata(self, valuelist: list[str]) -> None:
        super().process_formdata(valuelist)
        if self.is_blank():
            return
        try:
            self.moment = parse_time(self.data, datetime.now(UTC), ahead=self.ahead)
        except ValueError as error:
            self.problem = error

    def validate_value(self, form: Form) -> None:
        if isinstance(self.problem, WrongSide) and self.ahead:
            raise ValidationError(_passed(self.problem.moment))
        if self.problem is not None:
            raise ValidationError(_("Enter a time, for example 10:30"))


def _passed(next_day: datetime | None) -> str:
    """With what to write instead, where the hour alone could be of another day."""
    if next_day is None:
        return str(_("That time has passed"))
    example = f"{next_day.astimezone(support_zone()):%Y-%m-%d %H:%M}"
    return str(
        _("That time has passed. For another day, write the date too: %(example)s", example=example)
    )
