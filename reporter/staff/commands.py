"""`reporter staff add|list|link|disable`."""

from __future__ import annotations

from datetime import UTC, datetime

import click
import sqlalchemy as sa
from flask.cli import AppGroup
from sqlalchemy.orm import Session

from reporter import models
from reporter.database import get_database
from reporter.formats.text import one_line
from reporter.staff import accounts

staff_group = AppGroup("staff", help="Who support is: they sign in to the desk.")
NAME_LENGTH = 60
ROW = "{:<20} {:<30} {:<9} {}"


@staff_group.command("add")
@click.argument("name")
@click.argument("email")
def add_command(name: str, email: str) -> None:
    """Add somebody; prints a link that works once, for one hour."""
    from email_validator import EmailNotValidError, validate_email  # slow to load

    name, now = one_line(name), datetime.now(UTC)
    if not name or len(name) > NAME_LENGTH:
        raise click.ClickException(f"a name has 1 to {NAME_LENGTH} characters")
    try:
        validate_email(email, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        raise click.ClickException(f"{one_line(email)!r} is not an email address") from None
    with get_database().write() as session:
        try:
            link = accounts.new_link(session, accounts.add(session, name, email, now), now)
        except accounts.Taken:
            raise click.ClickException(
                "somebody has that name or address already: reporter staff list"
            ) from None
    click.echo(link)


@staff_group.command("list")
def list_command() -> None:
    """Everybody, and the browsers in which they are signed in."""
    now = datetime.now(UTC)
    with get_database().read() as session:
        everybody = accounts.everybody(session)
        if not everybody:
            click.echo("Nobody yet: reporter staff add NAME EMAIL")
        for row in everybody:
            click.echo(ROW.format(row.name, row.email, _state(row), _browsers(session, row, now)))


@staff_group.command("link")
@click.argument("name")
def link_command(name: str) -> None:
    """Print a link with which NAME chooses a new password; it works once, for one hour."""
    with get_database().write() as session:
        link = accounts.new_link(session, _row(session, name), datetime.now(UTC))
    click.echo(link)


@staff_group.command("disable")
@click.argument("name")
def disable_command(name: str) -> None:
    """Sign NAME out everywhere, and let them in no more."""
    with get_database().write() as session:
        row = _row(session, name)
        accounts.disable(session, row, datetime.now(UTC))
        name = row.name
    click.echo(f"{name} is signed out and cannot sign in. To undo it: reporter staff link")


def _row(session: Session, name: str) -> models.Staff:
    row = accounts.by_name(session, one_line(name))
    if row is None:
        raise click.ClickException(f"nobody has the name {one_line(name)!r}: reporter staff list")
    return row


def _state(row: models.Staff) -> str:
    if row.disabled_at:
        return "disabled"
    return "active" if row.password_hash else "invited"


def _browsers(session: Session, row: models.Staff, now: datetime) -> str:
    own = models.StaffSession
    query = sa.select(own).where(own.staff_id == row.id, own.expires_at > now).order_by(own.id)
    found = [
        f"{each.browser} ({each.used_at:%Y-%m-%d %H:%M} UTC)" for each in session.scalars(query)
    ]
    return "; ".join(found) or "-"
