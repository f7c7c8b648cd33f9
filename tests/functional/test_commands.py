"""The commands, as an operator meets them: starting, stopping, dying, and being set wrongly."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from factories import sqlite_url, values
from flask import Flask
from running import (
    BROKEN,
    Process,
    Service,
    Visitor,
    command,
    environment,
    family,
    running,
    until,
)
from servers import hears, smtp_server

from reporter.cli import COMMANDS, load
from reporter.database import Database
from reporter.database.url import driver_url
from reporter.demo.mailbox import LOOPBACK
from reporter.extensions import migrations
from reporter.models import Base
from reporter.serving.keeper import DRAIN_SECONDS

WRONG = {"SECRET_KEY": "", "SUPPORT_EMAIL": "nobody", "MAIL_PORT": "0", "COLOUR": "red"}
MENDING = [
    "COLOUR is not a setting",
    "SECRET_KEY is missing: set it to at least 32 random characters",
    'SUPPORT_EMAIL is not an email address: "nobody"',
    "MAIL_PORT must be between 1 and 65535, not 0",
]
ENDS = [["serve"], ["web"], ["worker"], ["worker", "--once"], ["db", "upgrade"], ["outbox", "list"]]


@contextmanager
def half_sent(service: Service, **headers: str) -> Iterator[Callable[[], bytes]]:
    """A valid form of which the service has a half; the rest is sent, and answered, when asked."""
    visitor = Visitor(service)
    visitor.open("/report/failure")
    form = urlencode({**visitor.page.fields, **values("failure")}).encode()
    lines = {
        "Host": LOOPBACK,
        "Cookie": "; ".join(map("=".join, visitor.client.cookies.items())),
        "Content-Type": "application/x-www-form-urlencoded",
        "Content-Length": str(len(form)),
        "Expect": "100-continue",  # said by who has it in hand, and reads on
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in {**lines, **headers}.items())
    with socket.create_connection((LOOPBACK, service.port), timeout=20) as connection:
        connection.sendall(f"POST /report/failure HTTP/1.1\r\n{head}\r\n".encode() + form[:20])
        assert hears(connection, b"\r\n\r\n").startswith(b"HTTP/1.1 100 ")

        def rest() -> bytes:
            connection.sendall(form[20:])
            return hears(connection)

        yield rest


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) != 0


def kept(service: Service) -> list[Process]:
    """The processes of its web server that answer."""
    assert service.keeper
    return family(service.keeper.pid)[1:]


def kill(process: Process | None) -> None:
    assert process
    assert process.is_alive()
    os.kill(process.pid, signal.SIGKILL)


class TestServe:
    def test_it_takes_reports_and_delivers_them(self, tmp_path: Path) -> None:
        with (
            smtp_server() as smtp,
            running(tmp_path, "serve", MAIL_SERVER=LOOPBACK, MAIL_PORT=smtp.port) as service,
        ):
            everything = service.tree()
            assert Visitor(service).report().status == 200
            until(lambda: len(smtp.received) == 2)
            assert service.end() == 0
            assert not any(process.is_alive() for process in everything)
        assert all(json.loads(line)["event"] for line in service.log.splitlines())

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_told_to_stop_it_answers_what_is_in_flight_and_ends_well(
        self, tmp_path: Path, number: signal.Signals
    ) -> None:
        with running(tmp_path, "serve") as service, half_sent(service) as rest:
            service.process.send_signal(number)
            until(lambda: "worker stopped" in service.log)
            assert rest().startswith(b"HTTP/1.1 303 ")
            assert service.process.wait(30) == 0
            assert is_free(service.port)

    def test_clients_that_are_slow_keep_nobody_else_waiting(self, tmp_path: Path) -> None:
        with running(tmp_path, "serve") as service, ExitStack() as slow:
            for _ in range(40):
                slow.enter_context(half_sent(service))
            for _ in range(8):  # with one process or the other
                assert Visitor(service).peek("/").status == 200

    def test_it_takes_reports_while_redis_is_away(self, tmp_path: Path) -> None:
        away = "redis://127.0.0.1:1"
        with running(tmp_path, "serve", RATELIMIT_STORAGE_URI=away) as service:
            assert "INC-" in Visitor(service).report().text

    @pytest.mark.parametrize("half", ["web", "worker"])
    def test_when_one_half_dies_all_ends_and_says_which(self, tmp_path: Path, half: str) -> None:
        with running(tmp_path, "serve") as service:
            everything = service.tree()
            kill(service.keeper if half == "web" else service.worker)
            assert service.process.wait(30) == 1
            assert f"{half} ended with -9: stopping all" in service.log
            until(lambda: not any(process.is_alive() for process in everything))
            assert is_free(service.port)

    def test_told_to_stop_while_it_starts_it_ends_at_once(self, tmp_path: Path) -> None:
        command(tmp_path, "db", "upgrade")
        service = Service(tmp_path, "web")
        for _ in range(3):
            service.start()
            until(lambda: len(service.tree()) > 1)  # the first of its processes is starting
            assert service.end(seconds=DRAIN_SECONDS / 2) == 0

    def test_a_process_of_the_web_server_that_dies_is_replaced(self, tmp_path: Path) -> None:
        with running(tmp_path, "serve", WEB_PROCESSES=1) as service:
            [child] = kept(service)
            kill(child)
            until(lambda: not child.is_alive())
            until(service.is_ready)
            assert "a process of the web server ended with -9" in service.log
            with half_sent(service) as rest:
                service.process.send_signal(signal.SIGTERM)
                until(lambda: "worker stopped" in service.log)
                assert rest().startswith(b"HTTP/1.1 303 ")
            assert service.process.wait(30) == 0

    def test_one_that_dies_again_and_again_ends_all(self, tmp_path: Path) -> None:
        with running(tmp_path, "serve", WEB_PROCESSES=1) as service:
            everything = service.tree()
            [first] = kept(service)
            kill(first)
            second, *_ = until(lambda: [one for one in kept(service) if one != first])
            kill(second)
            assert service.process.wait(30) == 1
            assert "web ended with 1: stopping all" in service.log
            until(lambda: not any(process.is_alive() for process in everything))

    @pytest.mark.parametrize("name", ["keeper", "supervisor"])
    def test_who_only_watches_has_loaded_nothing(self, name: str) -> None:
        """A process with all of it takes 75 MiB, and one without 6."""
        code = f"import sys, reporter.serving.{name}; print(*sys.modules)"
        loaded = subprocess.check_output([sys.executable, "-c", code], text=True).split()
        assert not {"click", "flask", "sqlalchemy", "granian", "email"} & set(loaded)

    def test_killed_it_leaves_nothing_behind(self, tmp_path: Path) -> None:
        with running(tmp_path, "serve") as service:
            everything = service.tree()
            assert len(everything) == 5  # itself, web and its two, worker
            os.kill(service.process.pid, signal.SIGKILL)
            service.process.wait(10)
            until(lambda: not any(process.is_alive() for process in everything))
            assert is_free(service.port)

    @pytest.mark.parametrize("name", ["serve", "web"])
    def test_a_port_in_use_is_said_in_a_line(self, tmp_path: Path, name: str) -> None:
        with socket.create_server((LOOPBACK, 0), reuse_port=True) as taken:
            port = taken.getsockname()[1]
            done = command(tmp_path, name, "--port", str(port))
        assert done.returncode == 1
        reason = f"cannot listen on 127.0.0.1, port {port}: Address already in use"
        assert done.stderr == f"Error: {reason}\n"


class TestDemonstration:
    def test_it_runs_from_an_empty_folder_and_shows_the_mails(self, tmp_path: Path) -> None:
        settings = dict.fromkeys(("SECRET_KEY", "SUPPORT_EMAIL", "PROVIDER_NAME"), "")
        with running(tmp_path, "serve", "--demo", **settings) as service:
            assert f"{service.url}/inbox" in service.log
            (link,) = re.findall(rf"{service.url}(/desk/welcome/\S+)", service.log)
            support = Visitor(service, "en")
            support.open(link)
            assert "No report is open." in support.submit().text
            visitor = Visitor(service, "en")
            assert "INC-" in visitor.report().text
            until(lambda: visitor.open("/inbox").html.count("<li>") == 2)
            [ticket] = [path for path, text in visitor.page.links.items() if "SEV1" in text]
            assert "reporter_email: inigo@example.com" in visitor.open(ticket).text

    def test_the_other_commands_work_on_it(self, tmp_path: Path) -> None:
        settings = dict.fromkeys(("SECRET_KEY", "SUPPORT_EMAIL", "PROVIDER_NAME"), "")
        with running(tmp_path, "serve", "--demo", **settings) as service:
            assert "REPORTER_SETTINGS=instance/demo/settings.toml reporter" in service.log
            bare = {k: v for k, v in os.environ.items() if not k.startswith("REPORTER_")}
            done = subprocess.run(
                [sys.executable, "-m", "reporter", "staff", "add", "Ana", "ana@example.com"],
                cwd=tmp_path,
                env=bare | {"REPORTER_SETTINGS": "instance/demo/settings.toml"},
                capture_output=True,
                text=True,
                check=True,
            )
            assert done.stdout.startswith(f"{service.url}/desk/welcome/")
            page = Visitor(service, "en").open(done.stdout.strip().removeprefix(service.url))
            assert "Choose the password" in page.text
        written = tmp_path / "instance/demo/settings.toml"
        assert written.stat().st_mode & 0o077 == 0

    def test_its_inbox_is_for_this_machine_alone(self, tmp_path: Path) -> None:
        with running(tmp_path, "serve", "--demo", TRUSTED_PROXIES=1) as service:
            client = Visitor(service)

            def status(**headers: str) -> int:
                sent = {name.replace("_", "-"): value for name, value in headers.items()}
                return client.ask("GET", "/inbox", headers=sent).status

            assert status() == 200
            assert status(Host=f"localhost:{service.port}") == 200
            assert status(Host="incidents.example.com") == 404
            assert status(X_Forwarded_For="203.0.113.7") == 404

    def test_it_sends_no_mail_to_anybody_whatever_is_set(self, tmp_path: Path) -> None:
        with (
            smtp_server() as smtp,
            running(
                tmp_path,
                "serve",
                "--demo",
                MAIL_SERVER=LOOPBACK,
                MAIL_PORT=smtp.port,
                FALLBACK_RELAYS=f'[{{"server": "{LOOPBACK}", "port": {smtp.port}}}]',
            ) as service,
        ):
            visitor = Visitor(service)
            visitor.report()
            until(lambda: visitor.open("/inbox").html.count("<li>") == 2)
            assert smtp.connections == 0


def by_flask(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Flask's own command, with wrong settings."""
    return subprocess.run(
        [sys.executable, "-m", "flask", "--app", "reporter", *words],
        cwd=folder,
        env=environment(**WRONG, BASE_URL="http://localhost"),
        capture_output=True,
        text=True,
    )


