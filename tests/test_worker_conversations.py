"""Several mails in flight at once: what one that hangs, a relay that does, and an end mean."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import repeat
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from servers import HANG, HELD, alarm_server, drips, never_ends, says, smtp_server, talks
from test_worker import content, message_ids, running, states
from waiting import until

from reporter.database import Database
from reporter.delivery import conversations, health, worker
from reporter.delivery.clock import behind
from reporter.delivery.relays import Relay
from reporter.models import Message

MakeApp = Callable[..., Flask]
Queue = Callable[..., int]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "IDLE_SECONDS", 0.05)
    monkeypatch.setattr(worker, "GRACE_SECONDS", 0.3)
    monkeypatch.setattr(worker, "CUT_SECONDS", 0.5)


def test_a_mail_that_hangs_holds_one_conversation_and_not_the_others(
    database: Database, make_app: MakeApp, queue: Queue
) -> None:
    for number in range(6):
        queue(content=content(number), reference=f"INC-A0000{number}")
    with smtp_server(answers={"DATA": [HANG]}) as server:
        with running(make_app(server.relay, WORKER_CONNECTIONS=2, MAIL_TIMEOUT=30)):
            # Which of the first two is at the dot first is theirs to say.
            until(lambda: sorted(states(database)) == ["queued"] + ["sent"] * 5)
        assert server.commands.count("DATA") == 6
    with database.read() as session:
        [waits] = session.scalars(sa.select(Message).where(Message.state == "queued"))
        assert waits.claimed_by is None  # cut off, and due again


def test_a_wait_ends_though_a_signal_comes_just_before(make_app: MakeApp) -> None:
    """Its handler runs within the wait, and past the end of it: a worker that waits on knows
    nothing of the order to stop."""
    waiting = conversations.Conversations(make_app(), 1, {}, None)
    came: list[int] = []

    def handle(number: int, _frame: object) -> None:
        came.append(number)
        time.sleep(0.4)

    before = signal.signal(signal.SIGUSR1, handle)
    told = threading.Timer(0.1, signal.pthread_kill, (threading.get_ident(), signal.SIGUSR1))
    in_vain = threading.Timer(20.0, waiting.wake)
    try:
        told.start()
        in_vain.start()
        assert waiting.wait(0.3) is None, "it had to be woken"
        assert came == [signal.SIGUSR1]
    finally:
        in_vain.cancel()
        signal.signal(signal.SIGUSR1, before)
        waiting.end(20.0)


def test_as_many_mails_are_in_flight_as_are_set(
    database: Database, make_app: MakeApp, queue: Queue
) -> None:
    for number in range(4):
        queue(content=content(number))
    with (
        smtp_server(answers={"DATA": repeat(HELD, 4)}) as server,
        running(make_app(server.relay, WORKER_CONNECTIONS=3)),
    ):
        until(lambda: server.commands.count("DATA") == 3)
        assert server.open_connections == 3
        server.let_go.set()
        until(lambda: states(database) == ["sent"] * 4)


def test_a_critical_ticket_does_not_wait_behind_a_queue(
    database: Database, make_app: MakeApp, queue: Queue
) -> None:
    for number in range(60):
        queue(kind="notice", reference="N-7M9Q", content=content(number))
    with (
        smtp_server(answers={"DATA": repeat("SLOW 0.05")}) as server,
        running(make_app(server.relay, WORKER_CONNECTIONS=2)),
    ):
        until(lambda: len(server.received) >= 4)
        queue(severity=1, content=content(100))
        before = len(server.received)
        until(lambda: b"<100@example.com>" in message_ids(server))
    # Those in hand, and those that were claimed while it was being queued.
    assert message_ids(server).index(b"<100@example.com>") <= before + 4


def test_a_new_mail_is_sent_at_once(
    database: Database, make_app: MakeApp, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL tells of it; on SQLite the file is seen to have changed."""
    monkeypatch.setattr(worker, "IDLE_SECONDS", 3600.0)
    # Who tells an alarm holds the mail for a moment, and is looked past until the next look.
    monkeypatch.setattr(worker.Worker, "_alarm", lambda _: None)
    with smtp_server() as server, running(make_app(server.relay)):
        for count in (1, 2, 3):
            queue(content=content(count))
            until(lambda count=count: states(database) == ["sent"] * count)


@pytest.mark.parametrize(
    ("answers", "command", "tries"),
    [
        ({"MAIL": repeat("421 4.3.2 too busy")}, "MAIL", 1),
        ({"RCPT": repeat("452 4.3.1 no room")}, "RCPT", 1),
        ({"RCPT": repeat("451 slow down")}, "RCPT", health.IN_A_ROW),
        ({"RCPT": repeat("550 5.7.1 relaying denied")}, "RCPT", health.IN_A_ROW),
        ({"DATA": repeat("554 no")}, "DATA", health.IN_A_ROW),
    ],
)
def test_a_relay_that_takes_nothing_pauses_and_not_mail_by_mail(
    database: Database,
    make_app: MakeApp,
    queue: Queue,
    answers: dict[str, Iterator[str]],
    command: str,
    tries: int,
) -> None:
    for number in range(8):
        queue(content=content(number), reference=f"INC-A0000{number}")
    with smtp_server(answers=answers) as server:
        worker.run(make_app(server.relay), once=True)
        assert server.commands.count(command) == tries
    assert states(database) == ["queued"] * 8


