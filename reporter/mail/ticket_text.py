"""The text of a ticket: subject and body."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from flask import current_app, render_template
from flask_babel import force_locale
from flask_babel import gettext as _

from reporter.formats.skeleton import Slot, skeleton
from reporter.formats.support_times import support_zone
from reporter.formats.text import barred, header_text, shortened
from reporter.formats.words import hour
from reporter.mail.first_line import in_passing, ticket_line
from reporter.mail.helpdesk import PROFILES
from reporter.mail.key_block import block
from reporter.models import Channel
from reporter.report import Answer, Report, Similar

SUBJECT_LENGTH = 120


@dataclass(frozen=True)
class Mark:
    """What to say beside a question whose answer is not as it was, and what that was."""

    word: str
    before: str


UNMARKED: Mapping[str, Mark] = {}


def subject(report: Report) -> str:
    """As in "SEV1 The shop does not load | web-hosting | INC-KX7M9Q": one line of 120 characters
    at most, always the same for a report, and no bracket or "#", which helpdesks take for a ticket
    number of theirs."""
    summary = header_text(report.text("summary").translate(str.maketrans("", "", "[]#")))
    before, behind = (
        f"SEV{report.severity.level}",
        f" | {report.text('service')} | {report.reference}",
    )
    room = SUBJECT_LENGTH - len(f"{before} {behind}")
    return f"{before} {shortened(summary, room)}".rstrip() + behind


def ticket_text(
    report: Report,
    language: str,
    desk_url: str = "",
    similar: Similar | None = None,
    sections: str | None = None,
) -> str:
    """The body of the ticket in *language*; *sections*: its `sections_text`, if it is there."""
    with force_locale(language):
        return _filled(
            language,
            opening=ticket_line(report),
            block=block(report, similar=similar),
            notes=[*_notes(report, similar), *still_to_ask(report, language)],
            sections=sections_text(report, language) if sections is None else sections,
            answer_reaches_customer=answer_reaches(),
            desk_url=desk_url,
            reference=report.reference,
        )


def copy_text(report: Report, language: str) -> str:
    """The customer's own copy."""
    with force_locale(language):
        return _filled(
            language,
            opening=_("Your report %(reference)s.", reference=report.reference),
            block=block(report),
            notes=[],
            sections=sections_text(report, language),
            answer_reaches_customer=False,
            desk_url="",
            reference=report.reference,
        )


def _filled(
    language: str,
    *,
    block: Iterable[tuple[str, str]],
    notes: Iterable[str],
    answer_reaches_customer: bool,
    **lines: str,
) -> str:
    """The template of a ticket in *language*, which is in use; *lines* stand in it as they are."""
    told = lines | {
        "block": "\n".join([f"{key}: {value}" for key, value in block]),
        "notes": "".join([f"{note}\n\n" for note in notes]),
    }

    def render() -> str:
        places = {name: Slot(name) for name in told} | (
            {} if lines["desk_url"] else {"desk_url": ""}
        )
        return render_template(
            "email/ticket.txt", answer_reaches_customer=answer_reaches_customer, **places
        )

    key = "ticket", language, answer_reaches_customer, bool(lines["desk_url"])
    return skeleton(key, render).fill(told)


def sections_text(
    report: Report,
    language: str,
    marks: Mapping[str, Mark] = UNMARKED,
    *,
    only_marked: bool = False,
) -> str:
    """The answers alone, in *language*; *marks* are by the key of a question."""
    sections = [
        (section.title, answers)
        for section in report.sections[report.asked_in(language)]
        if (
            answers := [
                answer
                for answer in section.answers
                if answer.name in marks or (answer.text and not only_marked)
            ]
        )
    ]
    lines = [line for title, answers in sections for line in _section(title, answers, marks)]
    return "\n".join(lines).strip("\n")


def _section(title: str, answers: Sequence[Answer], marks: Mapping[str, Mark]) -> Iterator[str]:
    yield title.upper()
    for answer in answers:
        mark = marks.get(answer.name)
        yield f"{answer.label} ({mark.word})" if mark else answer.label
        if answer.text:
            yield barred(answer.text)
        if mark and mark.before:
            yield _("Before:")
            yield barred(mark.before)
        yield ""


def _notes(report: Report, similar: Similar | None) -> Iterator[str]:
    """What else support should know before it reads on."""
    if report.channel == Channel.PHONE:
        yield _("Taken by phone.")
    if similar:
        yield _(
            "Similar: %(count)s reports on it in %(minutes)s minutes, since %(since)s.",
            count=similar.count,
            minutes=similar.minutes,
            since=hour(similar.since.astimezone(support_zone())),
        )


def still_to_ask(report: Report, language: str) -> Iterator[str]:
    """One line of what support needs and was not told; none where nothing is missing."""
    labels = [in_passing(a.label) for a in report.each(language) if report.is_missing(a)]
    if labels:
        yield _("Still to ask: %(questions)s.", questions="; ".join(labels))


def answer_reaches() -> bool:
    """Whether who answers the mail at support's helpdesk writes to the customer."""
    return PROFILES[current_app.config["HELPDESK_PROFILE"]].answer_reaches_customer
