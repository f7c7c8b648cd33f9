"""Alarms through a real HTTP channel: told once, late or refused, and never a customer's word."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from conftest import NOW, claim, record
from servers import alarm_server
from sqlalchemy.exc import DBAPIError
from structlog.testing import capture_logs

from reporter.database import Database
from reporter.delivery import alarms, outbox
from reporter.delivery.alarm_words import spoken
from reporter.delivery.alarms import Alarms
from reporter.delivery.channels import tell
from reporter.delivery.smtp import AttemptResult
from reporter.models import Base, Message

Queue = Callable[..., int]

MINUTE = timedelta(minutes=1)
WORDS = "550 ignacio@cliente.example does not exist"


def attempt(database: Database, outcome: str, code: int | None) -> None:
    claimed = claim(database)
    assert claimed is not None
    result = AttemptResult("mail.example.com:25", outcome, code, WORDS)  # type: ignore[arg-type]
    record(database, claimed, [result])


def test_a_late_ticket_is_told_of_once(database: Database, queue: Queue) -> None:
    queue()
    attempt(database, "deferred", 451)
    with alarm_server() as server:
        alarms = Alarms([server.url], after_seconds=300)
        alarms.check(database, NOW + timedelta(seconds=299))
        assert server.taken == []
        for minutes in (7, 8, 9, 60):
            alarms.check(database, NOW + minutes * MINUTE)
    [alarm] = server.taken
    assert alarm["title"] == "Incident Reporter: INC-KX7M9Q is not sent"
    assert alarm["message"] == (
        "INC-KX7M9Q (ticket): still waiting after 7 min; last answer of mail.example.com:25: 451."
        " Look: reporter outbox show INC-KX7M9Q"
    )


def test_a_refused_ticket_is_told_of_at_once(database: Database, queue: Queue) -> None:
    queue()
    attempt(database, "refused", 550)
    with alarm_server() as server:
        alarms = Alarms([server.url], after_seconds=300)
        alarms.check(database, NOW)
        alarms.check(database, NOW + 60 * MINUTE)
    [alarm] = server.taken
    assert (
        "refused by every relay after 0 s; last answer of mail.example.com:25: 550."
        in (alarm["message"])
    )
    assert "cliente" not in str(alarm)


def test_a_ticket_that_nobody_tried_is_told_of(database: Database, queue: Queue) -> None:
    queue()
    with alarm_server() as server:
        Alarms([server.url], after_seconds=300).check(database, NOW + 5 * MINUTE)
    assert "never tried" in server.taken[0]["message"]


def test_sent_mails_and_acknowledgements_are_no_alarm(database: Database, queue: Queue) -> None:
    queue()
    attempt(database, "accepted", 250)
    queue(kind="acknowledgement")
    attempt(database, "refused", 550)
    queue(kind="acknowledgement")
    with alarm_server() as server:
        Alarms([server.url], after_seconds=300).check(database, NOW + 60 * MINUTE)
    assert server.taken == []


def test_a_surge_is_one_alarm(database: Database, queue: Queue) -> None:
    for number in range(30):
        queue(reference=f"INC-A{number:05}")
    with alarm_server() as server:
        Alarms([server.url], after_seconds=300).check(database, NOW + 5 * MINUTE)
    [alarm] = server.taken
    assert alarm["title"] == "Incident Reporter: 30 tickets are not sent"
    assert len(alarm["message"].splitlines()) == 21
    assert alarm["message"].endswith("and 10 more: reporter outbox list")


def test_late_mails_are_told_once_a_minute_at_most(database: Database, queue: Queue) -> None:
    with alarm_server() as server:
        alarms = Alarms([server.url], after_seconds=300)
        for seconds in (0, 10, 59, 60):
            queue(reference=f"INC-A{seconds:05}")
            alarms.check(database, NOW + 5 * MINUTE + timedelta(seconds=seconds))
    assert [alarm["title"].split()[2] for alarm in server.taken] == ["INC-A00000", "3"]


def test_another_worker_does_not_repeat_an_alarm(database: Database, queue: Queue) -> None:
    queue()
    with alarm_server() as server:
        for _ in range(3):
            Alarms([server.url], after_seconds=300).check(database, NOW + 5 * MINUTE)
    assert len(server.taken) == 1


def test_workers_that_alarm_at_once_tell_once(database: Database, queue: Queue) -> None:
    queue()

    def check(url: str) -> None:
        Alarms([url], after_seconds=300).check(database, NOW + 5 * MINUTE)

    with alarm_server() as server, ThreadPoolExecutor(4) as pool:
        list(pool.map(check, [server.url] * 4))
        assert len(server.taken) == 1


def test_an_alarm_of_before_the_clock_was_set_back_keeps_none_back(
    database: Database, queue: Queue
) -> None:
    queue()
    with alarm_server() as server:
        alarms = Alarms([server.url], after_seconds=300)
        alarms.check(database, NOW + 90 * MINUTE)
        queue()
        alarms.check(database, NOW + 30 * MINUTE)
    assert len(server.taken) == 2


def test_what_happens_while_it_is_told_of_is_told_too(
    database: Database, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A channel may take a while: meanwhile the late ticket has left, and has come back."""
    id_ = queue()
    later = NOW + 10 * MINUTE

    def slow(*_: object) -> bool:
        attempt(database, "accepted", 250)
        with database.write() as session:
            message = session.get_one(Message, id_)
            outbox.lock(session, message)
            outbox.come_back(session, message, "5.1.1 no such mailbox", later)
        monkeypatch.setattr(alarms, "tell", tell)
        return True

    monkeypatch.setattr(alarms, "tell", slow)
    with alarm_server() as server:
        told = Alarms([server.url], after_seconds=300)
        told.check(database, later)
        told.check(database, later + MINUTE)
    assert "refused by every relay" in server.taken[0]["message"]


