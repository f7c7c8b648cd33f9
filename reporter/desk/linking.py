"""Linking the reports of an outage to its known incident, in one press."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from reporter import models
from reporter.desk import actions
from reporter.reports import store

MOST = 500  # in one press; what is left is offered again


@dataclass(frozen=True)
class Candidate:
    """An open report of the service that is not linked to any known incident."""

    reference: str
    severity: int
    summary: str
    customer: str
    saved_at: datetime


def candidates(session: Session, services: Sequence[str], since: datetime) -> list[Candidate]:
    """Those that came since then, oldest first."""
    report = models.Report
    query = (
        sa.select(
            report.reference, report.severity, report.summary, report.customer, report.saved_at
        )
        .where(
            report.service.in_(services),
            report.saved_at >= since,
            report.solved_at.is_(None),
            report.notice_id.is_(None),
        )
        .order_by(report.saved_at)
        .limit(MOST)
    )
    rows: Any = session.execute(query)
    return [Candidate(*row) for row in rows]


def link(
    session: Session, notice: models.Notice, references: Iterable[str], name: str, at: datetime
) -> int:
    """Link those that are still open, of its services and not linked; how many that is."""
    rows = []
    for reference in list(references)[:MOST]:
        found = store.by_reference(session, reference)
        if found is None or found.service not in notice.services:
            continue
        row = store.lock(session, found.id)
        if row.solved_at is None and row.notice_id is None:
            rows.append(row)
    actions.link_notice(session, rows, notice, name, at)
    return len(rows)
