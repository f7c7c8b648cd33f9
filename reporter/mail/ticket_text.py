"""The text of a ticket and of its follow-ups: subject and body."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from flask import current_app, render_template
from flask_babel import force_locale
from flask_babel import gettext as _

from reporter.formats.skeleton import Slot, skeleton
from reporter.formats.support_times import support_zone
from reporter.formats.text import barred, header_text, shortened
from reporter.formats.words import day_and_time, hour
from reporter.mail.first_line import followup_line, in_passing, ticket_line
from reporter.mail.helpdesk import PROFILES
from reporter.mail.key_block import block
from reporter.mail.kind_words import kind_aloud
from reporter.models import Channel, UpdateKind
from reporter.report import Answer, CustomerUpdate, Followup, Report, Similar

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
            notes=[*_notes(report, similar), *_still_to_ask(report, language)],
            sections=sections_text(report, language) if sections is None else sections,
            answer_reaches_customer=_answer_reaches_customer(),
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
            notes=list(_still_to_ask(report, language)) if labels else [],
            news=[(_heading(e), e.text and barred(e.text)) for e in _news(followup)],
            sections=sections_text(report, language, marks, only_marked=True),
            files=files,
            answer_reaches_customer=_answer_reaches_customer() and not _came_back(followup),
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


def _still_to_ask(report: Report, language: str) -> Iterator[str]:
    labels = [in_passing(a.label) for a in report.each(language) if report.is_missing(a)]
    if labels:
        yield _("Still to ask: %(questions)s.", questions="; ".join(labels))


def _came_back(followup: Followup) -> bool:
    """Whether our own mails do not reach the customer, as far as we know."""
    told = (*followup.earlier, *followup.updates)
    return any(update.kind == UpdateKind.UNREACHABLE for update in told)


def _answer_reaches_customer() -> bool:
    return PROFILES[current_app.config["HELPDESK_PROFILE"]].answer_reaches_customer
