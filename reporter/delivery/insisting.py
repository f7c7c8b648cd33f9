"""Transactions of a worker over a database that may go away for a while."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

import structlog
from sqlalchemy.exc import SQLAlchemyError

LONGEST_PAUSE_SECONDS = 30.0  # between two tries

T = TypeVar("T")
log = structlog.get_logger(__name__)


def insist(transaction: Callable[[], T], stop: threading.Event, tries: int | None = None) -> T:
    """Run *transaction* until the database takes it.

    What a relay has accepted is so recorded after an outage, instead of being sent again. Raises
    the database's error only when told to *stop*, or after so many *tries*.
    """
    failures = 0
    while True:
        try:
            return transaction()
        except SQLAlchemyError as error:
            failures += 1
            log.error("database unavailable", error=type(error).__name__, failures=failures)
            if failures == tries or stop.wait(min(2.0 ** (failures - 1), LONGEST_PAUSE_SECONDS)):
                raise


def last_word(transaction: Callable[[], object]) -> None:
    """Once: a database that is away does not keep us from ending."""
    try:
        transaction()
    except SQLAlchemyError as error:
        log.error("database unavailable", error=type(error).__name__, failures=1)