def test_one_success_lets_all_go_that_waited_for_the_relay(
    database: Database, make_app: MakeApp, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None waits for the end of its own backoff, which is 12 s and more."""
    monkeypatch.setattr(health, "FIRST_PAUSE_SECONDS", 0.05)
    for number in range(8):
        queue(content=content(number), reference=f"INC-A0000{number}")
    with (
        smtp_server(answers={"RCPT": repeat("451 4.7.1 greylisted", 6)}) as server,
        running(make_app(server.relay, WORKER_CONNECTIONS=2)),
    ):
        until(lambda: states(database) == ["sent"] * 8, 10)


@contextlib.contextmanager
def hanging(where: str) -> Iterator[Relay]:
    """A relay that never comes to an end with us."""
    if where == "silent":
        with says(None) as relay:
            yield relay
    elif where in {"drips", "never_ends"}:
        with talks({"drips": drips, "never_ends": never_ends}[where]) as relay:
            yield relay
    else:
        with smtp_server(answers={where: repeat(HANG)}) as server:
            yield server.relay


@pytest.mark.parametrize("where", ["silent", "drips", "never_ends", "MAIL", "RCPT", "DATA"])
def test_a_worker_ends_though_its_relay_hangs_and_gives_the_mail_back(
    database: Database, make_app: MakeApp, queue: Queue, where: str
) -> None:
    message_id = queue()
    with hanging(where) as relay:
        app = make_app(relay, MAIL_TIMEOUT=600)
        with running(app):
            until(lambda: claimed_by(database, message_id))
        assert claimed_by(database, message_id) is None
    assert states(database) == ["queued"]


def test_the_operator_is_told_while_every_conversation_hangs(
    database: Database, make_app: MakeApp, queue: Queue
) -> None:
    hangs = queue(kind="acknowledgement")
    settings = {"ALARM_AFTER_SECONDS": 1, "WORKER_CONNECTIONS": 1, "MAIL_TIMEOUT": 600}
    with (
        hanging("DATA") as relay,
        alarm_server() as channel,
        running(make_app(relay, ALARM_URLS=[channel.url], **settings)),
    ):
        until(lambda: claimed_by(database, hangs))
        queue(content=content(1), reference="INC-A00001")
        until(lambda: channel.taken)
        assert claimed_by(database, hangs)
    assert channel.taken[0]["title"] == "Incident Reporter: INC-A00001 is not sent"


def test_a_worker_ends_though_a_look_up_hangs(
    database: Database, make_app: MakeApp, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which nothing can end: it is left alone."""
    over = threading.Event()
    monkeypatch.setattr(worker, "CUT_SECONDS", 0.3)
    monkeypatch.setattr("reporter.delivery.connecting._look_up", lambda *_: [over.wait(60)][1:])
    message_id = queue()
    try:
        with running(make_app(Relay("relay.example.com", timeout=600))):
            until(lambda: claimed_by(database, message_id))
        assert claimed_by(database, message_id) is None
    finally:
        over.set()


def claimed_by(database: Database, message_id: int) -> str | None:
    with database.read() as session:
        return session.get_one(Message, message_id).claimed_by


def test_a_fault_of_ours_ends_no_conversation(
    database: Database, make_app: MakeApp, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue(), queue(reference="INC-A00000", content=content(2))
    right = conversations.deliver
    faults = iter([RuntimeError])

    def deliver(*args: Any, **options: Any) -> Any:
        for fault in faults:
            raise fault
        return right(*args, **options)

    monkeypatch.setattr(conversations, "deliver", deliver)
    with smtp_server() as server:
        worker.run(make_app(server.relay), once=True)
    assert states(database) == ["sent", "sent"]


def test_the_clock_of_postgresql_counts_and_not_this_machines(database: Database) -> None:
    ahead = timedelta(seconds=90)
    with time_machine.travel(datetime.now(UTC) + ahead):
        found = behind(database)
    if database.engine.dialect.name == "postgresql":
        assert abs(found + ahead) < timedelta(seconds=30)
    else:
        assert found == timedelta()


def test_more_mails_than_are_recorded_together_are_all_recorded(
    database: Database, make_app: MakeApp, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversations, "GATHER_MAILS", 3)
    for number in range(40):
        queue(kind="notice", reference="N-7M9Q", content=content(number))
    with smtp_server() as server:
        worker.run(make_app(server.relay, WORKER_CONNECTIONS=2), once=True)
    assert states(database) == ["sent"] * 40
    assert len(server.received) == 40


def test_what_was_claimed_ahead_is_given_back_untried_where_every_conversation_hangs(
    database: Database, make_app: MakeApp, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another worker may have a conversation for it."""
    monkeypatch.setattr(conversations, "AHEAD_WAIT_SECONDS", 0.2)
    ids = [queue(kind="notice", reference="N-7M9Q", content=content(n)) for n in range(30)]
    with smtp_server(answers={"DATA": ["250 ok"] * 10 + [HANG]}) as server:
        app = make_app(server.relay, WORKER_CONNECTIONS=1, MAIL_TIMEOUT=600)
        with running(app):
            until(lambda: server.commands.count("DATA") == 11)
            until(lambda: sum(claimed_by(database, id_) is not None for id_ in ids) == 1)
    with database.read() as session:
        tries = [session.get_one(Message, id_).attempt_count for id_ in ids]
    assert tries == [1] * 11 + [0] * 19
