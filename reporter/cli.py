"""The commands. Each also hangs off `flask --app reporter`."""

from __future__ import annotations

import signal
import threading
from importlib.metadata import version
from typing import Any

import click
from flask import Flask, current_app
from flask.cli import AppGroup, FlaskGroup, ScriptInfo, with_appcontext
from sqlalchemy.exc import DBAPIError

from reporter.database import file as database_file
from reporter.delivery.commands import outbox_group
from reporter.notices.commands import notice_group
from reporter.operations import condition
from reporter.operations.commands import (
    check_command,
    copy_command,
    person_group,
    purge_command,
    report_group,
    status_command,
)
from reporter.staff.commands import staff_group

db_group = AppGroup("db", help="The database.")


def init_app(app: Flask) -> None:
    from reporter.delivery.repeating import duties_of
    from reporter.desk import promises
    from reporter.reports.lesser import lesser_form

    for command in COMMANDS:
        if command not in (serve_command, web_command):  # known to `flask` without the application
            app.cli.add_command(command)
    duties_of(app).lesser = lesser_form
    duties_of(app).repeated += promises.DUTIES


db_group.add_command(copy_command)


@db_group.command("upgrade")
def upgrade_command() -> None:
    """Run the migrations that are left."""
    from reporter.serving.migrate import upgrade

    upgrade(current_app._get_current_object())  # type: ignore[attr-defined]
    shown = database_file.shown(current_app.config["DATABASE_URL"])
    click.echo(f"{shown[0].upper()}{shown[1:]} has the tables of this version.")


@click.command("serve")
@click.option("--demo", is_flag=True, help="With settings that just work, and an inbox at /inbox.")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True)
def serve_command(demo: bool, host: str, port: int) -> None:
    """Everything for one machine: migrations, web and delivery. If one dies, all stop."""
    from reporter.serving import supervisor

    raise SystemExit(supervisor.serve(demo=demo, host=host, port=port))


@click.command("web")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True)
def web_command(host: str, port: int) -> None:
    """The web half alone."""
    from reporter import create_app
    from reporter.serving.server import check_address, run

    # A wrong setting is said here once, not by every process.
    app = create_app()
    check_address(host, port)
    require_tables(app)
    run(host, port, app.config["WEB_PROCESSES"])


@click.command("worker")
@click.option("--once", is_flag=True, help="Send what is due and end.")
@with_appcontext
def worker_command(once: bool) -> None:
    """Send the mails of the outbox, until told to stop.

    TERM and INT let the mail in hand be finished first.
    """
    from reporter.delivery import worker

    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    require_tables(app)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        # In a thread: the handler may interrupt a moment in which the event is locked.
        signal.signal(number, lambda *_: threading.Thread(target=stop.set).start())
    worker.run(app, once=once, stop=stop)


def require_tables(app: Flask) -> None:
    """Raises click.ClickException where the database has not our tables.

    One that does not answer is waited for: it may be what is down.
    """
    if missing := condition.not_there(app.config["DATABASE_URL"]):
        raise click.ClickException(missing)
    finding = condition.examine(app)
    if finding and finding.key == "migrations":
        raise click.ClickException(finding.words)


class Commands(FlaskGroup):
    """Flask's, with a line for the operator where that one has a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Ours, which need no application: help is also for who has set nothing yet."""
        return sorted(command.name or "" for command in COMMANDS)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except DBAPIError as error:
            raise click.ClickException(_database_failed(ctx, error)) from None
        except OSError as error:
            if error.filename is None:
                raise
            raise click.ClickException(f"{error.strerror}: {error.filename}") from None


def _database_failed(ctx: click.Context, error: DBAPIError) -> str:
    url: str = ctx.ensure_object(ScriptInfo).load_app().config["DATABASE_URL"]
    if missing := condition.not_there(url):
        return missing
    reason = condition.reason(error)
    shown = database_file.shown(url)
    if "no such table" in reason or "does not exist" in reason:
        return f"{shown} has not our tables: reporter db upgrade"
    return f"{shown}: {reason}"


COMMANDS: tuple[click.Command, ...] = (
    check_command,
    db_group,
    notice_group,
    outbox_group,
    person_group,
    purge_command,
    report_group,
    serve_command,
    staff_group,
    status_command,
    web_command,
    worker_command,
)


def main() -> None:
    """The console script."""
    from reporter import create_app

    group = Commands(
        name="reporter",
        help="Incident Reporter: a customer's incident as one structured ticket mail.",
        create_app=create_app,
        add_default_commands=False,
        add_version_option=False,
        load_dotenv=False,
        set_debug_flag=False,
    )
    group.params.clear()  # the flask command's: which application, which .env file
    group = click.version_option(version("incident-reporter"), prog_name="Incident Reporter")(group)
    for command in COMMANDS:
        group.add_command(command)
    group.main()
