"""The operator's commands: `check`, `status`, `purge`, `db copy`, `report` and `person`."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import click
from flask import Flask, current_app
from flask.cli import AppGroup, with_appcontext
from sqlalchemy.exc import SQLAlchemyError

from reporter.database import Database, get_database
from reporter.database import file as database_file
from reporter.delivery.beats import beats
from reporter.delivery.clock import shared_now
from reporter.formats.reference import reference_or_text
from reporter.operations import check, condition, copying, people, purge, reports, status
from reporter.operations.result import Verdict
from reporter.operations.terminal import cell, json_text, progress
from reporter.reports import store
from reporter.serving.migrate import upgrade_database
from reporter.settings.service_checks import database as database_problems

report_group = AppGroup("report", help="Reports, from a shell.")
person_group = AppGroup("person", help="All that is kept of one person.")
DATE = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"])


@click.command("check")
@click.option("--send", is_flag=True, help="Send a test ticket and a test alarm too.")
@with_appcontext
def check_command(send: bool) -> None:
    """A doctor: tries what a ticket needs on its way, and says what to mend."""
    found: Counter[Verdict] = Counter()
    for result in check.check(_app(), send=send):
        found[result.verdict] += 1
        click.echo(str(result))
    if found[Verdict.MEND]:
        raise click.ClickException(f"{found[Verdict.MEND]} to mend")
    click.echo("Nothing to mend.")


@click.command("status")
@click.option("--json", "is_json", is_flag=True, help="For a monitor.")
@with_appcontext
def status_command(is_json: bool) -> None:
    """One screen: what waits, what failed, who works. Exits 1 when there is trouble."""
    found = status.look(_app(), datetime.now(UTC))
    click.echo(json_text(status.as_json(found)) if is_json else status.as_text(found))
    if not found.is_well:
        raise SystemExit(1)


@click.command("purge")
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@with_appcontext
def purge_command(dry_run: bool) -> None:
    """Remove what is older than the settings say. The worker does the same once a day."""
    now = datetime.now(UTC)
    database = get_database()
    with database.read() as session:
        counts = purge.count(session, current_app.config, now)
    click.echo(f"Of {_shown()}:")
    if not dry_run:
        gone: Counter[str] = Counter()
        steps = purge.purge(database, current_app.config, now)
        length = sum(counts.values())
        for name, number in progress(steps, "Purging", length, lambda step: step[1]):
            gone[name] += number
        counts = dict(gone)
    taken = {name: number for name, number in counts.items() if number}
    for name, number in taken.items():
        click.echo(f"  {number} {name}")
    if not taken:
        click.echo("  nothing is old enough")


@click.command("copy")
@click.option("--to", "url", required=True, help="An empty database, as in DATABASE_URL.")
@with_appcontext
def copy_command(url: str) -> None:
    """Copy everything to an empty other database, and check that it is the same.

    Stop web and worker first: what they keep meanwhile would stay behind.
    """
    for _name, line in database_problems({"DATABASE_URL": url}):
        raise click.BadParameter(line.replace("DATABASE_URL", "it"), param_hint="--to")
    source = get_database()
    now = shared_now(source)
    with source.read() as session:
        if beats(session, now):
            raise click.ClickException("a worker is running: stop web and worker first")
        target = Database(url, foreign_keys=False)
        try:
            upgrade_database(url, current_app.config["ALEMBIC_CONTEXT"])
        except SQLAlchemyError as error:  # of the other one, not of ours
            target.close()
            words = f"{database_file.shown(url)}: {condition.reason(error)}"
            raise click.ClickException(words) from None
        try:
            steps = copying.copy(session, target)
            counts = Counter(progress(steps, "Copying", length=copying.count(session)))
        except copying.CannotCopy as error:
            raise click.ClickException(f"{database_file.shown(url)}: {error}") from None
        finally:
            target.close()
    for name, number in counts.items():
        click.echo(f"  {number} of {name}")
    click.echo(f"{counts.total()} rows are in {database_file.shown(url)}, each the same.")


@report_group.command("list")
def report_list_command() -> None:
    """Every report, oldest first."""
    with get_database().read() as session:
        click.echo(reports.as_table(reports.rows(session)))


@report_group.command("show")
@click.argument("reference", metavar="REF")
def report_show_command(reference: str) -> None:
    """One report, with what came after it and what became of its mails."""
    with get_database().read() as session:
        row = store.by_reference(session, reference_or_text(reference))
        if row is None:
            words = f"no report has the reference {cell(reference)} in {_shown()}"
            raise click.ClickException(words)
        click.echo(reports.as_text(session, row))


@report_group.command("export")
@click.option("--since", type=DATE, help="From that day on (UTC).")
@click.option("--until", type=DATE, help="Before that day (UTC).")
@click.option("--format", "as_", type=click.Choice(["csv", "json"]), default="csv")
def report_export_command(since: datetime | None, until: datetime | None, as_: str) -> None:
    """Reports for a spreadsheet or a program, to standard output."""
    with get_database().read() as session:
        period = session, _utc(since), _utc(until)
        if as_ == "json":
            texts = reports.as_json(session, reports.rows(*period))
        else:
            keys = reports.questions(session, reports.rows(*period))
            texts = reports.as_csv(session, reports.rows(*period), keys)
        for text in texts:
            click.echo(text, nl=False)


@person_group.command("export")
@click.argument("address")
def person_export_command(address: str) -> None:
    """All that is kept of ADDRESS, as JSON."""
    with get_database().read() as session:
        click.echo(json_text(people.export(session, address), indent=2))


@person_group.command("erase")
@click.argument("address")
def person_erase_command(address: str) -> None:
    """Remove all that is kept of ADDRESS; an unsent ticket once it is sent."""
    counts = people.erase(get_database(), address)
    click.echo(f"Of {_shown()}:")
    for name, number in counts.items():
        click.echo(f"  {number} {name}")


def _utc(at: datetime | None) -> datetime | None:
    return at and at.replace(tzinfo=UTC)


def _shown() -> str:
    return database_file.shown(current_app.config["DATABASE_URL"])


def _app() -> Flask:
    app: Any = current_app
    found: Flask = app._get_current_object()
    return found
