"""A database as an operator knows it: its name without a password, its file, the room on its disk.

A SQLite file is made on purpose alone (`create`), never by standing in the wrong folder.
"""

from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy.engine import make_url

# A report is taken until the disk has only this much left (it has to hold the write-ahead log too).
LAST_BYTES = 20_000_000


def shown(url: str) -> str:
    """What to call the database in a message, without its password."""
    file = file_of(url)
    if file:
        return f"the database {file}"
    parsed = make_url(url)
    where = f"{parsed.host or 'localhost'}{f':{parsed.port}' if parsed.port else ''}"
    return f"the database postgresql://{where}/{parsed.database or ''}"


def file_of(url: str) -> Path | None:
    """The file of a SQLite database, from the root; None for another engine."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        return None
    return Path(parsed.database).absolute()


def create(url: str) -> None:
    """Make the file of a SQLite database and its folder, for nobody else to read, where there is
    none. What PostgreSQL needs is made by whoever runs it. Raises OSError."""
    file = file_of(url)
    if file is None:
        return
    make_folder(file.parent)
    file.touch(mode=0o600)


def make_folder(folder: Path) -> None:
    """Make it and those above it, for nobody else to read, as far as they are not there."""
    for each in reversed([folder, *folder.parents]):
        each.mkdir(mode=0o700, exist_ok=True)


def identity(file: Path) -> tuple[int, int]:
    """Which file stands at that place now. Raises OSError."""
    found = os.stat(file)
    return found.st_dev, found.st_ino


def free_bytes(url: str) -> int | None:
    """The room on the disk of the database, where it is a local one, for a user that is not root;
    None where it cannot be known."""
    file = file_of(url)
    if file is None:
        return None
    try:
        found = os.statvfs(file.parent)
    except OSError:
        return None
    return found.f_bavail * found.f_frsize
