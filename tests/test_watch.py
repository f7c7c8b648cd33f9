"""The web half tells of trouble that no worker could tell of: once, and of its end."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from customers import Customer
from factories import SETTINGS, make_tables, sqlite_url
from flask import Flask
from servers import AlarmServer, alarm_server
from sqlalchemy.exc import DatabaseError

from reporter import create_app
from reporter.database import Database
from reporter.database import file as database_file
from reporter.delivery import beats, clock
from reporter.models import Draft
from reporter.operations import condition, limits, place, status, watch
from reporter.operations.watch import EXAMINED_EVERY, LOOK_SECONDS, Watch

NOW = datetime(2026, 11, 23, 1, 40, tzinfo=UTC)
DAMAGED_AT = 40  # the page of the file that is overwritten


class Watched:
    """A machine that serves, and the channel that its web half tells."""

    def __init__(self, app: Flask, alarms: AlarmServer, told: Path | None = None) -> None:
        self.app, self.alarms, self.told = app, alarms, told
        self.database: Database = app.extensions["sqlalchemy"]
        self.watch = Watch(app, told)
        self.now = NOW

    def looks(self, times: int = 1) -> list[str]:
        """So many looks; what was told meanwhile."""
        before = len(self.alarms.taken)
        for _ in range(times):
            self.watch.step(self.now)
            self.now += timedelta(seconds=LOOK_SECONDS)
        return [alarm["message"] for alarm in self.alarms.taken[before:]]

    def beat(self) -> None:
        with self.database.write() as session:
            beats.beat(session, beats.Worker("one", "host", "1", NOW), self.now)

    def restarted(self) -> Watched:
        again = Watched(self.app, self.alarms, self.told)
        again.now = self.now
        return again


@pytest.fixture
def alarms() -> Iterator[AlarmServer]:
    with alarm_server() as alarms:
        yield alarms


@pytest.fixture
def watched(tmp_path: Path, alarms: AlarmServer) -> Iterator[Watched]:
    """One that is well, and has a worker whose beat does not end."""
    settings = {"DATABASE_URL": sqlite_url(tmp_path), "ALARM_URLS": [alarms.url]}
    app = create_app({**SETTINGS, **settings, "MIN_FREE_BYTES": 0})
    make_tables(app.extensions["sqlalchemy"].engine)
    watched = Watched(app, alarms, tmp_path / "told")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("reporter.operations.watch.beats", lambda session, now: ["one"])
        yield watched
    app.extensions["sqlalchemy"].close()


@pytest.fixture
def without_worker(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> Watched:
    monkeypatch.setattr("reporter.operations.watch.beats", beats.beats)
    return watched


def test_that_no_worker_beats_is_told_once_and_so_is_its_end(without_worker: Watched) -> None:
    assert without_worker.looks() == []  # one may just be starting
    assert without_worker.looks(4) == ["no worker is running: nothing is sent"]
    without_worker.beat()
    assert without_worker.looks(3) == ["worker: all is well again, after 1 min"]


@pytest.mark.parametrize("off", [-3_600, 3_600])
def test_a_worker_lives_by_the_clock_that_workers_share(
    without_worker: Watched, monkeypatch: pytest.MonkeyPatch, off: int
) -> None:
    """Whatever this machine's says: nobody is told that none runs, nor that one does."""
    theirs = timedelta(seconds=off)
    monkeypatch.setattr(clock, "behind", lambda database: theirs)
    without_worker.now += theirs
    without_worker.beat()
    without_worker.now -= theirs
    assert without_worker.looks(2) == []
    assert status.look(without_worker.app, without_worker.now - timedelta(seconds=30)).workers
    assert without_worker.looks(3) == ["no worker is running: nothing is sent"]


def test_a_trouble_that_pauses_for_one_look_is_one(without_worker: Watched) -> None:
    assert len(without_worker.looks(2)) == 1
    without_worker.beat()
    assert without_worker.looks() == []
    with without_worker.database.write() as session:
        beats.end(session, beats.Worker("one", "host", "1", NOW))
    assert without_worker.looks(3) == []
    without_worker.beat()
    assert without_worker.looks(2) == ["worker: all is well again, after 2 min"]


