"""`reporter desk revoke` and `reporter operator link`."""

from __future__ import annotations

from datetime import timedelta

import click
from flask.cli import AppGroup

from reporter.database import get_database
from reporter.desk.operators import LONGEST, operator_url
from reporter.reports import desk_links
from reporter.reports.reference import parse_reference

desk_group = AppGroup("desk", help="The desk that the link in a ticket opens.")
operator_group = AppGroup("operator", help="Reports that support takes by phone.")


@desk_group.command("revoke")
@click.argument("reference", metavar="REF")
def revoke_command(reference: str) -> None:
    """Have every desk link of REF that is out there open nothing."""
    try:
        wanted = parse_reference(reference)
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    with get_database().write() as session:
        if not desk_links.revoke(session, wanted):
            raise click.ClickException(f"no report has the reference {wanted}")
    click.echo(f"The desk links of {wanted} open nothing now.")


@operator_group.command("link")
@click.option("--days", default=30, show_default=True, help="How long the link works.")
def link_command(days: int) -> None:
    """Print a link that lets a browser take reports by phone."""
    if not 1 <= days <= LONGEST.days:
        raise click.ClickException(f"--days is from 1 to {LONGEST.days}")
    click.echo(operator_url(timedelta(days=days)))
