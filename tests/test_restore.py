"""The restore of docs/restore.md: what was in the copy is there, and nothing that came after it."""

from __future__ import annotations

import shutil
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from factories import make_tables, sqlite_url

from reporter.database import Database
from reporter.models import Draft

ROOT = Path(__file__).resolve().parent.parent
NOW = datetime(2026, 11, 23, 1, 40, tzinfo=UTC)


def write(database: Database, name: str) -> None:
    with database.write() as session:
        session.add(Draft(id=name, steps={}, flags=[], created_at=NOW, updated_at=NOW))


def test_a_copy_that_is_put_back_alone_is_what_was_copied(tmp_path: Path) -> None:
    running = Database(sqlite_url(tmp_path / "running"))
    make_tables(running.engine)
    write(running, "before")
    file, copy = tmp_path / "running/reporter.db", tmp_path / "copy.db"
    with sqlite3.connect(file) as source, sqlite3.connect(copy) as target:
        source.backup(target)  # what ".backup" does, while it runs
    write(running, "after")
    # What a machine that lost its power leaves: the file, and what was not yet moved into it.
    home = tmp_path / "home"
    home.mkdir()
    for name in ("reporter.db", "reporter.db-wal"):
        shutil.copy(tmp_path / "running" / name, home / name)
    running.close()
    (home / "reporter.db").rename(home / "reporter.db.before")
    (home / "reporter.db-wal").unlink()
    shutil.copy(copy, home / "reporter.db")

    restored = Database(f"sqlite:///{home / 'reporter.db'}")
    with restored.read() as session:
        assert session.scalars(sa.select(Draft.id)).all() == ["before"]
        assert session.scalar(sa.text("PRAGMA integrity_check")) == "ok"
    restored.close()


def test_the_page_says_to_take_away_what_would_undo_it() -> None:
    page = (ROOT / "docs/restore.md").read_text(encoding="utf-8")
    assert (
        page.index("mv reporter.db reporter.db.before")
        < page.index("rm -f reporter.db-wal reporter.db-shm")
        < page.index("install -m 600 -o incident-reporter")
    )
