"""What an operator reads and does about mails on a terminal."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from email import policy
from email.message import EmailMessage
from pathlib import Path

import conftest
import pytest
import time_machine
from conftest import NOW, claim
from factories import SETTINGS, an_app
from flask import Flask
from flask.testing import FlaskCliRunner

from reporter.database import Database
from reporter.delivery import outbox
from reporter.delivery.smtp import AttemptResult
from reporter.models import Message

Queue = Callable[..., int]

DEFERRED = AttemptResult("mail.example.com:25", "deferred", 451, "4.3.0 later\n4.3.0 \x1b[31mred")
REFUSED = AttemptResult("mail.example.com:25", "refused", 550, "5.1.1 unknown")
SENT = AttemptResult("mail.example.com:25", "accepted", 250, "ok")


@pytest.fixture
def cli(database: Database, make_app: Callable[..., Flask]) -> FlaskCliRunner:
    return make_app().test_cli_runner()


def run(cli: FlaskCliRunner, *words: str) -> str:
    with time_machine.travel(NOW + timedelta(minutes=7), tick=False):
        result = cli.invoke(args=words)
    assert result.exit_code == 0, result.output
    return result.output


def record(database: Database, result: AttemptResult) -> None:
    claimed = claim(database, NOW + timedelta(minutes=6, seconds=30))
    assert claimed is not None
    conftest.record(database, claimed, [result], NOW + timedelta(minutes=7))


def test_list_shows_what_waits_and_what_failed(
    cli: FlaskCliRunner, database: Database, queue: Queue
) -> None:
    ticket = queue()
    record(database, DEFERRED)
    queue(kind="acknowledgement", after_id=ticket)
    queue(reference="INC-A00000")
    record(database, REFUSED)
    queue(reference="INC-B00000")
    claim(database, NOW + timedelta(minutes=7))
    queue(reference="INC-C00000")
    table = run(cli, "outbox", "list")
    assert table.splitlines() == [
        "REFERENCE   KIND             STATE       AGE  DUE             TRIES  LAST",
        "INC-KX7M9Q  ticket           queued    7 min  in 15 s             1  451",
        "INC-KX7M9Q  acknowledgement  queued    7 min  after the other     0  -",
        "INC-A00000  ticket           failed    7 min  -                   1  550",
        "INC-B00000  ticket           queued    7 min  being sent          1  -",
        "INC-C00000  ticket           queued    7 min  now                 0  -",
    ]


def test_list_tells_no_age_of_what_was_put_off(cli: FlaskCliRunner, queue: Queue) -> None:
    """What one mailbox is sent too much of counts from when it is due."""
    queue(kind="acknowledgement", due_at=NOW + timedelta(hours=2))
    row = run(cli, "outbox", "list").splitlines()[1]
    assert row == "INC-KX7M9Q  acknowledgement  queued        -  in 1 h              0  -"


def test_show_tells_until_when_a_mail_was_put_off(cli: FlaskCliRunner, queue: Queue) -> None:
    queue(kind="acknowledgement", due_at=NOW + timedelta(hours=2))
    shown = run(cli, "outbox", "show", "INC-KX7M9Q").splitlines()
    assert shown[1] == f"  put off to {NOW + timedelta(hours=2):%Y-%m-%d %H:%M:%S} UTC"


def test_list_leaves_out_what_was_sent(
    cli: FlaskCliRunner, database: Database, queue: Queue
) -> None:
    queue()
    record(database, SENT)
    assert re.fullmatch(
        r"Nothing waits: every mail of the database \S+ was sent\.\n", run(cli, "outbox", "list")
    )


def test_show_tells_attempts_answers_and_headers(
    cli: FlaskCliRunner, database: Database, queue: Queue
) -> None:
    queue(content=b"Subject: =?utf-8?q?INC-KX7M9Q_ca=C3=ADda?=\r\nX-Two: b\r\n\r\nbody\r\n")
    record(database, DEFERRED)
    assert run(cli, "outbox", "show", "inc-kx7m9q").splitlines() == [
        "INC-KX7M9Q ticket: queued",
        "  saved 2026-11-23 01:40:00 UTC",
        "  due   in 15 s",
        "  to    support@example.com",
        "  2026-11-23 01:47:00 UTC  mail.example.com:25  deferred 451",
        "    4.3.0 later",
        "    4.3.0 ?[31mred",
        "  headers",
        "    Subject: INC-KX7M9Q caída",
        "    X-Two: b",
        "",
    ]


def test_retry_makes_a_mail_due_now(cli: FlaskCliRunner, database: Database, queue: Queue) -> None:
    queue()
    record(database, REFUSED)
    assert run(cli, "outbox", "retry", "inc-kx7m9q") == "1 due now.\n"
    assert run(cli, "outbox", "list").splitlines()[1].split()[2:6] == ["queued", "7", "min", "now"]


@pytest.mark.parametrize("typed", ["kx7m9q", "INC KX7M9Q", "INC–KX7M9Q"])
def test_a_reference_may_be_typed_as_people_write_it(
    cli: FlaskCliRunner, queue: Queue, typed: str
) -> None:
    queue()
    assert run(cli, "outbox", "show", typed).startswith("INC-KX7M9Q ticket: queued\n")
    assert run(cli, "outbox", "retry", typed) == "1 due now.\n"


@pytest.mark.parametrize("typed", ["SURGE-virtual-server", "surge-Virtual-SERVER"])
def test_a_reference_may_be_typed_in_any_case(
    cli: FlaskCliRunner, queue: Queue, typed: str
) -> None:
    queue(kind="surge", reference="SURGE-virtual-server")
    assert run(cli, "outbox", "show", typed).startswith("SURGE-virtual-server surge: queued\n")
    assert run(cli, "outbox", "retry", typed) == "1 due now.\n"


def test_retry_says_so_when_there_is_nothing_to_do(
    cli: FlaskCliRunner, database: Database, queue: Queue
) -> None:
    queue()
    record(database, SENT)
    assert "Nothing to retry" in run(cli, "outbox", "retry", "INC-KX7M9Q")


@pytest.mark.parametrize("command", ["show", "retry"])
def test_an_unknown_reference_is_an_error(cli: FlaskCliRunner, command: str) -> None:
    result = cli.invoke(args=["outbox", command, "inc-zzzzzz"])
    assert result.exit_code == 1
    assert result.output.startswith("Error: no mail of the database ")
    assert result.output.endswith(" has the reference inc-zzzzzz\n")


def test_retry_takes_several_references_all_or_what_failed(
    cli: FlaskCliRunner, database: Database, queue: Queue
) -> None:
    queue()
    record(database, REFUSED)
    queue(reference="INC-A00000")
    ticket = queue(reference="INC-B00000")
    queue(kind="acknowledgement", reference="INC-B00000", after_id=ticket)
    assert run(cli, "outbox", "retry", "--failed") == "1 due now.\n"
    assert run(cli, "outbox", "retry", "INC-KX7M9Q", "inc-a00000") == "2 due now.\n"
    assert run(cli, "outbox", "retry", "--all") == "3 due now, and 1 once the other is sent.\n"


def test_retry_floods_no_mailbox_that_was_sent_enough(
    cli: FlaskCliRunner, database: Database, queue: Queue
) -> None:
    """What waits for a mailbox's limit was put off on purpose, and goes on waiting."""
    queue()
    later = NOW + timedelta(hours=2)
    held = queue(kind="acknowledgement", mailbox="ana", reference="INC-A00000", due_at=later)
    waits = "wait on: their mailboxes were sent enough (reporter outbox list).\n"
    assert run(cli, "outbox", "retry", "--all") == f"1 due now.\n1 {waits}"
    assert run(cli, "outbox", "retry", "INC-A00000") == f"0 due now.\n1 {waits}"
    to = run(cli, "outbox", "retry", "INC-A00000", "--to", "other@example.com")
    assert to == f"0 due now to other@example.com.\n1 {waits}"
    with database.read() as session:
        message = session.get_one(Message, held)
        assert (message.due_at, message.recipient) == (later, "other@example.com")


