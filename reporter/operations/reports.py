"""Reports from a shell: listed, shown, and exported for a spreadsheet or a program."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from reporter import models
from reporter.formats.spreadsheet import inert
from reporter.formats.text import exact_lines
from reporter.operations.terminal import cell, json_text, moment, paragraph, table
from reporter.report import Report
from reporter.reports import store

AT_ONCE = 200
HEAD = ("REFERENCE", "SAVED", "SEVERITY", "SERVICE", "STATE", "SUMMARY")
# Of an export: these, then every question's key.
COLUMNS = (
    "reference", "saved_at", "seen_at", "solved_at", "channel", "language", "severity",
    "started_at",
)  # fmt: skip


def rows(
    session: Session, since: datetime | None = None, until: datetime | None = None
) -> Iterator[models.Report]:
    """Those that were saved from *since* on and before *until*, oldest first."""
    query = sa.select(models.Report).order_by(models.Report.saved_at, models.Report.id)
    if since:
        query = query.where(models.Report.saved_at >= since)
    if until:
        query = query.where(models.Report.saved_at < until)
    yield from session.scalars(query.execution_options(yield_per=AT_ONCE))


def state(row: models.Report) -> str:
    if row.solved_at:
        return "solved"
    return "seen" if row.seen_at else "open"


def as_table(found: Iterator[models.Report]) -> str:
    lines = []
    for row in found:
        level, summary = f"SEV{row.severity}", Report.from_json(row.content).text("summary")
        lines.append(
            [row.reference, moment(row.saved_at), level, row.service, state(row), cell(summary)]
        )
    return table(HEAD, lines)


def as_text(session: Session, row: models.Report) -> str:
    """The whole report, with what came after it and what became of its mails."""
    report = store.to_value(session, row)
    lines = [
        f"{row.reference}  {state(row)}",
        f"  saved {moment(row.saved_at)}, seen {moment(row.seen_at)}, "
        f"solved {moment(row.solved_at)}",
    ]
    if row.helpdesk_number:
        lines.append(f"  ticket {cell(row.helpdesk_number)} in the helpdesk")
    for answer in report.each():
        if answer.text:
            lines += ["", f"  {answer.label}", paragraph(answer.text)]
    for update in row.updates:
        lines += ["", f"  {moment(update.created_at)}  {update.author}: {update.kind}"]
        if text := update.content.get("text"):
            lines.append(paragraph(text))
    lines += ["", "  Mails"]
    lines += [f"    {each.kind}: {each.state}, to {cell(each.recipient)}" for each in row.messages]
    return "\n".join(lines)


def as_json(session: Session, found: Iterator[models.Report]) -> Iterator[str]:
    """One array, in pieces: a year of reports need not be in memory."""
    before = "[\n"
    for row in found:
        yield before + json_text(_flat(session, row))
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def questions(session: Session, found: Iterator[models.Report]) -> list[str]:
    """The keys of every question that was asked in any of them, in the order of the form."""
    keys: dict[str, None] = {}
    for row in found:
        keys |= dict.fromkeys(store.to_value(session, row).answers)
    return [key for key in keys if key not in COLUMNS]


def as_csv(session: Session, found: Iterator[models.Report], keys: list[str]) -> Iterator[str]:
    """A line for each report and a column for each of *keys*; no cell is taken for a formula."""
    columns = [*COLUMNS, *keys]
    yield _line(columns)
    for row in found:
        flat = _flat(session, row)
        values = flat.pop("answers") | flat
        yield _line([_cell(values.get(column)) for column in columns])


def _flat(session: Session, row: models.Report) -> dict[str, Any]:
    report = store.to_value(session, row)
    return {
        "reference": row.reference,
        "saved_at": row.saved_at.isoformat(),
        "seen_at": row.seen_at.isoformat() if row.seen_at else None,
        "solved_at": row.solved_at.isoformat() if row.solved_at else None,
        "channel": report.channel.value,
        "language": report.language,
        "severity": report.severity.code,
        "started_at": report.started_at.isoformat() if report.started_at else None,
        "answers": dict(report.answers),
    }


def _cell(value: Any) -> str:
    text = ", ".join(value) if isinstance(value, list) else str(value or "")
    return inert("\n".join(exact_lines(text)))


def _line(cells: list[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()
