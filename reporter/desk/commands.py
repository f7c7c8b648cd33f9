"""`reporter desk link`, `reporter desk revoke` and `reporter operator link`."""

from __future__ import annotations

from datetime import timedelta

import click
import sqlalchemy as sa
from flask.cli import AppGroup
from sqlalchemy.orm import Session

from reporter import models
from reporter.database import get_database
from reporter.desk.operators import LONGEST, operator_url
from reporter.reports import desk_links
from reporter.reports.reference import parse_reference

desk_group = AppGroup("desk", help="The desk that the link in a ticket opens.")
operator_group = AppGroup("operator", help="Reports that support takes by phone.")


@desk_group.command("link")
@click.argument("reference", metavar="REF")
def desk_link_command(reference: str) -> None:
    """Print a new link to the desk of REF."""
    with get_database().read() as session:
        row = _row(session, reference)
        click.echo(desk_links.desk_url(row.reference, row.desk_epoch))


@desk_group.command("revoke")
@click.argument("reference", metavar="REF")
def revoke_command(reference: str) -> None:
    """Have every desk link of REF that is out there open nothing."""
    with get_database().write() as session:
        row = _row(session, reference)
        desk_links.revoke(row)
        wanted = row.reference
    click.echo(f"The desk links of {wanted} open nothing now. For a new one: reporter desk link")


def _row(session: Session, reference: str) -> models.Report:
    try:
        wanted = parse_reference(reference)
    except ValueError:
        raise click.ClickException(
            f'{reference!r} is no reference, which is as in "INC-KX7M9Q"'
        ) from None
    row = session.scalar(sa.select(models.Report).where(models.Report.reference == wanted))
    if row is None:
        raise click.ClickException(f"no report has the reference {wanted}")
    return row


@operator_group.command("link")
@click.option("--days", default=30, show_default=True, help="How long the link works.")
def link_command(days: int) -> None:
    """Print a link that lets a browser take reports by phone."""
    if not 1 <= days <= LONGEST.days:
        raise click.ClickException(f"--days is from 1 to {LONGEST.days}")
    click.echo(operator_url(timedelta(days=days)))
