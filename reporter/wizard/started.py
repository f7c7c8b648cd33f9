"""When an incident began, of the answers of one page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from flask_babel import gettext as _
from wtforms.validators import ValidationError

from reporter.formats.times import CLOCK_SKEW, NoSuchTime, TwoSuchTimes, localize
from reporter.web.fields import Checkbox, Radios
from reporter.wizard.step import StepForm
from reporter.wizard.time_fields import AGO, LocalTime, Started, Zone


class Precision(StrEnum):
    EXACT = "exact"
    APPROXIMATE = "approximate"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Moment:
    """An instant, in the zone it was told in, and how far to trust it."""

    at: datetime
    precision: Precision


class StartedForm(StepForm):
    """A page that asks when it began: these questions make one moment."""

    started: Started
    started_at: LocalTime
    started_fold: Radios
    approximate: Checkbox
    timezone: Zone

    def moment(self) -> Moment | None:
        """When it started; None when that is not known.

        Raises NoSuchTime, TwoSuchTimes, or ValueError for what is no time.
        """
        if self.started.data in AGO:
            at = self.answered_at - AGO[self.started.data]
            return Moment(at.astimezone(self.timezone.zone()), Precision.APPROXIMATE)
        if self.started.data != "at":
            return None
        zone = self.timezone.zone()
        at = localize(self.started_at.local(self.answered_at, zone), zone, self.started_fold.data)
        return Moment(at, Precision.APPROXIMATE if self.approximate.data else Precision.EXACT)

    def validate_started_at(self, field: LocalTime) -> None:
        try:
            moment = self.moment()
        except NoSuchTime:
            raise ValidationError(
                _("That time did not exist: the clocks went forward. Check the hour")
            ) from None
        except TwoSuchTimes:
            return  # asked about below
        if moment and moment.at > datetime.now(UTC) + CLOCK_SKEW:
            raise ValidationError(_("That time is in the future. Check the date and the time zone"))

    def is_twofold(self) -> bool:
        """Whether the clocks showed the time that was typed twice."""
        try:
            zone = self.timezone.zone()
            localize(self.started_at.local(self.answered_at, zone), zone)
        except TwoSuchTimes:
            return bool(self.started.data == "at")
        except ValueError:
            return False
        return False