def test_a_worker_that_is_restarted_is_no_alarm(without_worker: Watched) -> None:
    without_worker.looks()
    without_worker.beat()
    assert without_worker.looks(3) == []


def test_a_database_that_is_away_is_told_once_and_so_is_its_end(
    watched: Watched, tmp_path: Path
) -> None:
    file, elsewhere = tmp_path / "reporter.db", tmp_path / "elsewhere"
    file.rename(elsewhere)
    [told] = watched.looks(4)
    assert told.startswith(f"the database {file} does not exist")
    elsewhere.rename(file)
    assert watched.looks(3) == ["database: all is well again, after 1 min"]


def test_a_disk_that_can_only_be_read_is_told_and_shows_what_it_has(watched: Watched) -> None:
    """As a kernel leaves it that has found a fault in it: SQLite says the same of both."""
    customer = Customer(watched.app, "en")
    customer.fill_all()
    engine, only_reads = watched.database.engine, "PRAGMA query_only = ON"
    watched.database.close()  # the connections of before
    sa.event.listen(engine, "connect", listener := lambda each, _: each.execute(only_reads))
    page = customer.submit()
    assert page.status == 503
    assert "Send again" in page.text
    assert Customer(watched.app).open("/").status == 200
    [told] = watched.looks(4)
    assert "attempt to write a readonly database" in told
    assert not watched.database.breaker.is_open  # it does answer
    sa.event.remove(engine, "connect", listener)
    watched.database.close()  # the connections of before
    watched.now += timedelta(minutes=5)
    [over] = watched.looks(3)
    assert over.startswith("database: all is well again")
    assert customer.submit().status == 200


def test_who_goes_on_in_place_of_who_watched_knows_what_was_told(
    watched: Watched, tmp_path: Path
) -> None:
    """Also of what no database can keep, as it is the one that is away."""
    file, elsewhere = tmp_path / "reporter.db", tmp_path / "elsewhere"
    file.rename(elsewhere)
    assert len(watched.looks(2)) == 1
    other = watched.restarted()
    assert other.looks(3) == []
    elsewhere.rename(file)
    assert other.restarted().looks(3) == ["database: all is well again, after 1 min"]
    assert other.restarted().looks(3) == []


def test_a_server_that_is_away_is_told_without_its_password(alarms: AlarmServer) -> None:
    url = "postgresql://reporter:sesame@127.0.0.1:1/reports"
    app = create_app({**SETTINGS, "DATABASE_URL": url, "ALARM_URLS": [alarms.url]})
    [told] = Watched(app, alarms).looks(2)
    assert told.startswith("the database postgresql://127.0.0.1:1/reports: ")
    assert "sesame" not in told
    app.extensions["sqlalchemy"].close()


