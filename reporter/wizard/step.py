"""A step: one page of questions, and its place in the path."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from flask import current_app
from wtforms import StringField

from reporter.report import StoredFile, Value
from reporter.web.question import LINE_LENGTH, Question, questions
from reporter.web.tokens import TokenForm


class Given(NamedTuple):
    """A question as it was answered."""

    question: Question
    value: Value
    asked: bool  # whether it came up at all


class StepForm(TokenForm):
    """One page of questions.

    `answered_at` is when it was first answered as it stands. Of the second stage: `report_zone`
    is the zone its times are told in, `report_saved_at` when the report was, and `kept_files` are
    those kept already.
    """

    title: Any
    about: Any  # what it asks, in a few words, for the first page
    lead: Any = ""

    # Whether "just now" is asked again, as it was said too long ago.
    asked_again = False

    # People never see it, and what fills in forms for them has no such thing to fill in; a program
    # that fills every field gives itself away.
    topic = StringField(
        "",
        filters=[lambda text: (text or "")[:LINE_LENGTH]],
        render_kw={
            "tabindex": "-1",
            "autocomplete": "off",
            "data-lpignore": "true",
            "data-1p-ignore": "",
        },
    )

    def __init__(
        self,
        *args: Any,
        answered_at: datetime | None = None,
        report_zone: ZoneInfo | None = None,
        report_saved_at: datetime | None = None,
        kept_files: Sequence[StoredFile] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.answered_at = answered_at or datetime.now(UTC)
        self.report_zone = report_zone or ZoneInfo(current_app.config["TIMEZONE"])
        self.report_saved_at = report_saved_at
        self.kept_files = tuple(kept_files)

    @cached_property
    def given(self) -> Sequence[Given]:
        """Each of its questions as it was answered: read once, so nothing is submitted or set
        afterwards."""
        return [Given(each, each.value(self), each.is_asked(self)) for each in questions(self)]


@dataclass(frozen=True)
class Step:
    """A page of the journey: its place in the path, and its questions."""

    slug: str
    form: type[StepForm]

    @property
    def title(self) -> str:
        return str(self.form.title)
