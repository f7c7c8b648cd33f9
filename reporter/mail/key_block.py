"""The block of `key: value` lines in a ticket, for programs to read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reporter.formats.text import one_line
from reporter.models import Channel, UpdateKind
from reporter.report import Followup, Report, Similar, Value

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


def block(
    report: Report, followup: Followup | None = None, similar: Similar | None = None
) -> Iterator[tuple[str, str]]:
    """Keys and values, one line each, in fixed order; what is empty is left out."""
    started = report.started_at
    values = {
        "started_at": started.isoformat(timespec="seconds") if started else "",
        "started_precision": report.started_precision,
        **{a.key: _listed(a.value) for a in report.each() if a.key},
    }
    keys = [*FIRST_KEYS, *(key for key in values if key not in FIRST_KEYS)]
    rows = [
        ("reference", report.reference),
        ("update", str(followup.number if followup else 0)),
        ("state", UpdateKind.SOLVED if followup and followup.solved else ""),
        ("news", _listed([each.kind for each in followup.updates] if followup else [])),
        ("severity", report.severity.code),
        *((key, values.get(key, "")) for key in keys),
        ("language", report.language),
        ("channel", "" if report.channel == Channel.WEB else report.channel),
        ("similar", str(similar or "")),
        ("flags", ", ".join(report.flags)),
        ("withdrawn", _in_words(followup.withdrawn(report) if followup else [])),
        ("missing", _in_words(missing(report))),
    ]
    for key, value in rows:
        line = one_line(value)
        if line:
            yield key, line


def missing(report: Report) -> list[str]:
    """The keys of what support will have to ask."""
    return [answer.name for answer in report.each() if report.is_missing(answer)]


def _in_words(keys: Sequence[str]) -> str:
    return ", ".join(key.replace("_", " ") for key in keys)


def _listed(value: Value) -> str:
    """A list, or several lines, as one line with commas."""
    parts = value if isinstance(value, list) else (value or "").splitlines()
    return ", ".join(part.strip() for part in parts if part.strip())
