"""The text of a follow-up: the news, and what is not as it was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

from flask import current_app, render_template
from flask_babel import force_locale
from flask_babel import gettext as _

from reporter.formats.text import barred
from reporter.formats.words import day_and_time
from reporter.mail.first_line import followup_line
from reporter.mail.key_block import block
from reporter.mail.kind_words import kind_aloud
from reporter.mail.ticket_text import Mark, answer_reaches, sections_text, still_to_ask
from reporter.models import UpdateKind
from reporter.report import CustomerUpdate, Followup, Report


def followup_text(
    report: Report,
    language: str,
    followup: Followup,
    files: Sequence[tuple[str, str]],
    desk_url: str,
) -> str:
    """The body of a follow-up: the news, then only what is new, changed or withdrawn.

    *files*: of each that goes with it, our name and the customer's.
    """
    with force_locale(language):
        marks = _marks(report, followup.before, language)
        labels = [answer.label for answer in report.each(language) if answer.name in marks]
        return render_template(
            "email/followup.txt",
            opening=followup_line(report, followup, labels, len(files)),
            block=block(report, followup),
            notes=list(still_to_ask(report, language)) if labels else [],
            news=[(_heading(e), e.text and barred(e.text)) for e in _news(followup)],
            sections=sections_text(report, language, marks, only_marked=True),
            files=files,
            answer_reaches_customer=answer_reaches() and not _came_back(followup),
            desk_url=desk_url,
            reference=report.reference,
        )


def _marks(report: Report, before: Report, language: str) -> dict[str, Mark]:
    """A mark for each answer that is not as *before*, by its key."""
    marks = {}
    for earlier, answer in zip(before.each(language), report.each(language), strict=True):
        if answer.value == earlier.value:
            continue
        if not earlier.text:
            marks[answer.name] = Mark(_("new"), "")
        elif answer.text:
            marks[answer.name] = Mark(_("changed"), earlier.text)
        else:
            marks[answer.name] = Mark(_("withdrawn"), earlier.text)
    return marks


def _news(followup: Followup) -> Iterator[CustomerUpdate]:
    """What stands in neither the first line nor a part of its own: words, and a bare "better"."""
    for update in followup.updates:
        in_parts = update.kind in {UpdateKind.DETAILS, UpdateKind.FILES}
        if update.text or not (in_parts or update is followup.headline):
            yield update


def _heading(update: CustomerUpdate) -> str:
    """What kind of news it is, and when it came, in support's zone."""
    zone = ZoneInfo(current_app.config["TIMEZONE"])
    return f"{kind_aloud(update.kind)} · {day_and_time(update.at.astimezone(zone))}"


def _came_back(followup: Followup) -> bool:
    """Whether our own mails do not reach the customer, as far as we know."""
    told = (*followup.earlier, *followup.updates)
    return any(update.kind == UpdateKind.UNREACHABLE for update in told)
