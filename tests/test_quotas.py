"""What one client may have so much of: exact over processes, engines and days."""

from __future__ import annotations

import io
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
import time_machine
from customers import Customer
from factories import SENT_AT, SETTINGS, an_app, values
from flask import Flask
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import TooManyRequests

from reporter.attachments import keeping
from reporter.attachments.store import Owner
from reporter.database import Database
from reporter.models import Attachment, Base, Draft, Quota, Report, Tally
from reporter.web import bounds, quotas

LIMITED = {**SETTINGS, "RATELIMIT_ENABLED": True}


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    app = make_app(**LIMITED)
    Base.metadata.create_all(app.extensions["sqlalchemy"].engine)
    return app


def taken(app: Flask, quota: Quota, at: datetime, address: str = "192.0.2.7") -> bool:
    database: Database = app.extensions["sqlalchemy"]
    with app.test_request_context(environ_base={"REMOTE_ADDR": address}):
        try:
            with database.write() as session:
                quotas.take(session, quota, at)
        except TooManyRequests:
            return False
    return True


@pytest.fixture
def three_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(quotas.ALLOWED, Quota.REPORTS, (3, timedelta(minutes=10)))
    monkeypatch.setitem(quotas.ALLOWED, Quota.DRAFTS, (3, timedelta(hours=1)))


def test_the_quotas_are_those_that_are_told() -> None:
    assert {
        Quota.DRAFTS: (600, timedelta(hours=1)),
        Quota.REPORTS: (300, timedelta(minutes=10)),
        Quota.UPDATES: (2_400, timedelta(hours=1)),
        Quota.FOLLOWERS: (300, timedelta(minutes=10)),
        Quota.SIGN_INS: (20, timedelta(minutes=1)),
        Quota.WRONG_PASSWORDS: (10, timedelta(minutes=5)),
    } == quotas.ALLOWED


@pytest.mark.usefixtures("three_reports")
def test_what_is_over_it_is_asked_to_wait_until_the_while_has_passed(app: Flask) -> None:
    at = datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert [taken(app, Quota.REPORTS, at) for _ in range(4)] == [True, True, True, False]
    assert taken(app, Quota.REPORTS, at, "192.0.2.8")
    assert taken(app, Quota.DRAFTS, at)
    assert not taken(app, Quota.REPORTS, at + timedelta(minutes=9))
    assert taken(app, Quota.REPORTS, at + timedelta(minutes=11))


def rotate(app: Flask, key: str) -> None:
    former = [app.config["SECRET_KEY"], *app.config["SECRET_KEY_FALLBACKS"]]
    app.config.update(SECRET_KEY=key * 8, SECRET_KEY_FALLBACKS=former)


@pytest.mark.usefixtures("three_reports")
def test_neither_does_another_key(app: Flask) -> None:
    at = datetime(2026, 11, 23, 12, tzinfo=UTC)
    for key in ("other", "third"):
        assert taken(app, Quota.REPORTS, at)
        rotate(app, key)
    assert [taken(app, Quota.REPORTS, at) for _ in range(2)] == [True, False]


@pytest.mark.usefixtures("three_reports")
@pytest.mark.parametrize("keys", ["", "b", "bcd"])
def test_midnight_forgives_nothing(app: Flask, keys: str) -> None:
    """However many former keys are still known."""
    for key in keys:
        rotate(app, key * 5)
    before = datetime(2026, 11, 23, 23, 58, tzinfo=UTC)
    assert all(taken(app, Quota.REPORTS, before) for _ in range(3))
    assert not taken(app, Quota.REPORTS, before + timedelta(minutes=4))


@pytest.mark.usefixtures("three_reports")
def test_many_at_once_are_counted_each(app: Flask) -> None:
    at = datetime(2026, 11, 23, 12, tzinfo=UTC)
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda _: taken(app, Quota.REPORTS, at), range(8)))
    assert sum(told) == 3


def test_the_database_names_nobody(app: Flask) -> None:
    at = datetime(2026, 11, 23, 12, tzinfo=UTC)
    taken(app, Quota.REPORTS, at)
    taken(app, Quota.REPORTS, at + timedelta(days=1))
    with app.extensions["sqlalchemy"].read() as session:
        today, tomorrow = session.scalars(sa.select(Tally.client).order_by(Tally.minute))
    assert "192" not in today
    assert today != tomorrow