def test_two_workers_that_see_its_end_tell_it_once(
    database: Database, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue()
    hold, later = alarms.hold, NOW + 10 * MINUTE
    with alarm_server() as server:
        one, other = (Alarms([server.url], after_seconds=300) for _ in range(2))
        one.check(database, NOW + 5 * MINUTE)
        attempt(database, "accepted", 250)

        def behind_another(*told: Any, **how: Any) -> bool:
            monkeypatch.setattr(alarms, "hold", hold)
            other.check(database, later)
            return hold(*told, **how)

        monkeypatch.setattr(alarms, "hold", behind_another)
        one.check(database, later)
    assert len(server.taken) == 2


def test_its_end_is_told_once_when_all_that_was_told_is_sent(
    database: Database, queue: Queue
) -> None:
    queue(), queue(reference="INC-A00000")
    with alarm_server() as server:
        alarms = Alarms([server.url], after_seconds=300)
        alarms.check(database, NOW + 5 * MINUTE)
        attempt(database, "accepted", 250)
        alarms.check(database, NOW + 10 * MINUTE)
        assert len(server.taken) == 1  # one of the two waits yet
        attempt(database, "accepted", 250)
        for minutes in (15, 16, 30):
            alarms.check(database, NOW + minutes * MINUTE)
        assert [alarm["title"] for alarm in server.taken[1:]] == [
            "Incident Reporter: all tickets are sent"
        ]
        assert server.taken[1]["message"].endswith("It took 10 min.")
        queue(reference="INC-B00000")
        alarms.check(database, NOW + 40 * MINUTE)
    assert server.taken[2]["title"] == "Incident Reporter: INC-B00000 is not sent"


def test_a_surge_keeps_no_other_alarm_back(database: Database, queue: Queue) -> None:
    """Nor is one kept back by it, nor a surge by the one before."""
    with alarm_server() as server:
        alarms = Alarms([server.url], after_seconds=300)
        queue()
        queue(kind="surge", reference="SURGE-email", due_at=NOW + 5 * MINUTE)
        alarms.check(database, NOW + 5 * MINUTE)
        queue(kind="surge", reference="SURGE-other", due_at=NOW + 5 * MINUTE)
        alarms.check(database, NOW + 5 * MINUTE)
    assert [alarm["title"].removeprefix("Incident Reporter: ") for alarm in server.taken] == [
        "SURGE-email",
        "INC-KX7M9Q is not sent",
        "SURGE-other",
    ]


def test_a_surge_is_told_of_though_its_mail_is_sent(database: Database, queue: Queue) -> None:
    queue(kind="surge", reference="SURGE-email")
    attempt(database, "accepted", 250)
    with alarm_server() as server:
        for minutes in (1, 2):
            Alarms([server.url], after_seconds=300).check(database, NOW + minutes * MINUTE)
    assert [alarm["title"] for alarm in server.taken] == ["Incident Reporter: SURGE-email"]


def test_an_answer_that_somebody_has_to_mend_is_told_at_once(
    database: Database, queue: Queue
) -> None:
    queue()
    attempt(database, "deferred", 550)
    queue(reference="INC-A00000")
    attempt(database, "deferred", 451)
    with alarm_server() as server:
        Alarms([server.url], after_seconds=300).check(database, NOW)
    [alarm] = server.taken
    assert "INC-KX7M9Q (ticket): still waiting after 0 s; last answer of" in alarm["message"]
    assert "INC-A00000" not in alarm["message"]


def test_a_database_that_stays_away_is_told_of_and_so_is_its_return(database_url: str) -> None:
    database = Database(database_url)  # without tables
    with alarm_server() as server:
        alarms = Alarms([server.url], after_seconds=300)
        for seconds in (0, 30, 60, 90):
            with pytest.raises(DBAPIError):
                alarms.watch(database, NOW + timedelta(seconds=seconds))
        Base.metadata.create_all(database.engine)
        server.status = 500
        alarms.watch(database, NOW + timedelta(seconds=105))
        server.status = 200  # and is told once a channel takes it
        for seconds in (120, 150):
            alarms.watch(database, NOW + timedelta(seconds=seconds))
    database.close()
    assert [alarm["title"] for alarm in server.taken] == [
        "Incident Reporter: no database",
        "Incident Reporter: the database is back",
    ]
    assert "after 2 min" in server.taken[1]["message"]


def test_an_alarm_that_no_channel_takes_is_an_error_and_told_later(
    database: Database, queue: Queue
) -> None:
    message_id = queue()
    with alarm_server(status=500) as server, capture_logs() as logs:
        alarms = Alarms([server.url, "nonsense://x"], after_seconds=300)
        alarms.check(database, NOW + 5 * MINUTE)
        assert [(e["log_level"], e["event"]) for e in logs] == [
            ("error", "unsent"),
            ("error", "alarm not taken"),
            ("error", "alarm not taken"),
        ]
        server.status = 200
        alarms.check(database, NOW + 5 * MINUTE + timedelta(seconds=59))
        assert server.taken == []
        alarms.check(database, NOW + 6 * MINUTE)
    assert len(server.taken) == 1
    with database.read() as session:
        assert session.get_one(Message, message_id).alarmed_at == NOW + 6 * MINUTE


def test_one_channel_that_takes_it_is_enough(database: Database, queue: Queue) -> None:
    queue()
    with alarm_server(status=500) as broken, alarm_server() as server:
        alarms = Alarms([broken.url, server.url], after_seconds=300)
        for minutes in (5, 10):
            alarms.check(database, NOW + minutes * MINUTE)
    assert len(server.taken) == 1


def test_without_channels_the_log_is_told_once(database: Database, queue: Queue) -> None:
    queue()
    with capture_logs() as logs:
        for minutes in (5, 10):
            Alarms([], after_seconds=300).check(database, NOW + minutes * MINUTE)
    assert logs == [
        {"event": "unsent", "log_level": "error", "references": ["INC-KX7M9Q"], "failed": 0}
    ]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-1, "0 s"), (59.9, "59 s"), (60, "1 min"), (3599, "59 min"), (7200, "2 h"), (90000, "1 d")],
)
def test_durations_are_spoken(seconds: float, words: str) -> None:
    assert spoken(seconds) == words