def test_list_says_that_a_mail_was_returned(
    cli: FlaskCliRunner, database: Database, queue: Queue
) -> None:
    ticket = queue()
    record(database, SENT)
    with database.write() as session:
        outbox.come_back(session, session.get_one(Message, ticket), "no such user", NOW)
    assert run(cli, "outbox", "list").splitlines()[1].endswith(" 1  returned")


def test_retry_follows_the_setting_or_goes_to_the_address_that_is_given(
    cli: FlaskCliRunner, database: Database, queue: Queue
) -> None:
    queue(recipient="wrong@example.com")
    record(database, REFUSED)
    run(cli, "outbox", "retry", "INC-KX7M9Q")
    assert "  to    support@example.com\n" in run(cli, "outbox", "show", "INC-KX7M9Q")
    told = run(cli, "outbox", "retry", "INC-KX7M9Q", "--to", "other@example.com")
    assert told == "1 due now to other@example.com.\n"
    assert "  to    other@example.com\n" in run(cli, "outbox", "show", "INC-KX7M9Q")


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("INC-KX7M9Q", "--all"),
        ("INC-KX7M9Q", "--to", "A <a@example.com>"),
        ("INC-KX7M9Q", "--to", ""),
        ("--all", "--to", "íñigo@example.com"),
    ],
)
def test_retry_of_who_knows_what_is_an_error(
    cli: FlaskCliRunner, queue: Queue, words: tuple[str, ...]
) -> None:
    queue()
    assert cli.invoke(args=["outbox", "retry", *words]).exit_code == 2


