"""A connection to PostgreSQL that never waits for ever.

The server's own limits (`OPTIONS`) end what it does slowly. A server that is frozen, or a machine
that is gone, does nothing at all: there the client stops waiting by itself, for a page after less
(`patience`).
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Generator
from typing import Any, TypeVar

import psycopg
import sqlalchemy as sa
from psycopg.abc import PQGen
from psycopg.waiting import READY_R

from reporter.database import patience

T = TypeVar("T")

CONNECT_SECONDS = 3
PAGE_CONNECT_SECONDS = 2  # the least that there is
STATEMENT_SECONDS = 8
LOCK_SECONDS = 3
# Over what the server itself takes to give up.
SILENCE_SECONDS = 10.0
# To say that it is there still, for a connection that was idle; else a page asks for another.
GREETING_SECONDS = 1.0

OPTIONS: dict[str, Any] = {
    "connect_timeout": CONNECT_SECONDS,
    # A plan for each statement, and not for each of its values: to see how those are spread the
    # planner looks at the ends of an index, which takes longer than the statements that we repeat.
    "options": f"-c statement_timeout={STATEMENT_SECONDS}s -c lock_timeout={LOCK_SECONDS}s"
    " -c plan_cache_mode=force_generic_plan",
    "tcp_user_timeout": int(SILENCE_SECONDS * 1000),
}

Silence = psycopg.errors.ConnectionTimeout


class ImpatientConnection(psycopg.Connection[Any]):
    """psycopg's, which is closed after SILENCE_SECONDS without an answer.

    Shows as psycopg.OperationalError, as does a connection that breaks.
    """

    is_idle = False  # it has been in the pool, and has said nothing since

    def wait(self, gen: PQGen[T], *arguments: Any, **options: Any) -> T:
        return super().wait(self._limited(gen), *arguments, **options)

    def _limited(self, gen: PQGen[T]) -> Generator[Any, Any, T]:
        """*gen* with an end. psycopg wakes it several times a second with nothing that is ready."""
        seconds = patience.limit(SILENCE_SECONDS)
        if self.is_idle and patience.is_a_page():
            seconds = min(seconds, GREETING_SECONDS)
        began = time.monotonic()
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if ready & READY_R:
                    self.is_idle = False
                elif not ready and time.monotonic() - began > seconds:
                    self.pgconn.finish()
                    raise psycopg.OperationalError(
                        f"PostgreSQL has not answered for {seconds:.0f} s"
                    )
                wanted = gen.send(ready)
        except StopIteration as ended:
            result: T = ended.value
            return result
        finally:
            patience.spend(time.monotonic() - began)


def connect(*arguments: Any, **options: Any) -> ImpatientConnection:
    """What the URL says of our OPTIONS comes first. Raises Silence where nobody answers."""
    if patience.is_a_page():
        options = {"connect_timeout": PAGE_CONNECT_SECONDS} | options
    try:
        return ImpatientConnection.connect(*arguments, **OPTIONS | options)
    except psycopg.OperationalError as error:
        _let_go(error)
        raise


def _let_go(error: BaseException | None) -> None:
    """Of what psycopg's frames hold: a connection that was given up is closed now, and not when
    garbage is next looked for. To a server that goes on, each that is open is a client."""
    while error:
        traceback.clear_frames(error.__traceback__)
        error = error.__context__


def prepare(engine: sa.Engine, breaker: patience.Breaker) -> None:
    """Have the *engine* connect so, and the *breaker* know of a server that says nothing."""

    @sa.event.listens_for(engine, "do_connect")
    def reach(dialect: Any, record: Any, arguments: list[Any], options: dict[str, Any]) -> Any:
        breaker.check()
        try:
            return connect(*arguments, **options)
        except Silence:
            breaker.open()
            raise

    @sa.event.listens_for(engine, "checkin")
    def doubt(connection: Any, record: Any) -> None:
        if connection:
            connection.is_idle = True


def ask(engine: sa.Engine) -> None:
    """Whether it says anything soon, be it no. Raises psycopg.OperationalError if not."""
    arguments, options = engine.dialect.create_connect_args(engine.url)
    began = time.monotonic()
    try:
        connect(*arguments, **options).close()
    except psycopg.OperationalError as error:
        if isinstance(error, Silence) or time.monotonic() - began > GREETING_SECONDS:
            raise