class TestSettings:
    @pytest.mark.parametrize("arguments", ENDS, ids=" ".join)
    def test_wrong_ones_stop_every_command_with_one_list(
        self, tmp_path: Path, arguments: list[str]
    ) -> None:
        done = command(tmp_path, *arguments, **WRONG)
        assert done.returncode == 1
        assert done.stdout == ""
        opening, *listed = done.stderr.splitlines()
        assert opening.startswith("Error: Incident Reporter cannot start.")
        assert listed == [f"  - {line}" for line in MENDING]

    def test_they_stop_flasks_own_command_the_same_way(self, tmp_path: Path) -> None:
        done = by_flask(tmp_path, "worker")
        assert done.returncode == 1
        assert done.stderr.splitlines()[1:] == [f"  - {line}" for line in MENDING]

    def test_flasks_own_help_says_them_once_above_it(self, tmp_path: Path) -> None:
        done = by_flask(tmp_path, "--help")
        assert done.returncode == 0
        assert done.stderr.splitlines()[1:] == [*(f"  - {line}" for line in MENDING), ""]
        for name in COMMANDS:
            assert f"\n  {name} " in done.stdout

    def test_help_needs_none(self, tmp_path: Path) -> None:
        done = command(tmp_path, "--help", **WRONG)
        assert done.returncode == 0
        assert done.stderr == ""
        for name in ("serve", "web", "worker", "db", "outbox"):
            assert f"\n  {name} " in done.stdout

    @pytest.mark.parametrize("name", ["serve", "web"])
    @pytest.mark.parametrize("port", ["0", "65536", "http"])
    def test_what_is_no_port_is_said_in_a_line(self, name: str, port: str) -> None:
        done = CliRunner().invoke(load(name), ["--port", port])
        assert done.exit_code == 2
        assert "Error: Invalid value for '--port'" in done.output

    def test_a_database_that_is_away_is_said_in_a_line(self, tmp_path: Path) -> None:
        url = "postgresql://reporter:a-password@127.0.0.1:1/reporter"
        done = command(tmp_path, "serve", DATABASE_URL=url)
        assert done.returncode == 1
        assert done.stderr.startswith("Error: the database postgresql://127.0.0.1:1/reporter: ")
        assert "Traceback" not in done.stderr
        assert "a-password" not in done.stderr

    @pytest.mark.parametrize("arguments", [["outbox", "list"], ["worker"], ["web"], ["purge"]])
    def test_a_database_without_tables_is_said_in_a_line(
        self, tmp_path: Path, arguments: list[str]
    ) -> None:
        """Nor does a worker wait for ever for what somebody has to make."""
        url = sqlite_url(tmp_path)
        done = command(tmp_path, *arguments, DATABASE_URL=url)
        assert done.returncode == 1
        [line] = done.stderr.splitlines()
        assert line.startswith(f"Error: the database {tmp_path / 'reporter.db'} has not ")
        assert line.endswith("reporter db upgrade")

    @pytest.mark.parametrize("arguments", [["outbox", "list"], ["db", "upgrade"], ["serve"]])
    def test_a_database_that_is_damaged_is_said_in_a_line(
        self, tmp_path: Path, arguments: list[str]
    ) -> None:
        (tmp_path / "reporter.db").write_bytes(b"no database at all" * 1000)
        url = f"sqlite:///{tmp_path / 'reporter.db'}"
        done = command(tmp_path, *arguments, DATABASE_URL=url)
        assert done.returncode == 1
        line = f"Error: the database {tmp_path / 'reporter.db'}: file is not a database"
        assert done.stderr.splitlines()[-1:] == [line]
        assert "Traceback" not in done.stderr

    def test_its_version_needs_none(self, tmp_path: Path) -> None:
        done = command(tmp_path, "--version", **WRONG)
        assert done.stdout == f"Incident Reporter, version {version('incident-reporter')}\n"

    def test_a_folder_that_cannot_be_made_is_said_in_a_line(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        done = command(tmp_path, "db", "upgrade", DATABASE_URL="sqlite:///file/reporter.db")
        assert done.returncode == 1
        assert done.stderr.startswith("Error: ")
        assert len(done.stderr.splitlines()) == 1


class TestMigrations:
    def test_they_can_run_again_and_from_two_processes_at_once(
        self, tmp_path: Path, database_url: str
    ) -> None:
        def start() -> subprocess.Popen[str]:
            return subprocess.Popen(
                [sys.executable, "-m", "reporter", "db", "upgrade"],
                cwd=tmp_path,
                env=environment(DATABASE_URL=database_url, BASE_URL="http://localhost"),
                stderr=subprocess.PIPE,
                text=True,
            )

        for both in ([start(), start()], [start()]):
            ends = [(one.communicate(timeout=60)[1], one.returncode) for one in both]
            assert ends == [("", 0)] * len(both)
        engine = sa.create_engine(driver_url(database_url), poolclass=sa.NullPool)
        assert set(Base.metadata.tables) < set(sa.inspect(engine).get_table_names())

    def test_they_make_what_the_models_say(
        self, database_url: str, make_app: Callable[..., Flask]
    ) -> None:
        from reporter.serving.migrate import upgrade

        app = make_app()
        upgrade(app)
        migrations().init_app(app)
        with app.app_context():
            assert migrations().compare_metadata() == []
        database: Database = app.extensions["sqlalchemy"]
        with database.read() as session:
            assert session.scalar(sa.text("SELECT count(*) FROM report")) == 0


def test_web_and_worker_are_enough_apart(tmp_path: Path) -> None:
    """The two halves, each by itself, over one database."""
    url = f"sqlite:///{tmp_path / 'shared.db'}"
    with smtp_server() as smtp:
        settings = {"DATABASE_URL": url, "MAIL_SERVER": LOOPBACK, "MAIL_PORT": smtp.port}
        assert command(tmp_path, "db", "upgrade", **settings).returncode == 0
        with running(tmp_path, "web", **settings) as web:
            visitor = Visitor(web)
            visitor.report()
            assert smtp.received == []
            assert command(tmp_path, "worker", "--once", **settings).returncode == 0
            assert len(smtp.received) == 2
            assert web.end() == 0
        with pytest.raises(BROKEN):
            visitor.open("/")