def test_show_tells_the_body_when_asked_and_steers_no_terminal(
    cli: FlaskCliRunner, queue: Queue
) -> None:
    mail = EmailMessage(policy=policy.SMTP)
    mail["Subject"] = "a\u202eb"
    mail.set_content("Línea uno\n\x1b[31mrojo\x1b]0;title\x07\n", cte="quoted-printable")
    mail.add_attachment(b"abc", "image", "png", filename="a\x1b[2J.png")
    queue(content=mail.as_bytes())
    assert "Línea" not in run(cli, "outbox", "show", "INC-KX7M9Q")
    told = run(cli, "outbox", "show", "INC-KX7M9Q", "--body")
    assert "  body\n    Línea uno\n    rojo\n" in told
    assert "  part  image/png  3 bytes  a" in told
    assert not set(told) & set("\x1b\x07\u202e")


def loaded_by(folder: Path, code: str, *words: str) -> set[str]:
    """The modules that a new process has in the end."""
    code = (
        f"import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr)); {code}"
    )
    with an_app(folder):
        given = {name: str(SETTINGS[name]) for name in ("SECRET_KEY", "BASE_URL", "SUPPORT_EMAIL")}
        given["DATABASE_URL"] = f"sqlite:///{folder / 'reporter.db'}"
        done = subprocess.run(
            [sys.executable, "-c", code, *words],
            env={**os.environ, **{f"REPORTER_{name}": value for name, value in given.items()}},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    return set(done.stderr.split())


def test_a_command_loads_what_it_uses_alone(tmp_path: Path) -> None:
    """It is typed while things are down: each of these takes longer to load than to list mails."""
    loaded = loaded_by(tmp_path, "from reporter.cli import main; main()", "outbox", "list")
    assert "sqlalchemy.orm" in loaded
    assert not loaded & {
        "PIL", "alembic", "flask_limiter", "granian", "phonenumbers", "prometheus_client",
        "sqlalchemy.dialects.postgresql", "wtforms", "reporter.attachments", "reporter.desk",
        "reporter.operations.purge", "reporter.reports", "reporter.wizard",
    }  # fmt: skip


def test_pages_are_loaded_without_what_few_of_them_need(tmp_path: Path) -> None:
    """Together they take megabytes: pictures, numbers of cards, colours, what programs read."""
    code = "from reporter import create_app; create_app(); import reporter.serving.server"
    loaded = loaded_by(tmp_path, code)
    assert {"granian", "wtforms", "phonenumbers", "reporter.wizard.views"} <= loaded
    assert not loaded & {
        "PIL", "alembic", "apprise", "prometheus_client", "psycopg", "redis", "rich", "stdnum",
        "xml.etree.ElementTree",
    }  # fmt: skip
