"""What PostgreSQL says when it cannot keep anything: who watches knows, and so does the operator.

The server is a real one. What it cannot be brought to, as a disk of its that is full, a trigger
raises in its name, with the code that it has.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from customers import Customer
from emptied import OF_THIS_DATABASE
from factories import SENT_AT, values
from flask import Flask
from servers import AlarmServer, alarm_server
from sqlalchemy.engine import make_url
from test_watch import Watched
from typed_in import rows
from waiting import until

from reporter.database import Database, postgresql
from reporter.database.url import driver_url
from reporter.models import Report
from reporter.operations import condition
from reporter.operations.noted import Noted
from reporter.serving.migrate import upgrade

ROLE = "reporter_in_trouble"
pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture(autouse=True)
def asked_afresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(condition, "FRESH_SECONDS", 0.0)
    monkeypatch.setattr("reporter.operations.watch.beats", lambda session, now: ["one"])


@pytest.fixture
def alarms() -> Iterator[AlarmServer]:
    with alarm_server() as alarms:
        yield alarms


@pytest.fixture
def app(make_app: Callable[..., Flask], alarms: AlarmServer) -> Flask:
    app = make_app(ALARM_URLS=[alarms.url])
    upgrade(app)
    return app


@pytest.fixture
def owner(database_url: str) -> Iterator[sa.Connection]:
    """Whoever runs the server."""
    engine = sa.create_engine(driver_url(database_url), poolclass=sa.NullPool)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        yield connection


@pytest.fixture
def role(owner: sa.Connection, database_url: str) -> Iterator[str]:
    """The address of the database for a user who is not its owner."""
    owner.execute(sa.text(f"CREATE ROLE {ROLE} LOGIN PASSWORD 'sesame'"))
    owner.execute(sa.text(f"GRANT USAGE ON SCHEMA public TO {ROLE}"))
    owner.execute(sa.text(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {ROLE}"))
    owner.execute(sa.text(f"GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {ROLE}"))
    url = make_url(database_url).set(username=ROLE, password="sesame")
    yield url.render_as_string(hide_password=False)
    owner.execute(sa.text(f"DROP OWNED BY {ROLE}; DROP ROLE {ROLE}"))


def raises(owner: sa.Connection, table: str, code: str) -> None:
    """From now on, whenever something is written to *table*."""
    owner.exec_driver_sql(
        "CREATE OR REPLACE FUNCTION trouble() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION 'the server is in trouble' USING ERRCODE = '{code}'; END $$"
    )
    owner.exec_driver_sql(
        f"CREATE OR REPLACE TRIGGER trouble BEFORE INSERT OR UPDATE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION trouble()"
    )


def is_well_again(owner: sa.Connection, table: str) -> None:
    owner.exec_driver_sql(f"DROP TRIGGER trouble ON {table}")


def readiness(app: Flask) -> tuple[int, Any]:
    response = app.test_client().get("/readyz")
    return response.status_code, (response.json or {}).get("because")


@pytest.mark.parametrize(
    ("code", "because"),
    [
        ("53100", "disk"),
        ("58030", "database"),  # an input or output that failed
        ("57P01", "database"),
    ],
)
def test_a_server_that_cannot_write_is_not_ready_and_told_and_so_is_its_end(
    app: Flask, alarms: AlarmServer, owner: sa.Connection, code: str, because: str
) -> None:
    watched = Watched(app, alarms)
    raises(owner, "last_done", code)
    assert readiness(app) == (503, because)
    told = watched.looks(4)
    assert [line for line in told if line.endswith(": the server is in trouble")] == [told[0]]
    is_well_again(owner, "last_done")
    assert readiness(app) == (200, None)
    assert f"{because}: all is well again, after 1 min" in watched.looks(2)


@pytest.mark.parametrize("what", ["alarm", "last_done"])
def test_what_two_machines_write_first_at_one_moment_is_written_once(
    app: Flask, owner: sa.Connection, what: str
) -> None:
    database: Database = app.extensions["sqlalchemy"]
    found: list[object] = []

    def write() -> None:
        if what == "alarm":
            found.append(Noted(database, app.config["DATABASE_URL"]).begin("worker", SENT_AT))
        else:
            found.append(condition.examine(app))

    machines = [threading.Thread(target=write) for _ in range(2)]
    with database.engine.begin() as connection:  # both have looked before either writes
        connection.execute(sa.text(f"LOCK TABLE {what} IN SHARE MODE"))
        for machine in machines:
            machine.start()
        waiting = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        until(lambda: owner.scalar(waiting) == 2)
    for machine in machines:
        machine.join()
    assert sorted(map(str, found)) == (["False", "True"] if what == "alarm" else ["None", "None"])


def test_a_statement_that_is_repeated_is_planned_once(app: Flask) -> None:
    """And not for each of its values, for which the planner reads an index that history fills."""
    asked = sa.text("SELECT id FROM message WHERE due_at <= :now")
    plans = sa.text(
        "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement ~ 'due_at'"
    )
    database: Database = app.extensions["sqlalchemy"]
    with database.read() as session:
        for _ in range(20):
            session.execute(asked, {"now": datetime.now(UTC)}).all()
        [(generic, custom)] = session.execute(plans)
    assert (generic > 10, custom) == (True, 0)


@pytest.mark.parametrize("code", ["XX001", "XX002"])
def test_a_damaged_page_or_index_is_told(
    app: Flask, alarms: AlarmServer, owner: sa.Connection, code: str
) -> None:
    """By whatever page reads it; what can be kept is taken meanwhile."""
    watched = Watched(app, alarms)
    raises(owner, "draft", code)
    customer = Customer(app)
    customer.open("/report/failure")
    assert customer.submit(**values("failure")).status == 503
    is_well_again(owner, "draft")
    assert readiness(app) == (200, None)
    [told] = watched.looks(3)
    assert "is damaged, restore a backup: the server is in trouble" in told


def test_a_report_that_does_not_fit_is_not_called_saved_and_nothing_is_lost(
    app: Flask, owner: sa.Connection
) -> None:
    customer = Customer(app, "en")
    customer.fill_all()
    raises(owner, "report", "53100")
    page = customer.submit()
    assert page.status == 503
    assert "Send again" in page.text
    assert rows(app, Report) == []
    is_well_again(owner, "report")
    assert customer.submit().status == 200
    assert len(rows(app, Report)) == 1


def test_a_server_that_only_reads_is_not_ready_and_shows_what_it_has(
    app: Flask, make_app: Callable[..., Flask], owner: sa.Connection, role: str
) -> None:
    """As a replica is, before it is made the first."""
    owner.execute(sa.text(f"ALTER ROLE {ROLE} SET default_transaction_read_only = on"))
    reading = make_app(DATABASE_URL=role)
    finding = condition.examine(reading)
    assert finding
    assert "in a read-only transaction" in finding.words
    assert readiness(reading) == (503, "database")
    assert Customer(reading).open("/").status == 200


def test_a_server_without_a_place_is_not_ready_and_is_once_there_is_one(
    make_app: Callable[..., Flask], app: Flask, owner: sa.Connection, role: str
) -> None:
    owner.execute(sa.text(f"ALTER ROLE {ROLE} CONNECTION LIMIT 0"))
    crowded = make_app(DATABASE_URL=role)
    finding = condition.examine(crowded)
    assert finding
    assert "too many connections" in finding.words
    assert "sesame" not in finding.words
    assert not crowded.extensions["sqlalchemy"].breaker.is_open  # it did answer
    owner.execute(sa.text(f"ALTER ROLE {ROLE} CONNECTION LIMIT -1"))
    assert readiness(crowded) == (200, None)


def test_a_server_without_a_place_answers_and_pages_have_the_connections_of_before(
    make_app: Callable[..., Flask], app: Flask, owner: sa.Connection, role: str
) -> None:
    """It was frozen, and is full when it wakes up: whoever has a connection is not kept out."""
    crowded = make_app(DATABASE_URL=role)
    customer = Customer(crowded)
    customer.fill("failure")
    owner.execute(sa.text(f"ALTER ROLE {ROLE} CONNECTION LIMIT 1"))
    with pytest.raises(psycopg.OperationalError, match="too many connections"):
        postgresql.connect(role)
    breaker = crowded.extensions["sqlalchemy"].breaker
    breaker.open()
    for thread in threading.enumerate():
        if thread.name == "asking":
            thread.join(20)
    assert not breaker.is_open
    assert customer.open("/report/timing").status == 200


def test_connections_that_the_server_ended_are_made_anew(app: Flask, owner: sa.Connection) -> None:
    """A restart of it in the night, say: no page fails for it afterwards."""
    database: Database = app.extensions["sqlalchemy"]
    customer = Customer(app)
    customer.fill("failure")
    assert database.engine.pool.checkedin()  # type: ignore[attr-defined]
    owner.execute(
        sa.text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {OF_THIS_DATABASE}")
    )
    assert customer.open("/report/timing").status == 200
