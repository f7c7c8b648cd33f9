"""A page reads in one transaction, and waits for nobody who writes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from customers import Customer
from factories import SENT_AT, values
from flask import Flask
from provider import Provider, a_picture, a_provider
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from reporter.delivery import beforehand
from reporter.links import follower_token
from reporter.notices import store as notices
from reporter.notices import telling
from reporter.notices.telling import Person
from reporter.operations import purge, retention

# It is there to say whether one can write.
WRITES = {"health.readyz"}


@pytest.fixture
def provider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    monkeypatch.setattr(
        "reporter.database.sqlite.BUSY_TIMEOUT_SECONDS", 0
    )  # whoever would wait fails at once
    with a_provider(tmp_path) as provider:
        yield provider


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Another connection has SQLite's write lock."""
    with closing(sqlite3.connect(folder / "reporter.db", isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


@contextmanager
def transactions(app: Flask) -> Iterator[list[str]]:
    """What is begun meanwhile, as "read" or "write"."""
    begun: list[str] = []

    def begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        begun.append("read" if options.get("read_only") else "write")

    engine = app.extensions["sqlalchemy"].engine
    sa.event.listen(engine, "begin", begin)
    try:
        yield begun
    finally:
        sa.event.remove(engine, "begin", begin)


def prepared(provider: Provider) -> tuple[Customer, dict[str, dict[str, str]]]:
    """A customer with a draft that is ready to be sent; what the addresses of all pages need."""
    token = provider.report()
    ana = Person("Ana", "ana@example.com", "es")

    def follow(session: Session) -> None:
        row = notices.row_of(session, key)
        assert row
        telling.follow(session, row, [ana], SENT_AT)

    with provider.app.test_request_context():
        with provider.database.write() as session:
            told = {"es": "Cae"}
            key = notices.open_notice(session, ["email"], told, SENT_AT, None, SENT_AT).key
        beforehand.write(provider.database, follow)
        follower = follower_token(key, ana.contact)
    reference = provider.receipt(token).report.reference
    visitor = Customer(provider.app)
    visitor.open(f"/r/{token}/details/evidence")
    visitor.submit(files=[("uno.png", a_picture())])
    customer = Customer(provider.app)
    customer.fill_all()
    known = {
        "": {
            "token": token,
            "key": key,
            "reference": reference,
            "attachment_id": "1",
            "kind": "json",
        },
        "notices.follower": {"token": follower},
        "wizard.step": {"slug": "failure"},
        "details.step": {"slug": "evidence"},
        "static": {"filename": "reporter.js"},
    }
    return customer, known


def pages(app: Flask, known: dict[str, dict[str, str]]) -> Iterator[tuple[str, str]]:
    """Every route that is answered to GET: its endpoint and an address of it."""
    addresses = app.url_map.bind("incidents.example.com")
    for rule in app.url_map.iter_rules():
        if "GET" in (rule.methods or ()) and rule.endpoint not in WRITES:
            named = {**known[""], **known.get(rule.endpoint, {})}
            arguments = {each: named.get(each, "unknown") for each in rule.arguments}
            yield rule.endpoint, addresses.build(rule.endpoint, arguments)


def got(customer: Customer, path: str) -> int:
    """The status that a page is answered with, whatever it holds."""
    return customer.peek(path).status


def test_no_page_waits_for_whoever_writes(provider: Provider, tmp_path: Path) -> None:
    customer, known = prepared(provider)
    failed = {}
    with locked(tmp_path):
        for endpoint, path in pages(provider.app, known):
            with transactions(provider.app) as begun:
                status = got(customer, path)
            if status >= 500 or "write" in begun:
                failed[endpoint] = (status, begun)
    assert failed == {}


def test_whoever_writes_does_wait(provider: Provider, tmp_path: Path) -> None:
    """Else the test above would say nothing."""
    customer, _known = prepared(provider)
    customer.open("/report/failure")
    with locked(tmp_path):
        assert customer.submit(**values("failure")).status == 503


def test_a_page_looks_at_the_database_once(provider: Provider) -> None:
    customer, known = prepared(provider)
    more = {}
    for endpoint, path in pages(provider.app, known):
        with transactions(provider.app) as begun:
            got(customer, path)
        if len(begun) > 1:
            more[endpoint] = begun
    assert more == {}


def test_a_page_of_the_desk_is_one_transaction_with_who_asks(provider: Provider) -> None:
    _customer, known = prepared(provider)
    support = provider.support()
    for endpoint, path in pages(provider.app, known):
        if path.startswith("/desk") and not endpoint.startswith("staff."):
            with transactions(provider.app) as begun:
                assert got(support, path) == 200
            assert begun == ["read"], endpoint
    reference, key = known[""]["reference"], known[""]["key"]
    new = "/desk/notices/new?service=database"
    for path, pressed in [
        (f"/desk/{reference}", {"action": "acknowledge"}),
        (f"/desk/{reference}", {"action": "message", "text": ""}),  # which is shown again
        (f"/desk/{reference}", {"action": "message", "text": "En ello"}),
        (f"/desk/{reference}", {"action": "contact", "email": "otra@example.com"}),
        (new, {"text": "Cae", "started_at": "02:40"}),
        (f"/desk/notices/{key}", {"action": "update", "text": "Seguimos"}),
        (f"/desk/notices/{key}", {"action": "link"}),
        ("/desk/call", {}),
        ("/desk/call/end", {}),
    ]:
        shown = support.open("/desk" if path.startswith("/desk/call") else path)
        sent = {**shown.fields, **shown.filled("/desk/call"), **pressed}
        with transactions(provider.app) as begun:
            page = support.ask("POST", path, sent)
        assert page.status == (422 if pressed.get("text") == "" else 303), path
        # What may cause mails is tried first, so that they are composed with no lock held.
        calls = path.startswith("/desk/call")
        tried = ["read"] if page.status == 422 else ["read", "write"]
        assert begun == (["write"] if calls else tried), path


def test_what_is_old_is_looked_for_without_keeping_anybody_waiting(provider: Provider) -> None:
    with transactions(provider.app) as begun:
        list(purge.purge(provider.database, provider.app.config, provider.now))
    looked = [*retention.rules(provider.app.config, provider.now), "contents of sent mails"]
    assert begun.count("read") == len(looked)
    assert begun.count("write") == 1  # counts of clients
