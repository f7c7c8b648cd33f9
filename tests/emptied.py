"""The tests' database of PostgreSQL, emptied before each: where its tables are as they were made,
their rows alone go, in a tenth of the time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from factories import make_tables

from reporter.database.url import driver_url
from reporter.models import Base

# What of pg_stat_activity is of the tests of this process, and not ourselves.
OF_THIS_DATABASE = "datname = current_database() AND pid <> pg_backend_pid()"
# Every table and index with its columns, and every trigger.
SHAPE = sa.text("""
    SELECT md5(string_agg(line, ',' ORDER BY line)) FROM (
        SELECT concat(relname, ' ', attname, ' ', atttypid) AS line
        FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
        WHERE relnamespace = 'public'::regnamespace
        UNION ALL SELECT tgname::text FROM pg_trigger WHERE NOT tgisinternal
    ) AS lines
""")
# What the schema was like when its tables were made, in its own comment, which goes with it.
NOTED = sa.text("SELECT obj_description('public'::regnamespace)")
RESTART = sa.text("""
    SELECT setval(oid, 1, false) FROM pg_class
    WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace
""")


@contextmanager
def beside(url: str, name: str) -> Iterator[str]:
    """The URL of a further database of that server, which goes at the end."""
    there = sa.make_url(url)
    own = there.set(database=f"{there.database}_{name}")
    quoted = f'"{own.database}"'
    engine = sa.create_engine(driver_url(url), poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE IF EXISTS {quoted} WITH (FORCE)"))
        connection.execute(sa.text(f"CREATE DATABASE {quoted}"))
    yield own.render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {quoted} WITH (FORCE)"))


def empty(url: str, *, keep_tables: bool) -> None:
    """Take every row away, and the tables too, unless they may be kept and nobody changed them."""
    engine = sa.create_engine(driver_url(url), poolclass=sa.NullPool)
    with engine.begin() as connection:
        if keep_tables and _are_as_made(connection):
            for table in reversed(Base.metadata.sorted_tables):
                connection.execute(sa.delete(table))
            connection.execute(RESTART)
        else:
            connection.execute(sa.text("DROP SCHEMA public CASCADE; CREATE SCHEMA public"))


def make_tables_once(engine: sa.Engine) -> None:
    """Unless `empty` kept them."""
    if engine.dialect.name == "sqlite":
        make_tables(engine)
        return
    with engine.begin() as connection:
        if _are_as_made(connection):
            return
    make_tables(engine)
    with engine.begin() as connection:
        shape = connection.scalar(SHAPE)
        connection.execute(sa.text(f"COMMENT ON SCHEMA public IS '{shape}'"))


def _are_as_made(connection: sa.Connection) -> bool:
    noted = connection.scalar(NOTED)
    return noted is not None and noted == connection.scalar(SHAPE)
