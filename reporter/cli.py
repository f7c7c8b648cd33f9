"""The commands. Each also hangs off `flask --app reporter`."""

from __future__ import annotations

from typing import Any

import click
from flask import Flask, current_app
from flask.cli import AppGroup, FlaskGroup
from sqlalchemy.exc import OperationalError, ProgrammingError

from reporter.delivery.commands import outbox_group, worker_command
from reporter.delivery.repeating import duties_of
from reporter.notices.commands import notice_group
from reporter.reports.lesser import lesser_form
from reporter.serving import supervisor
from reporter.serving.migrate import upgrade
from reporter.staff.commands import staff_group

db_group = AppGroup("db", help="The database.")


def init_app(app: Flask) -> None:
    for command in (db_group, notice_group, outbox_group, staff_group):
        app.cli.add_command(command)
    app.cli.add_command(worker_command)
    duties_of(app).lesser = lesser_form


@db_group.command("upgrade")
def upgrade_command() -> None:
    """Run the migrations that are left."""
    upgrade(current_app._get_current_object())  # type: ignore[attr-defined]


@click.command("serve")
@click.option("--demo", is_flag=True, help="With settings that just work, and an inbox at /inbox.")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True)
def serve_command(demo: bool, host: str, port: int) -> None:
    """Everything for one machine: migrations, web and delivery. If one dies, all stop."""
    raise SystemExit(supervisor.serve(demo=demo, host=host, port=port))


@click.command("web")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True)
def web_command(host: str, port: int) -> None:
    """The web half alone."""
    from reporter import create_app
    from reporter.serving.server import run

    # A wrong setting is said here once, not by every process.
    run(host, port, create_app().config["WEB_PROCESSES"])


class Commands(FlaskGroup):
    """Flask's, with a line for the operator where that one has a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Ours, which need no application: help is also for who has set nothing yet."""
        return sorted(command.name or "" for command in COMMANDS)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (OperationalError, ProgrammingError) as error:
            reason = str(error.orig).strip().splitlines()[0]
            raise click.ClickException(
                f"the database: {reason}\nSee that it runs, and that its tables are there: "
                "reporter db upgrade"
            ) from None
        except OSError as error:
            if error.filename is None:
                raise
            raise click.ClickException(f"{error.strerror}: {error.filename}") from None


COMMANDS = (
    db_group,
    notice_group,
    outbox_group,
    serve_command,
    staff_group,
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
    for command in COMMANDS:
        group.add_command(command)
    group.main()
