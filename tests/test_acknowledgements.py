"""Acknowledgements to one mailbox and to all: what is over a limit waits, and is never dropped."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from factories import SENT_AT, a_report
from flask import Flask
from provider import a_provider

from reporter.database import Database
from reporter.models import MailKind, Message, Report
from reporter.reports.submission import submit
from reporter.web.mailboxes import names_of

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def site(request_on_both: Flask) -> Flask:
    return request_on_both


def send(draft_id: str, at: datetime = SENT_AT, email: str = "inigo@example.com") -> None:
    submit(draft_id, a_report(at=at, email=email))


def planned(app: Flask, recipient: str = "inigo@example.com") -> list[timedelta]:
    """When each is due, after SENT_AT."""
    database: Database = app.extensions["sqlalchemy"]
    with database.read() as session:
        found = sa.select(Message.due_at).where(
            Message.kind == MailKind.ACKNOWLEDGEMENT, Message.recipient == recipient
        )
        return sorted(at - SENT_AT for at in session.scalars(found))


def reports(app: Flask) -> int:
    database: Database = app.extensions["sqlalchemy"]
    with database.read() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(Report)) or 0


def test_another_key_forgives_nothing(site: Flask) -> None:
    for number in range(4):
        if number == 2:
            former = site.config["SECRET_KEY"]
            site.config.update(SECRET_KEY="other" * 8, SECRET_KEY_FALLBACKS=[former])
        send(f"draft{number}", SENT_AT + number * MINUTE)
    assert planned(site) == [0 * MINUTE, MINUTE, 2 * MINUTE, HOUR]


def test_the_fourth_in_an_hour_waits_until_the_first_is_an_hour_ago(site: Flask) -> None:
    for number in range(5):
        send(f"draft{number}", SENT_AT + number * MINUTE)
    assert planned(site) == [0 * MINUTE, MINUTE, 2 * MINUTE, HOUR, HOUR + MINUTE]
    assert reports(site) == 5
    send("elsewhere", email="eva@example.com")
    assert planned(site, "eva@example.com") == [0 * MINUTE]


def test_the_eleventh_in_a_day_waits_until_the_first_is_a_day_ago(site: Flask) -> None:
    for number in range(12):
        send(f"draft{number}", SENT_AT + number * HOUR)
    assert planned(site) == [*(number * HOUR for number in range(10)), DAY, DAY + HOUR]
    send("next day", SENT_AT + 2 * DAY)
    assert planned(site)[-1] == 2 * DAY


def test_reports_sent_at_the_same_moment_do_not_slip_past_the_limit(site: Flask) -> None:
    def one(number: int) -> None:
        with site.test_request_context():
            send(f"draft{number}")

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(one, range(6)))
    assert planned(site) == [0 * MINUTE] * 3 + [HOUR] * 3
    assert reports(site) == 6


@pytest.mark.parametrize("sent", [599, 600])
def test_all_together_are_sent_six_hundred_an_hour(site: Flask, sent: int) -> None:
    database: Database = site.extensions["sqlalchemy"]
    with database.write() as session:
        session.add_all(an_acknowledgement(number) for number in range(sent))
    send("one more", SENT_AT + 2 * MINUTE)
    assert planned(site) == [2 * MINUTE if sent < 600 else HOUR]


def an_acknowledgement(number: int) -> Message:
    to = f"{number}@example.com"
    return Message(
        kind=MailKind.ACKNOWLEDGEMENT,
        reference=f"INC-{number}",
        recipient=to,
        mime_id=to,
        rank=MailKind.ACKNOWLEDGEMENT.rank,
        content=b"",
        due_at=SENT_AT,
        created_at=SENT_AT,
    )


def test_no_spelling_makes_another_mailbox(site: Flask) -> None:
    def mailbox(address: str) -> str:
        return names_of(address)[0]

    same = ["inigo@example.com", "Inigo@Example.com", "i.n.igo@example.com", "inigo+a@example.com"]
    assert len({mailbox(each) for each in same}) == 1
    assert mailbox('"a@b"@googlemail.com') == mailbox('"a@b"@gmail.com')
    assert mailbox("i.nigo+b@googlemail.com") == mailbox("inigo@gmail.com")
    assert mailbox("inigo@pm.me") == mailbox("inigo@protonmail.com") == mailbox("inigo@proton.me")
    assert (
        mailbox("inigo@example.net") != mailbox("inigo@example.com") != mailbox("eva@example.com")
    )
    assert "inigo" not in mailbox("inigo@example.com")


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("es", "Nuestro correo con la referencia saldrá más tarde hacia inigo@example.com, el"),
        ("en", "Our email with the reference will go to inigo@example.com later, on"),
    ],
)
def test_the_receipt_says_when_one_over_the_limit_goes(
    tmp_path: Path, language: str, words: str
) -> None:
    with a_provider(tmp_path) as provider:
        tokens = [provider.report(f"draft{n}", language=language) for n in range(4)]
        *told, last = [provider.customer(each, language).page.text for each in tokens]
        assert not any(words in each for each in told)
        told_of = " ".join(last.partition(words)[2].split())
        assert words in last
        due = provider.receipt(tokens[3]).acknowledgement
        assert due is not None
        assert due.due_at == SENT_AT + HOUR
        hour = due.due_at.astimezone(ZoneInfo("Europe/Madrid"))
        assert f"{hour:%H:%M}" in told_of[:60]
        provider.later(hours=1, seconds=5)
        provider.work()
        assert words not in provider.customer(tokens[3], language).page.text
