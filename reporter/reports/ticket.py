"""The text of a ticket: its subject, the block that programs read, and the whole body."""

from __future__ import annotations

from collections.abc import Iterator

from flask import render_template
from flask_babel import force_locale
from flask_babel import gettext as _

from reporter.reports.plain import header_text, indented, one_line, shortened
from reporter.reports.report import Report

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


def subject(report: Report) -> str:
    """As in "INC-KX7M9Q SEV1 web-hosting: The shop does not load": one line, 120 characters at
    most, and no bracket or "#", which helpdesks take for a ticket number of theirs."""
    summary = header_text(report.text("summary").translate(str.maketrans("", "", "[]#")))
    level = f"SEV{report.severity.level}"
    line = f"{report.reference} {level} {report.text('service')}: {summary}"
    return shortened(line.rstrip(), SUBJECT_LENGTH)


def block(report: Report) -> Iterator[tuple[str, str]]:
    """Keys and values, one line each, in fixed order; what is empty is left out."""
    started = report.started_at
    values = {
        "started_at": started.isoformat(timespec="seconds") if started else "",
        "started_precision": report.started_precision,
        **{a.block: _listed(str(a.value or "")) for a in report.each() if a.block},
    }
    keys = [*FIRST_KEYS, *(key for key in values if key not in FIRST_KEYS)]
    rows = [
        ("reference", report.reference),
        ("update", "0"),
        ("severity", report.severity.code),
        *((key, values.get(key, "")) for key in keys),
        ("language", report.language),
        ("flags", ", ".join(report.flags)),
        ("missing", ", ".join(missing(report))),
    ]
    for key, value in rows:
        line = one_line(value)
        if line:
            yield key, line


def missing(report: Report) -> list[str]:
    """What support would have to ask, by its key in plain words."""
    return [a.name.replace("_", " ") for a in report.each() if a.wanted and a.asked and not a.value]


def _listed(value: str) -> str:
    """Several lines as one, with commas."""
    return ", ".join(line.strip() for line in value.splitlines() if line.strip())


def ticket_text(report: Report, language: str) -> str:
    """The body of the ticket, its sections in *language*."""
    with force_locale(language):
        return _render(
            report,
            language,
            _(
                "New incident %(reference)s, sent by the customer with the web form.",
                reference=report.reference,
            ),
            _("Reply to this mail: your answer goes to the customer."),
        )


def copy_text(report: Report, language: str) -> str:
    """The customer's own copy."""
    with force_locale(language):
        return _render(
            report, language, _("Your report %(reference)s.", reference=report.reference), ""
        )


def sections_text(report: Report, language: str) -> str:
    """The answers alone, in *language*."""
    return render_template(
        "email/_sections.txt", sections=report.sections[language], indented=indented
    ).strip()


def _render(report: Report, language: str, opening: str, footer: str) -> str:
    return render_template(
        "email/ticket.txt",
        opening=opening,
        block=block(report),
        sections=sections_text(report, language),
        footer=footer,
        reference=report.reference,
    )
