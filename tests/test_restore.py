"""The restore of docs/restore.md: what was in the copy is there, and nothing that came after it."""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from factories import make_tables, sqlite_url

from reporter.database import Database
from reporter.models import Draft

ROOT = Path(__file__).resolve().parent.parent
NOW = datetime(2026, 11, 23, 1, 40, tzinfo=UTC)


def write(database: Database, name: str) -> None:
    with database.write() as session:
        session.add(Draft(id=name, steps={}, flags=[], created_at=NOW, updated_at=NOW))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The folder of a machine that lost its power, beside a copy that was made while it ran.

    There is the file, and what was not yet moved into it.
    """
    running = Database(sqlite_url(tmp_path / "running"))
    make_tables(running.engine)
    write(running, "before")
    file = tmp_path / "running/reporter.db"
    with sqlite3.connect(file) as source, sqlite3.connect(tmp_path / "copy.db") as target:
        source.backup(target)  # what ".backup" does, while it runs
    source.close()
    target.close()
    write(running, "after")
    home = tmp_path / "home"
    home.mkdir()
    for name in ("reporter.db", "reporter.db-wal"):
        shutil.copy(tmp_path / "running" / name, home / name)
    running.close()
    return home


def restored(home: Path) -> list[str]:
    """What is in the database of that folder."""
    database = Database(f"sqlite:///{home / 'reporter.db'}")
    try:
        assert database.examine() == ""
        with database.read() as session:
            return sorted(session.scalars(sa.select(Draft.id)))
    finally:
        database.close()


@pytest.fixture
def put_back(home: Path) -> Path:
    """Where the commands of the page put what was there, on a machine without a service."""
    page = (ROOT / "docs/restore.md").read_text(encoding="utf-8")
    commands = re.search(r"^before=.*?(?=^incident-reporter )", page, re.MULTILINE | re.DOTALL)
    assert commands
    script = commands[0].replace("/var/backups/reporter.db", str(home.parent / "copy.db"))
    script = script.replace("-o incident-reporter -g incident-reporter", "")
    subprocess.run(["sh", "-eu", "-c", script], cwd=home, check=True)
    (aside,) = home.glob("before.*")
    return aside


def test_a_copy_that_is_put_back_alone_is_what_was_copied(home: Path, put_back: Path) -> None:
    assert restored(home) == ["before"]


def test_what_was_there_is_put_aside_whole(put_back: Path) -> None:
    assert restored(put_back) == ["after", "before"]


def test_what_is_left_over_beside_it_undoes_the_restore_without_a_word(home: Path) -> None:
    """Which is why the page says to take it away."""
    shutil.copy(home.parent / "copy.db", home / "reporter.db")
    assert restored(home) == ["after", "before"]
