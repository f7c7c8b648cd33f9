"""The text of a ticket and of its follow-ups: subject and body."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

from flask import current_app, render_template
from flask_babel import force_locale
from flask_babel import gettext as _

from reporter.formats.text import header_text, indented, one_line, shortened
from reporter.formats.words import day_and_time
from reporter.mail.key_block import block
from reporter.models import Channel, UpdateKind
from reporter.report import CustomerUpdate, Followup, Report, Similar

SUBJECT_LENGTH = 120
SHORT_LENGTH = 120  # of an answer where it is told in passing
UNMARKED: Mapping[str, str] = {}


def subject(report: Report) -> str:
    """As in "INC-KX7M9Q SEV1 web-hosting: The shop does not load": one line, 120 characters at
    most, and no bracket or "#", which helpdesks take for a ticket number of theirs."""
    summary = header_text(report.text("summary").translate(str.maketrans("", "", "[]#")))
    level = f"SEV{report.severity.level}"
    line = f"{report.reference} {level} {report.text('service')}: {summary}"
    return shortened(line.rstrip(), SUBJECT_LENGTH)


def ticket_text(
    report: Report, language: str, desk_url: str = "", similar: Similar | None = None
) -> str:
    """The body of the ticket, its sections in *language*."""
    with force_locale(language):
        if report.channel == Channel.PHONE:
            opening = _("New incident %(reference)s, taken by phone.", reference=report.reference)
        else:
            opening = _(
                "New incident %(reference)s, sent by the customer with the web form.",
                reference=report.reference,
            )
        if similar:
            opening += " " + _(
                "Similar: %(count)s reports on it in %(minutes)s minutes, since %(since)s.",
                count=similar.count,
                minutes=similar.minutes,
                since=similar.clock,
            )
        return render_template(
            "email/ticket.txt",
            opening=_with_missing(opening, report, language),
            block=block(report, similar=similar),
            sections=sections_text(report, language),
            desk_url=desk_url,
            reference=report.reference,
        )


def followup_text(
    report: Report,
    language: str,
    followup: Followup,
    files: Sequence[tuple[str, str]],
    desk_url: str,
) -> str:
    """The body of a follow-up: what is new, then the whole state with what changed marked.

    *files*: of each that goes with it, our name and the customer's.
    """
    with force_locale(language):
        opening = _(
            "Update %(number)s of incident %(reference)s, from the customer.",
            number=followup.number,
            reference=report.reference,
        )
        if followup.says_solved():
            opening = "SOLVED. " + opening
        marks = _marks(report, followup.before, language)
        state = "" if followup.only_files else sections_text(report, language, marks)
        return render_template(
            "email/followup.txt",
            opening=_with_missing(opening, report, language),
            block=block(report, followup),
            news=[(told(each), each.text) for each in followup.updates],
            changes=[
                f"{a.label} ({marks[a.name]})" + (f": {_in_short(a.text)}" if a.text else "")
                for a in report.each(language)
                if a.name in marks
            ],
            files=files,
            sections=state,
            indented=indented,
            desk_url=desk_url,
            reference=report.reference,
        )


def copy_text(report: Report, language: str) -> str:
    """The customer's own copy."""
    with force_locale(language):
        return render_template(
            "email/ticket.txt",
            opening=_("Your report %(reference)s.", reference=report.reference),
            block=block(report),
            sections=sections_text(report, language),
            desk_url="",
            reference=report.reference,
        )


def sections_text(report: Report, language: str, marks: Mapping[str, str] = UNMARKED) -> str:
    """The answers alone, in *language*; *marks* are what to say beside a question, by its key."""
    sections = [
        (section.title, answers)
        for section in report.sections[language]
        if (answers := [a for a in section.answers if a.text or a.name in marks])
    ]
    return render_template(
        "email/_sections.txt", sections=sections, marks=marks, indented=indented
    ).strip()


def _marks(report: Report, before: Report, language: str) -> dict[str, str]:
    """What to say beside the question of each answer that is not as *before*."""
    marks = {}
    for earlier, answer in zip(before.each(language), report.each(language), strict=True):
        if answer.value == earlier.value:
            continue
        was = _in_short(earlier.text)
        if not was:
            marks[answer.name] = _("new")
        elif answer.text:
            marks[answer.name] = _("changed; before: %(answer)s", answer=was)
        else:
            marks[answer.name] = _("withdrawn; before: %(answer)s", answer=was)
    return marks


def _in_short(text: str) -> str:
    return shortened(one_line("; ".join(text.splitlines())), SHORT_LENGTH)


def told(update: CustomerUpdate) -> str:
    """What kind of news it is, and when it came, in support's zone."""
    zone = ZoneInfo(current_app.config["TIMEZONE"])
    return f"{day_and_time(update.at.astimezone(zone))} · {kind_in_words(update.kind)}"


def kind_in_words(kind: UpdateKind) -> str:
    """What an update is, of the customer's or of support's."""
    words: dict[UpdateKind, str] = {
        UpdateKind.DETAILS: _("More details"),
        UpdateKind.FILES: _("More files"),
        UpdateKind.INFO: _("More information"),
        UpdateKind.WORSE: _("It is worse"),
        UpdateKind.BETTER: _("It is better"),
        UpdateKind.SOLVED: _("It works again"),
        UpdateKind.ACKNOWLEDGE: _("Seen"),
        UpdateKind.MESSAGE: _("Message to the customer"),
        UpdateKind.SOLVE: _("Solved"),
        UpdateKind.REOPEN: _("Open again"),
        UpdateKind.LINK_NOTICE: _("Linked to a known incident"),
    }
    return words[kind]


def _with_missing(opening: str, report: Report, language: str) -> str:
    """The prose line, with what support has to ask."""
    labels = [a.label.strip("¿?") for a in report.each(language) if report.is_missing(a)]
    if not labels:
        return opening
    questions = "; ".join(label[:1].lower() + label[1:] for label in labels)
    still = _("Still to ask: %(questions)s.", questions=questions)
    return f"{opening} {still}"
