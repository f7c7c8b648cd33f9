"""For whoever watches the service."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory
from factories import SETTINGS, sqlite_url
from flask import Flask

from reporter import create_app
from reporter.database import Database
from reporter.database import file as database_file
from reporter.operations import condition
from reporter.serving.migrate import upgrade


@pytest.fixture(autouse=True)
def asked_afresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(condition, "FRESH_SECONDS", 0.0)


@pytest.fixture
def make_ready(make_app: Callable[..., Flask]) -> Callable[..., Flask]:
    def make(**settings: object) -> Flask:
        app = make_app(**settings)
        upgrade(app)
        return app

    return make


def readiness(app: Flask) -> tuple[int, object]:
    response = app.test_client().get("/readyz")
    return response.status_code, (response.json or {}).get("because")


def test_alive_says_nothing_of_the_database(make_app: Callable[..., Flask]) -> None:
    response = make_app().test_client().get("/healthz")
    assert (response.status_code, response.json) == (200, {"status": "ok"})


def test_alive_is_said_again_without_asking_the_pages(make_app: Callable[..., Flask]) -> None:
    """But to who proves to be `check`, and to who asks in another way."""
    app = make_app()
    client = app.test_client()
    first = client.get("/healthz")
    assert "Content-Security-Policy" in first.headers
    app.view_functions["health.healthz"] = lambda: ("asked", 418)
    again = client.get("/healthz")
    assert (again.status_code, again.data, [*again.headers]) == (200, first.data, [*first.headers])
    assert client.get("/healthz", headers={"X-Reporter-Check": "x"}).status_code == 418
    assert client.post("/healthz").status_code == 405


def test_ready_is_when_a_report_can_be_kept(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    assert readiness(app) == (503, "migrations")
    upgrade(app)
    response = app.test_client().get("/readyz")
    assert (response.status_code, response.json) == (200, {"status": "ok"})


def test_tables_of_another_version_are_not_ready(make_ready: Callable[..., Flask]) -> None:
    app = make_ready()
    assert readiness(app) == (200, None)
    with app.extensions["sqlalchemy"].write() as session:
        session.execute(sa.text("UPDATE alembic_version SET version_num = 'before'"))
    assert readiness(app) == (503, "migrations")


def test_ready_is_found_out_by_writing(make_ready: Callable[..., Flask]) -> None:
    app = make_ready()
    with app.extensions["sqlalchemy"].write() as session:
        session.execute(sa.text("DROP TABLE last_done"))
    assert readiness(app) == (503, "database")


def test_it_is_written_once_however_many_ask(
    make_ready: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(condition, "FRESH_SECONDS", 1000.0)
    app = make_ready()
    found = []
    monkeypatch.setattr(condition, "examine", lambda app: found.append(app))
    assert {app.test_client().get("/readyz").status_code for _ in range(10)} == {200}
    assert len(found) == 1


@pytest.fixture
def on_sqlite(tmp_path: Path) -> Flask:
    app = create_app({**SETTINGS, "DATABASE_URL": sqlite_url(tmp_path)})
    upgrade(app)
    assert readiness(app) == (200, None)
    return app


@pytest.mark.parametrize("replaced", [False, True], ids=["deleted", "replaced"])
def test_a_file_that_is_gone_is_not_ready(on_sqlite: Flask, tmp_path: Path, replaced: bool) -> None:
    file = tmp_path / "reporter.db"
    shutil.copy(file, tmp_path / "copy.db")
    file.unlink()
    if replaced:
        (tmp_path / "copy.db").rename(file)
    assert readiness(on_sqlite) == (503, "database")
    assert on_sqlite.test_client().get("/healthz").status_code == 200
    page = on_sqlite.test_client().get("/report/failure")
    assert page.status_code in {200, 503}


def test_the_last_of_the_disk_is_not_ready(
    on_sqlite: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_file, "free_bytes", lambda url: 20_000_000)
    assert readiness(on_sqlite) == (200, None)
    monkeypatch.setattr(database_file, "free_bytes", lambda url: 19_999_999)
    assert readiness(on_sqlite) == (503, "disk")


def test_a_corrupted_file_is_not_ready(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path)
    (tmp_path / "reporter.db").write_bytes(b"no database at all" * 1000)
    app = create_app({**SETTINGS, "DATABASE_URL": url})
    assert readiness(app) == (503, "database")


def test_tables_of_a_newer_version_are_told_as_such_and_left_alone(on_sqlite: Flask) -> None:
    """A release that was taken back: `db upgrade` has no way from there, and none is guessed."""
    database: Database = on_sqlite.extensions["sqlalchemy"]
    with database.write() as session:
        session.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    assert readiness(on_sqlite) == (503, "migrations")
    finding = condition.examine(on_sqlite)
    assert finding is not None
    with pytest.raises(click.ClickException) as refused:
        upgrade(on_sqlite)
    assert finding.words == refused.value.message
    assert refused.value.message.endswith(condition.NEWER)


def test_a_database_that_is_down_is_not_ready_and_still_alive() -> None:
    app = create_app({**SETTINGS, "DATABASE_URL": "postgresql://127.0.0.1:1/nowhere"})
    assert readiness(app) == (503, "database")
    assert app.test_client().get("/healthz").status_code == 200
    app.extensions["sqlalchemy"].close()


def test_who_watches_is_never_asked_to_wait(make_app: Callable[..., Flask]) -> None:
    client = make_app(RATELIMIT_ENABLED=True).test_client()
    assert {client.get("/healthz").status_code for _ in range(700)} == {200}


def test_whom_to_tell_of_a_weakness_is_where_it_is_looked_for(
    make_app: Callable[..., Flask],
) -> None:
    app = make_app(SECURITY_CONTACT="security@example.com")
    response = app.test_client().get("/.well-known/security.txt")
    assert response.mimetype == "text/plain"
    lines = dict(line.split(": ", 1) for line in response.text.splitlines())
    assert list(lines) == ["Contact", "Expires", "Preferred-Languages", "Canonical"]
    assert lines["Contact"] == "mailto:security@example.com"
    # RFC 9116, section 2.5.5: in the future, and by less than a year.
    good_for = datetime.fromisoformat(lines["Expires"]) - datetime.now(UTC)
    assert timedelta(days=30) < good_for < timedelta(days=365)
    assert lines["Canonical"] == f"{app.config['BASE_URL']}/.well-known/security.txt"
    assert make_app().test_client().get("/.well-known/security.txt").status_code == 404


def test_the_migrations_that_are_wanted_are_those_that_alembic_knows() -> None:
    scripts = ScriptDirectory(
        str(condition.MIGRATIONS), version_locations=[str(condition.MIGRATIONS)]
    )
    assert condition.migrations()[1] == set(scripts.get_heads())
