"""Passwords: what is too easy to guess, and scrypt as Werkzeug has it.

One check takes 32 MB, so only a few are made at once in one process. That an address is unknown
takes as long to say as that its password is wrong.
"""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from werkzeug.security import check_password_hash, generate_password_hash

from reporter.database import at_work

LEAST_CHARACTERS = 12
AT_ONCE = 2
WAIT_SECONDS = 5.0

# Of the lists of passwords found in breaches, those long enough to be taken, and their kind.
COMMON = frozenset(
    Path(__file__).with_name("common-passwords.txt").read_text(encoding="utf-8").split()
)

_few = threading.BoundedSemaphore(AT_ONCE)


class Busy(Exception):
    """Too many are signing in at this moment."""


def is_common(password: str) -> bool:
    """Whether it is among the first that somebody would try."""
    plain = password.casefold()
    return plain in COMMON or len(set(plain)) == 1


def hashed(password: str) -> str:
    """Raises Busy."""
    with _turn():
        return generate_password_hash(_normal(password))


def matches(password_hash: str | None, password: str) -> bool:
    """Whether it is that password; never without a hash, which takes as long. Raises Busy."""
    with _turn():
        right = check_password_hash(password_hash or _nobodys(), _normal(password))
    return right and password_hash is not None


@contextmanager
def _turn() -> Iterator[None]:
    with at_work.aside():
        if not _few.acquire(timeout=WAIT_SECONDS):
            raise Busy
        try:
            yield
        finally:
            _few.release()


def _normal(password: str) -> str:
    """The same however a keyboard composes it (NIST SP 800-63B, section 3.1.1.2)."""
    return unicodedata.normalize("NFKC", password)


@cache
def _nobodys() -> str:
    return generate_password_hash("nobody has this one")
