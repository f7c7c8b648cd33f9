"""Databases, applications, providers and queued mails for the tests.

A test, or a whole file by its `pytestmark`, has settings of its own with
`pytest.mark.settings(NAME=value)`. Servers are in servers.py, browsers in functional/browsing.py.
"""

from __future__ import annotations

import functools
import gc
import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import emptied
import made_once
import pytest
from customers import Customer
from factories import an_app, sqlite_url
from flask import Flask
from hypothesis import HealthCheck, settings
from incidents import opened
from provider import Provider, a_provider, a_provider_made_by
from servers import postgres_server

from reporter import create_app
from reporter.database import Database
from reporter.delivery import claims, clock, outbox, outcomes
from reporter.delivery.mail import Claimed, LesserForm, Mail
from reporter.delivery.relays import Relay
from reporter.delivery.smtp import AttemptResult
from reporter.models import MailKind

pytest_plugins = ["browsing"]
made_once.install()

# A machine that runs the service has settings of its own, which are none of the tests', nor of the
# processes that they start.
os.environ["REPORTER_SETTINGS"] = os.devnull

# The same examples each time, however busy the machine is: by chance only in `make fuzz`. A fixture
# lasts for all examples of a test, on purpose.
settings.register_profile(
    "tests",
    deadline=None,
    derandomize="FUZZ_EXAMPLES" not in os.environ,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("tests")

NOW = datetime(2026, 11, 23, 1, 40, tzinfo=UTC)
CONTENT = b"Subject: INC-KX7M9Q\r\nMessage-ID: <1@example.com>\r\n\r\nLa web no carga.\r\n"
QUEUED: dict[str, Any] = {"kind": MailKind.TICKET, "reference": "INC-KX7M9Q", "due_at": NOW}

# What takes longest of what starts browsers and servers, and of all other files; the longest first.
LONGEST = (
    *("functional/test_pages", "functional/test_form_engines", "functional/test_desk_browser"),
    *("functional/test_commands", "functional/test_form_words", "functional/faults/test_databases"),
    *("functional/test_form_offline", "functional/test_form_script", "functional/faults/test_two"),
    *("functional/test_whole_path", "functional/test_outage", "functional/faults/test_kill"),
    *("test_crowds", "test_guides", "test_worker", "test_properties", "test_fuzz", "test_desk"),
    *("test_staff", "test_attachment", "test_board", "test_updates", "test_promises"),
)
WAITING = "functional/"
TESTS = Path(__file__).parent


def pytest_sessionstart() -> None:
    """`make mutants` tries each in a copy of a process that has run the tests already, and so
    remembers what the code as it was had found."""
    if "MUTANT_UNDER_TEST" in os.environ:
        gc.unfreeze()
        for each in gc.get_objects():
            if isinstance(each, functools._lru_cache_wrapper):
                each.cache_clear()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, so that no process is left with one when all others have ended.

    Half of their time those that start browsers and servers wait: they are spread among the others,
    whose processes have work meanwhile.
    """
    names = {item.path: item.path.relative_to(TESTS).as_posix() for item in items}

    def place(path: Path) -> int:
        found = (n for n, start in enumerate(LONGEST) if names[path].startswith(start))
        return next(found, len(LONGEST))

    turn: dict[Path, float] = {}
    for is_waiting in (True, False):
        kind = [path for path in names if names[path].startswith(WAITING) == is_waiting]
        kind.sort(key=place)
        turn |= {path: number / len(kind) for number, path in enumerate(kind)}
    items.sort(key=lambda item: turn[item.path])


def pytest_collection_finish() -> None:
    """What is loaded stays: looking through it again and again was a tenth of what a test costs."""
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What tests have counted, before pytest's last line."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            terminalreporter.write_line(f"{name}:\n{value}")


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """REPORTER_TEST_POSTGRES_URL, whose schema "public" is emptied, or a server of our own.

    Where several processes run the tests each has a database of its own there.
    """
    if url := os.environ.get("REPORTER_TEST_POSTGRES_URL"):
        worker = os.environ.get("PYTEST_XDIST_WORKER")
        with emptied.beside(url, worker) if worker else nullcontext(url) as own:
            yield own
    else:
        # Not in pytest's folder, which another run of pytest closes to other users than root.
        with TemporaryDirectory(prefix="postgres-") as folder, postgres_server(folder) as url:
            yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database, without tables but for those of `database`. A test that uses it runs once
    on each engine."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path)
    url: str = request.getfixturevalue("postgres_url")
    emptied.empty(url, keep_tables="database" in request.fixturenames)
    return url


@pytest.fixture(autouse=True)
def one_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL's own clock cannot be set by a test."""
    monkeypatch.setattr(clock, "behind", lambda database: timedelta())


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A database with its tables."""
    database = Database(database_url)
    emptied.make_tables_once(database.engine)
    yield database
    database.close()


@pytest.fixture
def settings_of(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Those that the marks of a test name, the nearest mark first."""
    marks = reversed(list(request.node.iter_markers("settings")))
    return {name: value for mark in marks for name, value in mark.kwargs.items()}


@pytest.fixture
def app(tmp_path: Path, settings_of: dict[str, Any]) -> Iterator[Flask]:
    """An application over SQLite, with its tables."""
    with an_app(tmp_path, **settings_of) as app:
        yield app


@pytest.fixture
def provider(tmp_path: Path, settings_of: dict[str, Any]) -> Iterator[Provider]:
    """A provider over SQLite, whose relay takes mails and whose clock stands still."""
    with a_provider(tmp_path, **settings_of) as provider:
        yield provider


@pytest.fixture
def token(provider: Provider, request: pytest.FixtureRequest) -> str:
    """Of the receipt of a report, whose ticket support has where a mark says so."""
    token = provider.report()
    if request.node.get_closest_marker("ticket_sent"):
        provider.work()
    return token


@pytest.fixture
def customer(provider: Provider, token: str) -> Customer:
    """Whoever sent the report, in front of its receipt."""
    return provider.customer(token)


@pytest.fixture
def key(provider: Provider) -> str:
    """Of a known incident."""
    return opened(provider)


@pytest.fixture
def on_both_engines(
    make_app: Callable[..., Flask], settings_of: dict[str, Any]
) -> Iterator[Provider]:
    """A provider over each engine in turn."""
    with a_provider_made_by(make_app, **settings_of) as provider:
        yield provider


@pytest.fixture(scope="session")
def unchanged_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """For what needs an application around it, and changes nothing of it."""
    with an_app(tmp_path_factory.mktemp("app")) as app:
        yield app


@pytest.fixture
def inside_a_request(unchanged_app: Flask) -> Iterator[Flask]:
    with unchanged_app.test_request_context():
        yield unchanged_app


@pytest.fixture
def make_app(database_url: str) -> Iterator[Callable[..., Flask]]:
    """Make an application that sends through the given relays, over the test's database."""
    apps = []

    def make(*relays: Relay, **settings: Any) -> Flask:
        tables = [asdict(relay) for relay in relays or [Relay("localhost")]]
        timeout = max(table.pop("timeout") for table in tables)
        for table in tables:
            del table["ehlo_name"]
        first = {f"MAIL_{key.upper()}": value for key, value in tables[0].items()}
        defaults = {
            "SECRET_KEY": "tests" * 8,
            "BASE_URL": "https://incidents.example.com",
            "SUPPORT_EMAIL": "support@example.com",
            "DATABASE_URL": database_url,
            "FALLBACK_RELAYS": tables[1:],
            "MAIL_TIMEOUT": timeout,
            "WORKER_CONNECTIONS": 1,  # mails arrive in their order
            "MAIL_SUPPRESS_SEND": False,  # Flask-Mail suppresses under TESTING
            "TESTING": True,
        }
        apps.append(create_app(defaults | first | settings))
        return apps[-1]

    yield make
    for app in apps:
        app.extensions["sqlalchemy"].close()


@pytest.fixture
def request_on_both(database: Database, make_app: Callable[..., Flask]) -> Iterator[Flask]:
    """An application over each engine in turn, with its tables, inside a request."""
    app = make_app()
    with app.test_request_context():
        yield app


@pytest.fixture
def queue(database: Database) -> Callable[..., int]:
    """Queue a mail, made at NOW unless told otherwise; its id."""
    numbers = itertools.count(1)

    def queue(after_id: int | None = None, **changes: Any) -> int:
        of_mail = {"mime_id": f"<{next(numbers)}@example.com>"}
        for key in ("recipient", "mime_id", "content"):
            of_mail |= {key: changes.pop(key)} if key in changes else {}
        with database.write() as session:
            return outbox.enqueue(session, a_mail(**of_mail), after=after_id, **QUEUED | changes)

    return queue


def claim(database: Database, now: datetime = NOW, lease_seconds: float = 60.0) -> Claimed | None:
    """What a worker is given that asks for one mail."""
    with database.write() as session:
        return next(iter(claims.claim(session, "worker", now, lease_seconds)), None)


def record(
    database: Database,
    claimed: Claimed,
    results: Sequence[AttemptResult],
    now: datetime = NOW,
    jitter: float = 0.5,
    lesser: LesserForm | None = None,
) -> bool:
    """Write down what came of a claim."""
    tried = outcomes.Tried(claimed, tuple(results), lesser, jitter)
    with database.write() as session:
        return outcomes.record(session, [tried], now)[0]


def a_mail(mime_id: str, recipient: str = "support@example.com", content: bytes = CONTENT) -> Mail:
    return Mail(recipient, mime_id, content)
