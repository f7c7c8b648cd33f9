"""The link in a ticket that opens the report's desk: signed, dated, and revocable by reference."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from reporter import models
from reporter.links import full_url, seal, unseal

PURPOSE = "desk"
VALID_FOR = timedelta(days=30)


def desk_url(reference: str, epoch: int = 0) -> str:
    """Of the desk of a report. It is dated now."""
    return full_url("desk.desk", signed=seal(PURPOSE, [reference, epoch]))


def find(session: Session, signed: str) -> models.Report | None:
    """The report whose desk the link opens; None when it is forged, expired or revoked."""
    match unseal(PURPOSE, signed, VALID_FOR):
        case [str(reference), int(epoch)]:
            return report_of(session, reference, epoch)
    return None


def report_of(session: Session, reference: str, epoch: int) -> models.Report | None:
    """The report of that reference; None when links of that epoch were revoked."""
    query = sa.select(models.Report).where(
        models.Report.reference == reference, models.Report.desk_epoch == epoch
    )
    return session.scalar(query)


def revoke(row: models.Report) -> None:
    """Have every link to this desk that is out there open nothing."""
    row.desk_epoch += 1
