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
from reporter.notices import store as notices
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
) -> None:
    """Link those that are still open, of its services and not linked, while it is open itself."""
    named = [store.by_reference(session, each) for each in list(references)[:MOST]]
    ids = sorted({row.id for row in named if row and row.service in notice.services})
    rows = [store.lock(session, report_id) for report_id in ids]
    now = notices.lock(session, notice.key)
    if now and now.closed_at is None:
        new = [row for row in rows if row.solved_at is None and row.notice_id is None]
        actions.link_notice(session, new, now, name, at)
