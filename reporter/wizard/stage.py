"""A stage: which steps it has, whose draft it fills, where its pages are, what sending does."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from reporter.notices.notice import Notice
from reporter.report import StoredFile
from reporter.wizard.draft import Draft, Raw, StoredStep
from reporter.wizard.journey import Journey
from reporter.wizard.step import Step, StepForm

Forms = Mapping[str, StepForm]


class Stage(ABC):
    """One journey of one customer. `draft_id` names their draft, which need not exist yet."""

    steps: Sequence[Step]
    any_order = False
    # What a browser mirrors this stage's answers as; without it, it mirrors none.
    mirrored_as = ""
    # Of the report that this one adds to.
    reference = ""
    # Those that are kept with its answers.
    files: Sequence[StoredFile] = ()
    # The receipt of what was sent before, where this one was just begun.
    sent_before: str | None = None
    # Whether it was just begun for another caller.
    is_new_call = False
    # Of the draft its pages belong to, within the browser.
    key = ""

    def __init__(self, draft_id: str, draft: Draft | None) -> None:
        self.draft_id = draft_id
        self.draft = draft

    @abstractmethod
    def url(self, slug: str | None, **query: Any) -> str:
        """Of a step, of Journey.REVIEW, or, for None, of the page before the first step."""

    @abstractmethod
    def keep(self, slug: str, raw: Raw, answered_at: datetime | None, flags: set[str]) -> None:
        """Keep what was submitted in a step."""

    @abstractmethod
    def send(self, forms: Forms, at: datetime) -> str:
        """Send what *forms* hold, all valid, and return where to go then."""

    def prefill(self, step: Step) -> Raw:
        """What a step that was not submitted yet is shown with."""
        return {}

    def context(self) -> dict[str, Any]:
        """What the forms of this stage are told, besides what was submitted."""
        return {}

    def keep_files(self) -> list[str]:
        """Keep the files that were submitted; what to say of those that cannot be."""
        return []

    def remove_file(self, attachment_id: int) -> None:  # noqa: B027 (most stages have none)
        """Forget one that was not sent."""

    def picture_url(self, file: StoredFile) -> str:
        """Where a browser finds it, to show it small; empty for what it cannot show."""
        return ""

    def notices(self, step: Step) -> Sequence[Notice]:
        """Known incidents to show with a step."""
        return ()

    def is_unusual(self) -> bool:
        """Whether a step's page says what hangs on more than its answers."""
        return bool(self.sent_before or self.is_new_call or self.reference)

    def words(self) -> Mapping[str, str]:
        """For the review's template: `title`, `lead` and `button`."""
        return {}

    def journey(self) -> Journey:
        completed = self.draft.completed(datetime.now(UTC)) if self.draft else ()
        slugs = tuple(step.slug for step in self.steps)
        return Journey(slugs, slugs if self.any_order else completed)

    def stored(self, slug: str) -> StoredStep | None:
        return self.draft.steps.get(slug) if self.draft else None