@pytest.mark.usefixtures("three_reports")
def test_a_report_over_the_quota_is_not_kept_and_can_be_sent_later(tmp_path: Path) -> None:
    with (
        time_machine.travel(SENT_AT, tick=False) as clock,
        an_app(tmp_path, RATELIMIT_ENABLED=True) as app,
    ):
        for _ in range(3):
            Customer(app).report()
        clock.shift(timedelta(hours=2))  # for the drafts
        for _ in range(3):
            Customer(app).report()
        clock.shift(timedelta(seconds=61))
        database: Database = app.extensions["sqlalchemy"]
        with database.read() as session:
            assert session.scalar(sa.select(sa.func.count(Report.id))) == 6
            drafts = session.scalar(sa.select(sa.func.count(Draft.id)))
        last = Customer(app)
        page = last.fill("failure")
        assert page.status == 429
        assert page.fields["summary"] == values("failure")["summary"]
        with database.read() as session:
            assert session.scalar(sa.select(sa.func.count(Draft.id))) == drafts
        clock.shift(timedelta(hours=1))
        assert last.submit().status == 200


def kept(
    app: Flask, draft: str, *sizes: int, address: str = "192.0.2.7", at: datetime
) -> list[str]:
    """Keep texts of those sizes in a draft; what is said of those that are not kept."""
    database: Database = app.extensions["sqlalchemy"]
    with database.write() as session:
        if session.get(Draft, draft) is None:
            session.add(Draft(id=draft, created_at=at, updated_at=at))
    said = []
    with (
        time_machine.travel(at, tick=False),
        app.test_request_context("/?lang=en", environ_base={"REMOTE_ADDR": address}),
    ):
        for size in sizes:
            content = secrets.token_hex(size // 2).encode()
            upload = FileStorage(io.BytesIO(content), f"{size}.txt")
            said += keeping.keep(
                Owner(draft_id=draft), [upload], "screenshots", quotas.unsent(datetime.now(UTC))
            )
    return said


@pytest.fixture
def a_thousand_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert bounds.UNSENT_BYTES == 100_000_000
    monkeypatch.setattr(bounds, "UNSENT_BYTES", 1000)


REFUSED = (
    "{}.txt was not kept: from one connection we keep 1 kB of files that were not sent yet. "
    "Send what is here, or remove some of it, and add it again"
)


@pytest.mark.usefixtures("a_thousand_bytes")
def test_what_one_client_has_unsent_is_bounded_over_all_its_drafts(app: Flask) -> None:
    at = datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert kept(app, "a", 600, at=at) == []
    assert kept(app, "b", 402, at=at) == [REFUSED.format(402)]
    assert kept(app, "b", 400, at=at) == []  # at it
    assert kept(app, "c", 2, at=at) == [REFUSED.format(2)]
    assert kept(app, "c", 2, at=at, address="192.0.2.8") == []
    assert kept(app, "c", 2, at=at + timedelta(hours=23)) == [REFUSED.format(2)]
    assert kept(app, "c", 2, at=at + timedelta(hours=25)) == []


@pytest.mark.usefixtures("a_thousand_bytes")
def test_what_was_sent_or_removed_makes_room_again(app: Flask) -> None:
    at = datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert kept(app, "a", 600, 400, at=at) == []
    database: Database = app.extensions["sqlalchemy"]
    with database.write() as session:
        sent = session.scalars(sa.select(Attachment).where(Attachment.size == 400)).one()
        sent.number = 0
    assert kept(app, "b", 400, at=at) == []
    assert kept(app, "b", 2, at=at) == [REFUSED.format(2)]


@pytest.mark.usefixtures("a_thousand_bytes")
def test_files_that_come_at_once_are_counted_each(app: Flask) -> None:
    at = datetime(2026, 11, 23, 12, tzinfo=UTC)
    with time_machine.travel(at, tick=False), ThreadPoolExecutor(8) as pool:
        said = list(pool.map(lambda n: kept(app, f"draft{n}", 300, at=at), range(8)))
    assert said.count([]) == 3


@pytest.mark.usefixtures("a_thousand_bytes")
def test_without_limits_no_file_is_counted(make_app: Callable[..., Flask]) -> None:
    app = make_app(**{**SETTINGS, "RATELIMIT_ENABLED": False})
    Base.metadata.create_all(app.extensions["sqlalchemy"].engine)
    at = datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert kept(app, "a", 600, 600, at=at) == []
    with app.extensions["sqlalchemy"].read() as session:
        assert set(session.scalars(sa.select(Attachment.client))) == {""}
