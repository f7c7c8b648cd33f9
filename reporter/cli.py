"""The commands. Each also hangs off `flask --app reporter`."""

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click
from flask import Flask
from flask.cli import AppGroup, FlaskGroup, ScriptInfo

if TYPE_CHECKING:
    from reporter.delivery.repeating import Duties

# Each in its own module, which is loaded when the command is asked for.
COMMANDS = {
    "check": "reporter.operations.commands:check_command",
    "db": "reporter.serving.commands:db_group",
    "notice": "reporter.notices.commands:notice_group",
    "outbox": "reporter.delivery.commands:outbox_group",
    "person": "reporter.operations.commands:person_group",
    "purge": "reporter.operations.commands:purge_command",
    "report": "reporter.operations.commands:report_group",
    "serve": "reporter.serving.commands:serve_command",
    "staff": "reporter.staff.commands:staff_group",
    "status": "reporter.operations.commands:status_command",
    "web": "reporter.serving.commands:web_command",
    "worker": "reporter.serving.commands:worker_command",
}
# Known to `flask` without the application, which they start or set up themselves.
WITHOUT_APPLICATION = ("serve", "web")
START_OBJECTS = 100_000


def load(name: str) -> click.Command:
    """The command of that name."""
    import_module("reporter.logs")  # before whoever logs
    module, _, attribute = COMMANDS[name].partition(":")
    command: click.Command = getattr(import_module(module), attribute)
    return command


class AppCommands(AppGroup):
    """What `flask` finds in the application."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for name in COMMANDS if name not in WITHOUT_APPLICATION]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        return load(name) if name in self.list_commands(ctx) else None


def init_app(app: Flask) -> None:
    from reporter.delivery.repeating import duties_of

    app.cli = AppCommands(app.name)
    duties_of(app).to_add.append(_add_duties)


def _add_duties(duties: Duties) -> None:
    from reporter.desk import promises
    from reporter.reports.lesser import lesser_form

    duties.lesser = lesser_form
    duties.repeated += promises.DUTIES


class Commands(FlaskGroup):
    """Flask's, with a line for the operator where that one has a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Ours, which need no application: help is also for who has set nothing yet."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        return load(name) if name in COMMANDS else None

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except OSError as error:
            if error.filename is None:
                raise
            raise click.ClickException(f"{error.strerror}: {error.filename}") from None
        except Exception as error:
            failed = _database_failed(ctx, error)
            if failed is None:
                raise
            raise click.ClickException(failed) from None


def _database_failed(ctx: click.Context, error: Exception) -> str | None:
    """What the operator is told of an error of the database; None where it is another's."""
    from sqlalchemy.exc import DBAPIError

    from reporter.database import file as database_file
    from reporter.operations import condition

    if not isinstance(error, DBAPIError):
        return None
    url: str = ctx.ensure_object(ScriptInfo).load_app().config["DATABASE_URL"]
    if missing := condition.not_there(url):
        return missing
    reason = condition.reason(error)
    shown = database_file.shown(url)
    if "no such table" in reason or "does not exist" in reason:
        return f"{shown} has not our tables: reporter db upgrade"
    return f"{shown}: {reason}"


def main() -> None:
    """The console script."""
    from reporter import create_app
    from reporter.logs import take_no_warnings

    take_no_warnings()

    if os.getpid() == 1:  # of a container: no signal ends it that it does not handle
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    # What is loaded at the start stays: looked through for garbage again and again, and once more
    # at the end, it costs a quarter of a command. Whoever stays says when it `has_started`.
    gc.set_threshold(START_OBJECTS)
    atexit.register(gc.freeze)
    group = Commands(
        name="reporter",
        help="Incident Reporter: a customer's incident as one structured ticket mail.",
        create_app=partial(create_app, pages=False),
        add_default_commands=False,
        add_version_option=False,
        load_dotenv=False,
        set_debug_flag=False,
    )
    group.params.clear()  # the flask command's: which application, which .env file
    version = click.version_option(package_name="incident-reporter", prog_name="Incident Reporter")
    version(group).main()
