"""A look into the database that a page can do without, and that nobody is kept waiting for."""

from __future__ import annotations

import contextvars
import queue
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import NoReturn, TypeVar

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from reporter.database import at_work

PATIENCE_SECONDS = 1.0

T = TypeVar("T")


class Glances:
    """Each is waited for PATIENCE_SECONDS, and none while an earlier one still hangs."""

    def __init__(self, read: Callable[[], AbstractContextManager[Session]]) -> None:
        self._read = read
        self._late: threading.Thread | None = None

    def look(self, act: Callable[[Session], T]) -> T | None:
        """What *act* finds; None where the database does not answer, or not in time.

        It is called in another thread, in the caller's context, and may still run when we have
        gone on: it must change nothing.
        """
        if self._late and self._late.is_alive():
            return None
        found: queue.Queue[Callable[[], T | None]] = queue.Queue()
        looking = threading.Thread(
            target=contextvars.copy_context().run,
            args=(self._look, act, found),
            name="glance",
            daemon=True,
        )
        looking.start()
        try:
            with at_work.aside():
                answer = found.get(timeout=PATIENCE_SECONDS)
        except queue.Empty:
            self._late = looking
            return None
        return answer()

    def _look(
        self, act: Callable[[Session], T], found: queue.Queue[Callable[[], T | None]]
    ) -> None:
        try:
            with self._read() as session:
                result = act(session)
        except SQLAlchemyError:
            found.put(lambda: None)
        except Exception as error:
            found.put(partial(_raise, error))
        else:  # the connection is given back by now
            found.put(lambda: result)


def _raise(error: Exception) -> NoReturn:
    """A fault of ours is the caller's to see."""
    raise error
