"""Bringing the database's tables up to date."""

from __future__ import annotations

from typing import Any

import click
import sqlalchemy as sa
from flask import Flask

from reporter.database import Database
from reporter.database import file as database_file
from reporter.extensions import migrations
from reporter.operations import condition


def upgrade(app: Flask) -> None:
    """Run what migrations are left, all or none. Safe to run from several machines at once.

    A SQLite file that is not there yet is made. Raises OSError where it cannot be, and
    click.ClickException where the tables are those of a newer version.
    """
    upgrade_database(app.config["DATABASE_URL"], app.config["ALEMBIC_CONTEXT"])


def upgrade_database(url: str, context: dict[str, Any]) -> None:
    """As `upgrade`, for the database at *url*.

    A batch migration on SQLite drops and rebuilds tables, which with foreign keys on would
    cascade into the tables that refer to them: they are off meanwhile, and checked at the end.
    """
    database_file.create(url)
    database = Database(url, foreign_keys=False)
    # An application of its own, which serves nobody: the extension keeps its engine for good.
    app = Flask("reporter", static_folder=None)
    app.config["ALEMBIC_CONTEXT"] = context
    app.extensions["sqlalchemy"] = database
    alembic = migrations()
    alembic.init_app(app)
    try:
        with app.app_context(), _one_at_a_time(database):
            with database.read() as session:
                if condition.is_newer(session):
                    raise click.ClickException(f"{database_file.shown(url)} {condition.NEWER}")
            alembic.upgrade()
        _check_foreign_keys(database)
    finally:
        database.close()


class _one_at_a_time:  # noqa: N801 (reads as the statement it is)
    """A lock on PostgreSQL while another process may migrate too; SQLite has one writer."""

    def __init__(self, database: Database) -> None:
        self.engine = database.engine

    def __enter__(self) -> None:
        self.connection = self.engine.connect()
        if self.engine.dialect.name == "postgresql":
            self.connection.execute(sa.text("SELECT pg_advisory_lock(hashtext('reporter'))"))

    def __exit__(self, *error: object) -> None:
        self.connection.invalidate()  # closing the session is what frees the lock
        self.connection.close()


def _check_foreign_keys(database: Database) -> None:
    if database.engine.dialect.name != "sqlite":
        return
    with database.read() as session:
        broken = session.execute(sa.text("PRAGMA foreign_key_check")).all()
    if broken:
        raise RuntimeError(f"a migration left {len(broken)} rows that refer to nothing")
