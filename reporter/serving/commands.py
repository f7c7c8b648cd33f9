"""What serves, as commands, and the tables that it needs."""

from __future__ import annotations

import signal
import threading

import click
from flask import Flask, current_app
from flask.cli import AppGroup, with_appcontext

PORT = click.IntRange(1, 65_535)


class DatabaseGroup(AppGroup):
    """With the one command that is somewhere else."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), "copy"])

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name == "copy":
            from reporter.operations.commands import copy_command

            return copy_command
        return super().get_command(ctx, name)


db_group = DatabaseGroup("db", help="The database.")


@db_group.command("upgrade")
def upgrade_command() -> None:
    """Run the migrations that are left."""
    from reporter.database import file as database_file
    from reporter.serving.migrate import upgrade

    upgrade(current_app._get_current_object())  # type: ignore[attr-defined]
    shown = database_file.shown(current_app.config["DATABASE_URL"])
    click.echo(f"{shown[0].upper()}{shown[1:]} has the tables of this version.")


@click.command("serve")
@click.option("--demo", is_flag=True, help="With settings that just work, and an inbox at /inbox.")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, type=PORT, show_default=True)
def serve_command(demo: bool, host: str, port: int) -> None:
    """Everything for one machine: migrations, web and delivery. If one dies, all stop."""
    from reporter.serving.one_machine import serve

    serve(demo=demo, host=host, port=port)


@click.command("web")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, type=PORT, show_default=True)
@click.option("--beside", is_flag=True, hidden=True, help="One more process of those that serve.")
def web_command(host: str, port: int, beside: bool) -> None:
    """The web half alone."""
    from reporter import create_app
    from reporter.serving.memory import be_thrifty
    from reporter.serving.server import check_address, run

    be_thrifty()

    # A wrong setting is said here once, not by every process.
    app = create_app()
    if not beside:
        check_address(host, port)
    require_tables(app)
    run(app, host, port, 1 if beside else app.config["WEB_PROCESSES"], beside=beside)


@click.command("worker")
@click.option("--once", is_flag=True, help="Send what is due and end.")
@with_appcontext
def worker_command(once: bool) -> None:
    """Send the mails of the outbox, until told to stop.

    TERM and INT let the mail in hand be finished first.
    """
    from reporter.delivery import worker
    from reporter.serving.memory import be_thrifty, has_started

    be_thrifty()
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    require_tables(app)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        # In a thread: the handler may interrupt a moment in which the event is locked.
        signal.signal(number, lambda *_: threading.Thread(target=stop.set).start())
    has_started()
    worker.run(app, once=once, stop=stop)


def require_tables(app: Flask) -> None:
    """Raises click.ClickException where the database has not our tables.

    One that does not answer is waited for: it may be what is down.
    """
    from reporter.operations import condition

    if missing := condition.not_there(app.config["DATABASE_URL"]):
        raise click.ClickException(missing)
    finding = condition.examine(app)
    if finding and finding.key == "migrations":
        raise click.ClickException(finding.words)
