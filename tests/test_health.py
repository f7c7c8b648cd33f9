"""For whoever watches the service."""

from __future__ import annotations

from collections.abc import Callable

from factories import SETTINGS
from flask import Flask

from reporter import create_app
from reporter.models import Base


def test_alive_says_nothing_of_the_database(make_app: Callable[..., Flask]) -> None:
    response = make_app().test_client().get("/healthz")
    assert (response.status_code, response.json) == (200, {"status": "ok"})


def test_ready_is_when_a_report_could_be_kept(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    response = app.test_client().get("/readyz")
    assert response.status_code == 503
    assert response.json == {
        "status": "unavailable",
        "database": "unreachable or not migrated",
    }
    Base.metadata.create_all(app.extensions["sqlalchemy"].engine)
    response = app.test_client().get("/readyz")
    assert (response.status_code, response.json) == (200, {"status": "ok"})


def test_a_database_that_is_down_is_not_ready_and_still_alive() -> None:
    app = create_app({**SETTINGS, "DATABASE_URL": "postgresql://127.0.0.1:1/nowhere"})
    assert app.test_client().get("/readyz").status_code == 503
    assert app.test_client().get("/healthz").status_code == 200
    app.extensions["sqlalchemy"].close()


def test_who_watches_is_never_asked_to_wait(make_app: Callable[..., Flask]) -> None:
    client = make_app(RATELIMIT_ENABLED=True).test_client()
    assert {client.get("/healthz").status_code for _ in range(700)} == {200}
