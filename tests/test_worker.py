"""The worker with real databases, real SMTP servers and, where it is killed, real processes."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
import time_machine
from conftest import NOW, QUEUED, a_mail
from emptied import OF_THIS_DATABASE
from flask import Flask
from ports import free_port
from servers import HANG, HELD, SmtpServer, alarm_server, smtp_server
from sqlalchemy.exc import DBAPIError
from structlog.testing import capture_logs
from test_beats import alive
from waiting import until

from reporter.database import Database
from reporter.delivery import insisting, outbox, worker
from reporter.delivery.relays import Relay
from reporter.models import Base, Message
from reporter.operations import limits, status

MakeApp = Callable[..., Flask]
Queue = Callable[..., int]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "IDLE_SECONDS", 0.05)
    monkeypatch.setattr(insisting, "LONGEST_PAUSE_SECONDS", 0.05)


@contextlib.contextmanager
def running(app: Flask) -> Iterator[threading.Event]:
    """A worker in a thread, which must end soon after it is told to."""
    stop = threading.Event()
    thread = threading.Thread(target=worker.run, args=(app,), kwargs={"stop": stop})
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        thread.join(10)
        assert not thread.is_alive()


@contextlib.contextmanager
def process(database_url: str, server: SmtpServer, *options: str) -> Iterator[subprocess.Popen]:
    settings = {
        "SETTINGS": os.devnull,  # and not what this machine may be set up with
        "SECRET_KEY": "tests" * 8,
        "BASE_URL": "https://incidents.example.com",
        "SUPPORT_EMAIL": "support@example.com",
        "DATABASE_URL": database_url,
        "MAIL_SERVER": "127.0.0.1",
        "MAIL_PORT": str(server.port),
        "MAIL_TIMEOUT": "20",
        "WORKER_CONNECTIONS": "1",
    }
    child = subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "reporter", "worker", *options],
        env=os.environ | {f"REPORTER_{name}": value for name, value in settings.items()},
        cwd=Path(__file__).parent.parent,
        stderr=subprocess.PIPE,
    )
    with child:
        try:
            yield child
        finally:
            child.kill()


def states(database: Database) -> list[str]:
    with database.read() as session:
        return list(session.scalars(sa.select(Message.state).order_by(Message.id)))


def message_ids(server: SmtpServer) -> list[bytes]:
    return [mail.content.split(b"Message-ID: ")[1].split(b"\r\n")[0] for mail in server.received]


def content(number: int) -> bytes:
    return f"Message-ID: <{number}@example.com>\r\n\r\nx\r\n".encode()


def test_what_is_due_is_sent_in_order(database: Database, make_app: MakeApp, queue: Queue) -> None:
    ticket = queue(content=content(1))
    queue(kind="acknowledgement", content=content(2), after_id=ticket, recipient="a@example.com")
    queue(content=content(3), due_at=datetime.now(UTC) + timedelta(hours=1))
    with smtp_server() as server:
        worker.run(make_app(server.relay), once=True)
    assert message_ids(server) == [b"<1@example.com>", b"<2@example.com>"]
    assert [mail.recipients[0] for mail in server.received] == [
        "support@example.com",
        "a@example.com",
    ]
    assert states(database) == ["sent", "sent", "queued"]


def test_what_a_relay_refuses_the_fallback_takes(
    database: Database, make_app: MakeApp, queue: Queue
) -> None:
    message_id = queue()
    with smtp_server(answers={"DATA": ["554 5.6.0 no"]}) as first, smtp_server() as second:
        worker.run(make_app(first.relay, second.relay), once=True)
    with database.read() as session:
        message = session.get_one(Message, message_id)
        assert message.state == "sent"
        assert [(a.relay, a.outcome, a.code) for a in message.attempts] == [
            (first.relay.name, "refused", 554),
            (second.relay.name, "accepted", 250),
        ]


def test_a_deferred_mail_is_sent_when_its_time_comes(
    database: Database, make_app: MakeApp, queue: Queue
) -> None:
    queue()
    with smtp_server(answers={"DATA": ["451 later"]}) as server:
        app = make_app(server.relay)
        with time_machine.travel(NOW, tick=False) as clock:
            worker.run(app, once=True)
            assert states(database) == ["queued"]
            clock.shift(11.9)
            worker.run(app, once=True)
            assert server.commands.count("DATA") == 1
            clock.shift(6.2)
            worker.run(app, once=True)
    assert states(database) == ["sent"]


def test_a_refused_ticket_stays_listed_and_raises_the_alarm(
    database: Database, make_app: MakeApp, queue: Queue
) -> None:
    queue()
    with smtp_server(answers={"DATA": ["554 5.6.0 no"]}) as server, alarm_server() as alarms:
        worker.run(make_app(server.relay, ALARM_URLS=[alarms.url]), once=True)
    assert states(database) == ["failed"]
    assert "INC-KX7M9Q" in alarms.taken[0]["message"]


def test_a_worker_alone_sends_though_what_counts_the_limits_is_away_and_status_tells_it(
    database: Database, make_app: MakeApp, queue: Queue
) -> None:
    """Only web halves count: on a machine with none, whoever asks for its state is told."""
    queue()
    with smtp_server() as server:
        app = make_app(server.relay, RATELIMIT_STORAGE_URI=f"redis://127.0.0.1:{free_port()}")
        with running(app):
            until(lambda: states(database) == ["sent"])
    assert limits.AWAY in status.look(app, datetime.now(UTC)).troubles


def test_a_running_worker_sends_what_comes_and_holds_no_connection(
    database: Database, make_app: MakeApp, queue: Queue
) -> None:
    with smtp_server() as server, running(make_app(server.relay)):
        for count in (1, 2):
            queue()
            until(lambda count=count: len(server.received) == count)
            until(lambda: server.open_connections == 0)
    assert states(database) == ["sent", "sent"]


def test_several_workers_send_each_mail_once(
    database: Database, make_app: MakeApp, queue: Queue
) -> None:
    for number in range(40):
        queue(content=content(number))
    with smtp_server() as server, contextlib.ExitStack() as stack:
        for _ in range(4):
            stack.enter_context(running(make_app(server.relay)))
        until(lambda: states(database) == ["sent"] * 40)
    assert len(server.received) == 40
    assert len(set(message_ids(server))) == 40


def test_several_processes_send_each_mail_once(
    database: Database, database_url: str, queue: Queue
) -> None:
    for number in range(40):
        queue(content=content(number))
    answers = {"DATA": ["SLOW 0.02"] * 40}
    with (
        smtp_server(answers=answers) as server,
        process(database_url, server, "--once") as first,
        process(database_url, server, "--once") as second,
    ):
        assert (first.wait(30), second.wait(30)) == (0, 0)
    assert states(database) == ["sent"] * 40
    assert len(server.received) == 40
    assert len(set(message_ids(server))) == 40


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_the_mail_in_hand_be_finished(
    database: Database, database_url: str, queue: Queue, number: signal.Signals
) -> None:
    queue(), queue()
    with (
        smtp_server(answers={"DATA": [HELD]}) as server,
        process(database_url, server) as child,
    ):
        until(lambda: "DATA" in server.commands)
        until(lambda: alive(database, datetime.now(UTC)))
        child.send_signal(number)
        until(lambda: not alive(database, datetime.now(UTC)))  # it takes nothing up any more
        server.let_go.set()
        assert child.wait(20) == 0
    # Which is in hand is theirs to say: the first is passed by while somebody else has its row, as
    # whoever is telling the operator that both are late.
    assert sorted(states(database)) == ["queued", "sent"]


def test_an_idle_worker_ends_at_a_signal(database: Database, database_url: str) -> None:
    with smtp_server() as server, process(database_url, server) as child:
        assert child.stderr is not None
        child.stderr.readline()
        child.terminate()
        assert child.wait(20) == 0


def test_what_a_killed_worker_held_is_sent_by_the_next(
    database: Database, database_url: str, make_app: MakeApp, queue: Queue
) -> None:
    queue(content=content(1))
    with smtp_server(answers={"DATA": [HANG]}) as server:
        with process(database_url, server) as child:
            until(lambda: "DATA" in server.commands)
            child.kill()
        worker.run(make_app(server.relay), once=True)
    assert message_ids(server) == [b"<1@example.com>"] * 2
    assert states(database) == ["sent"]


def test_the_lease_is_longer_than_an_attempt_at_every_relay(make_app: MakeApp) -> None:
    relays = [Relay("mail.example.com"), Relay("other.example.com")]
    app = make_app(*relays, MAIL_TIMEOUT=20)
    lease_seconds = worker.Worker(app, once=True, stop=threading.Event()).lease_seconds
    assert lease_seconds == 2 * 6 * 20 + 60


def test_a_worker_waits_for_a_database_that_is_not_there_yet(
    database_url: str, make_app: MakeApp
) -> None:
    database = Database(database_url)
    with smtp_server() as server:
        app = make_app(server.relay)
        with capture_logs() as logs, running(app):
            until(lambda: sum(e["event"] == "database unavailable" for e in logs) > 2)
            Base.metadata.create_all(database.engine)
            with database.write() as session:
                outbox.enqueue(session, a_mail(mime_id="<1@example.com>"), **QUEUED)
            until(lambda: states(database) == ["sent"])
    database.close()
    told = [entry for entry in logs if entry["event"] == "database unavailable"]
    assert {entry["log_level"] for entry in told} == {"error"}


def test_a_worker_that_runs_once_gives_up_without_a_database(
    database_url: str, make_app: MakeApp
) -> None:
    with smtp_server() as server, pytest.raises(DBAPIError):
        worker.run(make_app(server.relay), once=True)


def test_a_mail_accepted_while_the_database_is_away_is_sent_once(
    database: Database, make_app: MakeApp, queue: Queue
) -> None:
    queue()

    def rename(old: str, new: str) -> None:
        with database.write() as session:
            session.execute(sa.text(f"ALTER TABLE {old} RENAME TO {new}"))

    with smtp_server(answers={"DATA": [HELD]}) as server:
        app = make_app(server.relay)
        with capture_logs() as logs, running(app):
            until(lambda: "DATA" in server.commands)
            rename("message", "away")
            server.let_go.set()
            until(lambda: sum(e["event"] == "database unavailable" for e in logs) > 2)
            rename("away", "message")
            until(lambda: states(database) == ["sent"])
    assert len(server.received) == 1


def test_a_lost_connection_to_postgresql_is_opened_again(
    database: Database, make_app: MakeApp, queue: Queue
) -> None:
    with smtp_server() as server, running(make_app(server.relay)):
        queue()
        until(lambda: states(database) == ["sent"])
        if database.engine.dialect.name == "postgresql":
            others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            with database.write() as session:
                session.execute(sa.text(f"{others} WHERE {OF_THIS_DATABASE}"))
        queue()
        until(lambda: states(database) == ["sent", "sent"])


def test_logs_name_the_ticket_and_no_person(
    database: Database, make_app: MakeApp, queue: Queue
) -> None:
    queue(recipient="inigo@cliente.example", content=b"Subject: Secreto\r\n\r\nSecreto\r\n")
    reply = "550 5.1.1 <inigo@cliente.example> Secreto"  # of support's address: the operator's
    with smtp_server(answers={"RCPT": [reply]}) as server:
        app = make_app(server.relay)
        with capture_logs() as logs:
            worker.run(app, once=True)
    attempt = {"reference": "INC-KX7M9Q", "kind": "ticket", "attempt": 1, "code": 550}
    attempt |= {"relay": server.relay.name, "outcome": "deferred"}
    assert {"event": "attempt", "log_level": "info"} | attempt in logs
    assert not any(word in str(logs) for word in ("cliente", "Secreto", "5.1.1"))