def test_a_disk_that_fills_is_told_and_then_that_it_is_full(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two troubles of their own: neither waits for the other."""
    watched.app.config["MIN_FREE_BYTES"] = 200_000_000
    free = [199_000_000]
    monkeypatch.setattr(database_file, "free_bytes", lambda url: free[0])
    [low] = watched.looks(3)
    assert low.endswith("199 MB are free: no file is taken any more")
    free[0] = 19_000_000
    [full] = watched.looks(3)
    assert full.endswith("its disk has 19 MB left, too few for a report")
    free[0] = 300_000_000
    ended = watched.looks(3)
    assert sorted(line.partition(":")[0] for line in ended) == ["disk", "room"]
    free[0] = 19_000_000  # once more
    assert len(watched.looks(3)) == 2


def test_one_kind_of_trouble_keeps_no_other_back(without_worker: Watched, tmp_path: Path) -> None:
    assert len(without_worker.looks(2)) == 1
    (tmp_path / "reporter.db").rename(tmp_path / "elsewhere")
    [told] = without_worker.looks(2)
    assert "does not exist" in told


def test_that_a_worker_runs_again_is_not_said_while_nobody_can_know(
    without_worker: Watched, tmp_path: Path
) -> None:
    without_worker.looks(2)
    (tmp_path / "reporter.db").rename(tmp_path / "elsewhere")
    assert [line for line in without_worker.looks(4) if line.startswith("worker")] == []
    (tmp_path / "elsewhere").rename(tmp_path / "reporter.db")
    assert without_worker.looks(3) == ["database: all is well again, after 1 min"]


def test_tables_of_another_version_are_told(watched: Watched) -> None:
    with watched.database.read() as session:
        [at_head] = session.scalars(sa.text("SELECT version_num FROM alembic_version"))
    with watched.database.write() as session:
        session.execute(sa.text("UPDATE alembic_version SET version_num = 'before'"))
    [told] = watched.looks(3)
    assert told.endswith(condition.NEWER)
    with watched.database.write() as session:
        session.execute(sa.text("UPDATE alembic_version SET version_num = :it"), {"it": at_head})
    assert watched.looks(3) == ["migrations: all is well again, after 1 min"]


def damage(watched: Watched, file: Path) -> None:
    """Overwrite a page that customers' drafts are kept in."""
    with watched.database.write() as session:
        for number in range(200):
            row = Draft(id=f"{number:03}", flags=[], created_at=NOW, updated_at=NOW)
            row.steps = {"failure": {"summary": ["x" * 2000]}}
            session.add(row)
    with watched.database.engine.connect() as connection:
        size = connection.exec_driver_sql("PRAGMA page_size").scalar()
        root = connection.exec_driver_sql(
            "SELECT rootpage FROM sqlite_master WHERE name = 'draft'"
        ).scalar()
        connection.exec_driver_sql("ROLLBACK")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    watched.database.engine.dispose()
    assert size
    assert root
    with file.open("r+b") as raw:
        raw.seek((root - 1) * size)
        raw.write(b"\xff" * size)


def test_a_page_that_somebody_finds_damaged_is_told_and_only_once(
    watched: Watched, tmp_path: Path
) -> None:
    damage(watched, tmp_path / "reporter.db")
    assert watched.looks(2) == []  # nobody has read it yet, and a report can be kept
    with pytest.raises(DatabaseError), watched.database.read() as session:
        session.scalars(sa.select(Draft)).all()
    [told] = watched.looks(4)
    assert "is damaged, restore a backup: database disk image is malformed" in told


def test_a_page_that_nobody_reads_is_found_damaged_within_a_day(
    watched: Watched, tmp_path: Path
) -> None:
    damage(watched, tmp_path / "reporter.db")
    watched.looks()
    watched.now += EXAMINED_EVERY
    [told] = watched.looks(2)
    assert "is damaged, restore a backup" in told
    assert len(watched.restarted().looks(4)) == 0  # it still is, and was told


@pytest.mark.parametrize(
    ("is_damaged_too", "told"), [(False, ["damage: all is well again, after 0 min"]), (True, [])]
)
def test_that_a_backup_was_put_in_the_place_of_a_damaged_file_is_told(
    watched: Watched, tmp_path: Path, is_damaged_too: bool, told: list[str]
) -> None:
    """What is noted in a file goes with it, and the backup knows nothing of it."""
    file, backup = tmp_path / "reporter.db", tmp_path / "backup"
    if is_damaged_too:
        damage(watched, file)
    with watched.database.engine.connect() as connection:
        connection.exec_driver_sql("ROLLBACK")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(file, backup)
    if not is_damaged_too:
        damage(watched, file)
    with pytest.raises(DatabaseError), watched.database.read() as session:
        session.scalars(sa.select(Draft)).all()
    assert len(watched.looks(2)) == 1
    watched.database.close()
    for beside in ("reporter.db-wal", "reporter.db-shm"):  # as docs/restore.md says
        (tmp_path / beside).unlink(missing_ok=True)
    backup.replace(file)
    settings = {"ALARM_URLS": [watched.alarms.url], "DATABASE_URL": sqlite_url(tmp_path)}
    watched.app = create_app({**SETTINGS, **settings, "MIN_FREE_BYTES": 0})
    again = watched.restarted()
    assert again.looks(3) == told
    assert again.looks(3) == []
    again.database.close()


def test_what_is_over_while_nobody_looked_is_told_by_whoever_looks_next(
    without_worker: Watched,
) -> None:
    """The web half was restarted meanwhile; and the next time is told again."""
    without_worker.looks(2)
    again = without_worker.restarted()
    assert again.looks(2) == []
    again = again.restarted()
    again.beat()
    assert again.looks(2) == ["worker: all is well again, after 1 min"]
    again.now += timedelta(minutes=5)
    assert again.looks(2) == ["no worker is running: nothing is sent"]


def test_two_machines_tell_once(without_worker: Watched) -> None:
    other = without_worker.restarted()
    told = [*without_worker.looks(), *other.looks(), *without_worker.looks(), *other.looks()]
    assert told == ["no worker is running: nothing is sent"]
    without_worker.beat()
    told = [line for _ in range(3) for each in (without_worker, other) for line in each.looks()]
    assert told == ["worker: all is well again, after 0 min"]


def test_what_no_channel_takes_is_told_again(without_worker: Watched) -> None:
    without_worker.alarms.status = 503
    assert without_worker.looks(3) == []
    without_worker.alarms.status = 200
    assert without_worker.looks(3) == ["no worker is running: nothing is sent"]
    without_worker.beat()
    without_worker.alarms.status = 503  # nor is its end lost
    assert without_worker.looks(3) == []
    without_worker.alarms.status = 200
    without_worker.beat()
    (told,) = without_worker.restarted().looks(3)
    assert told.startswith("worker: all is well again")
    assert without_worker.looks(3) == []


def test_a_redis_that_is_away_is_told_once_and_so_is_its_end(watched: Watched) -> None:
    watched.app.config["RATELIMIT_STORAGE_URI"] = "redis://:sesame@127.0.0.1:1"
    [told] = watched.looks(4)
    assert told.startswith("what counts the limits does not answer")
    assert "sesame" not in told
    assert limits.AWAY in status.look(watched.app, NOW).troubles
    watched.app.config["RATELIMIT_STORAGE_URI"] = "memory://"
    assert watched.looks(3) == ["limits: all is well again, after 1 min"]


def test_the_log_says_once_what_no_channel_takes(
    without_worker: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    for level in ("error", "info"):
        monkeypatch.setattr(watch.log, level, lambda what, **_: said.append(what))
    without_worker.alarms.status = 503
    without_worker.looks(5)
    assert said == ["trouble"]
    without_worker.alarms.status = 200
    without_worker.looks()
    without_worker.alarms.status = 503
    without_worker.beat()
    without_worker.looks(5)
    assert said == ["trouble", "trouble over"]


def test_what_was_told_is_kept_where_a_restart_of_the_unit_leaves_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    url = "postgresql://database.example/reporter"
    monkeypatch.setenv("STATE_DIRECTORY", f"{tmp_path}:/elsewhere")
    assert place.file_of(url).parent == tmp_path
    monkeypatch.delenv("STATE_DIRECTORY")
    assert place.file_of(url).parent == Path(tempfile.gettempdir())


@pytest.mark.parametrize("text", ["", "[]", '{"database": 5}', '{"database": "soon"}', "\x00"])
def test_what_is_no_note_of_ours_tells_nothing(tmp_path: Path, text: str) -> None:
    file = tmp_path / "place"
    file.write_text(text)
    assert place.told(file) == {}


def test_what_somebody_else_has_put_there_is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "place"
    place.leave(file, {"database": datetime(2026, 11, 23, tzinfo=UTC)})
    assert place.told(file)
    monkeypatch.setattr(place.os, "getuid", lambda: 4_000_000)
    assert place.told(file) == {}
    assert place.take(file)
    place.leave(file, {})
    monkeypatch.undo()
    assert place.told(file)
