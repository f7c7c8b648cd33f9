"""Learning of a new mail at once: from PostgreSQL by NOTIFY, from SQLite by a look at its file.

Neither is relied upon: what nobody told of is found by looking a little later.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from reporter.database import Database
from reporter.database.transaction import is_postgresql

CHANNEL = "reporter_outbox"
# How often the file is looked at, which costs some microseconds.
GLANCE_SECONDS = 0.1
# A connection that listens has this long to say that it was told to stop.
LISTEN_SECONDS = 0.5
LISTEN_AGAIN_SECONDS = 5.0


def tell(session: Session) -> None:
    """Tell whoever waits for mails that there is one, once the transaction is committed.

    On SQLite the commit itself can be seen.
    """
    if is_postgresql(session):
        session.execute(sa.select(sa.func.pg_notify(CHANNEL, "")))


@contextmanager
def told(database: Database, wake: Callable[[], None]) -> Iterator[None]:
    """Have *wake* called, from another thread, when there may be a new mail."""
    over = threading.Event()
    watch = _listen if database.engine.dialect.name == "postgresql" else _glance
    thread = threading.Thread(target=watch, args=(database, wake, over), name="wake", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(2 * LISTEN_SECONDS)


def _glance(database: Database, wake: Callable[[], None], over: threading.Event) -> None:
    """A number that changes with each commit of any other connection, in any process.

    https://www.sqlite.org/pragma.html#pragma_data_version
    """
    before: int | None = None
    while not over.is_set():
        with suppress(SQLAlchemyError), database.engine.connect() as connection:
            driver = connection.connection.driver_connection
            while driver is not None and not over.wait(GLANCE_SECONDS):
                now = driver.execute("PRAGMA data_version").fetchone()[0]
                if now != before:
                    before = now
                    wake()
        over.wait(LISTEN_AGAIN_SECONDS)


def _listen(database: Database, wake: Callable[[], None], over: threading.Event) -> None:
    import psycopg

    address = database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    while not over.is_set():
        with suppress(psycopg.Error), psycopg.connect(address, autocommit=True) as connection:
            connection.execute(f"LISTEN {CHANNEL}")
            while not over.is_set():
                for _ in connection.notifies(timeout=LISTEN_SECONDS):
                    wake()
        over.wait(LISTEN_AGAIN_SECONDS)
