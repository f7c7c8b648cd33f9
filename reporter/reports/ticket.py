"""The text of a ticket and of its follow-ups: subject, the block that programs read, and body."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from flask import current_app, render_template
from flask_babel import force_locale
from flask_babel import gettext as _

from reporter.plain import header_text, indented, one_line, shortened
from reporter.reports.report import PHONE, WEB, Report, Value
from reporter.times import day_and_time

SUBJECT_LENGTH = 120

# The order of the block. Keys that are not named here follow `preferred_channel`.
FIRST_KEYS = (
    "service",
    "affected",
    "summary",
    "started_at",
    "started_precision",
    "pattern",
    "changed",
    "reporter_name",
    "reporter_company",
    "customer_number",
    "reporter_email",
    "reporter_phone",
    "email_affected",
    "preferred_channel",
)


@dataclass(frozen=True)
class News:
    """Something the customer added to a report: its kind, its text, and when."""

    kind: str
    text: str
    at: datetime


@dataclass(frozen=True)
class Similar:
    """Reports on the same service in a surge: how many, in how many minutes, since when."""

    count: int
    minutes: int
    since: datetime

    def __str__(self) -> str:
        zone = ZoneInfo(current_app.config["TIMEZONE"])
        return f"{self.count} in {self.minutes} min since {self.since.astimezone(zone):%H:%M}"


def subject(report: Report) -> str:
    """As in "INC-KX7M9Q SEV1 web-hosting: The shop does not load": one line, 120 characters at
    most, and no bracket or "#", which helpdesks take for a ticket number of theirs."""
    summary = header_text(report.text("summary").translate(str.maketrans("", "", "[]#")))
    level = f"SEV{report.severity.level}"
    line = f"{report.reference} {level} {report.text('service')}: {summary}"
    return shortened(line.rstrip(), SUBJECT_LENGTH)


def block(
    report: Report, number: int = 0, news: Sequence[News] = (), similar: Similar | None = None
) -> Iterator[tuple[str, str]]:
    """Keys and values, one line each, in fixed order; what is empty is left out."""
    started = report.started_at
    values = {
        "started_at": started.isoformat(timespec="seconds") if started else "",
        "started_precision": report.started_precision,
        **{a.block: _listed(a.value) for a in report.each() if a.block},
    }
    keys = [*FIRST_KEYS, *(key for key in values if key not in FIRST_KEYS)]
    kinds = [each.kind for each in news]
    rows = [
        ("reference", report.reference),
        ("update", str(number)),
        ("state", "solved" if is_solved(news) else ""),
        ("news", _listed(kinds)),
        ("severity", report.severity.code),
        *((key, values.get(key, "")) for key in keys),
        ("language", report.language),
        ("channel", "" if report.channel == WEB else report.channel),
        ("similar", str(similar or "")),
        ("flags", ", ".join(report.flags)),
        (
            "missing",
            ", ".join(a.name.replace("_", " ") for a in report.each() if report.is_missing(a)),
        ),
    ]
    for key, value in rows:
        line = one_line(value)
        if line:
            yield key, line


def is_solved(news: Sequence[News]) -> bool:
    """Whether it works again, by the last that was said of it."""
    said = [each.kind for each in news if each.kind in {"solved", "worse"}]
    return said[-1:] == ["solved"]


def missing(report: Report) -> list[str]:
    """What support will have to ask, by its key in plain words."""
    return [a.name.replace("_", " ") for a in report.each() if report.is_missing(a)]


def ticket_text(
    report: Report, language: str, desk_url: str = "", similar: Similar | None = None
) -> str:
    """The body of the ticket, its sections in *language*."""
    with force_locale(language):
        if report.channel == PHONE:
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
                since=str(similar).rpartition(" ")[2],
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
    number: int,
    news: Sequence[News],
    changed: Collection[str],
    filenames: Sequence[str],
    desk_url: str,
) -> str:
    """The body of a follow-up: what is new, then the whole state with what changed marked."""
    with force_locale(language):
        opening = _(
            "Update %(number)s of incident %(reference)s, from the customer.",
            number=number,
            reference=report.reference,
        )
        if is_solved(news):
            opening = "SOLVED. " + opening
        return render_template(
            "email/followup.txt",
            opening=_with_missing(opening, report, language),
            block=block(report, number, news),
            news=[(told(each), each.text) for each in news],
            filenames=filenames,
            sections=sections_text(report, language, changed),
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
            reference=report.reference,
        )


def sections_text(report: Report, language: str, changed: Collection[str] = ()) -> str:
    """The answers alone, in *language*; those named in *changed* are marked."""
    sections = [s for s in report.sections[language] if any(a.text for a in s.answers)]
    return render_template(
        "email/_sections.txt", sections=sections, changed=changed, indented=indented
    ).strip()


def told(news: News) -> str:
    """What kind of news it is, and when it came, in support's zone."""
    zone = ZoneInfo(current_app.config["TIMEZONE"])
    return f"{day_and_time(news.at.astimezone(zone))} · {kind_in_words(news.kind)}"


def kind_in_words(kind: str) -> str:
    """What an update is, of the customer's or of support's."""
    words: dict[str, str] = {
        "details": _("More details"),
        "info": _("More information"),
        "worse": _("It is worse"),
        "better": _("It is better"),
        "solved": _("It works again"),
        "acknowledge": _("Seen"),
        "message": _("Message to the customer"),
        "solve": _("Solved"),
        "link_notice": _("Linked to a known incident"),
    }
    return words[kind]


def _with_missing(opening: str, report: Report, language: str) -> str:
    """The prose line, with what support has to ask."""
    labels = [a.label.strip("¿?") for a in report.each(language) if report.is_missing(a)]
    if not labels:
        return opening
    still = _("Still to ask: %(questions)s.", questions="; ".join(labels))
    return f"{opening} {still}"


def _listed(value: Value) -> str:
    """A list, or several lines, as one line with commas."""
    parts = value if isinstance(value, list) else (value or "").splitlines()
    return ", ".join(part.strip() for part in parts if part.strip())
