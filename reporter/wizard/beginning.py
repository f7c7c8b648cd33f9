"""When an incident began, of the answers of one page."""

from __future__ import annotations

from datetime import UTC, datetime

from flask_babel import gettext as _
from wtforms.validators import ValidationError

from reporter.wizard import moments
from reporter.wizard.fields import Choice, YesNo
from reporter.wizard.moment_fields import LocalTime, Started, Zone
from reporter.wizard.moments import Moment, Precision
from reporter.wizard.step import StepForm


class BeginningForm(StepForm):
    """A page that asks when it began: these questions make one moment."""

    started: Started
    started_at: LocalTime
    started_fold: Choice
    approximate: YesNo
    timezone: Zone

    def moment(self) -> Moment | None:
        """When it started; None when that is not known.

        Raises moments.NoSuchTime, moments.TwoSuchTimes, or ValueError for what is no time.
        """
        if self.started.data in moments.AGO:
            at = self.answered_at - moments.AGO[self.started.data]
            return Moment(at.astimezone(self.timezone.zone()), Precision.APPROXIMATE)
        if self.started.data != "at":
            return None
        local = moments.parse_local(self.started_at.data or "")
        at = moments.localize(local, self.timezone.zone(), self.started_fold.data)
        return Moment(at, Precision.APPROXIMATE if self.approximate.data else Precision.EXACT)

    def validate_started_at(self, field: LocalTime) -> None:
        try:
            moment = self.moment()
        except moments.NoSuchTime:
            raise ValidationError(
                _("That time did not exist: the clocks went forward. Check the hour")
            ) from None
        except moments.TwoSuchTimes:
            return  # asked about below
        if moment and moment.at > datetime.now(UTC) + moments.CLOCK_SKEW:
            raise ValidationError(_("That time is in the future. Check the date and the time zone"))

    def is_twofold(self) -> bool:
        """Whether the clocks showed the time that was typed twice."""
        try:
            local = moments.parse_local(self.started_at.data or "")
            moments.localize(local, self.timezone.zone())
        except moments.TwoSuchTimes:
            return bool(self.started.data == "at")
        except ValueError:
            return False
        return False
