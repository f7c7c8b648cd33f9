"""The product as an operator runs it: processes of their own, and people who use it over HTTP."""

from __future__ import annotations

import http.client
import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from customers import Customer
from ports import free_port
from servers import SmtpServer
from waiting import until
from webtest import TestRequest

from reporter.demo.mailbox import LOOPBACK

REPORTER = (sys.executable, "-m", "reporter")
SETTINGS = {
    "SECRET_KEY": "functional" * 4,
    "PROVIDER_NAME": "Ejemplo Hosting",
    "SUPPORT_EMAIL": "support@example.com",
    "SUPPORT_PHONE": "+34 900 000 000",
    "SUPPORT_HOURS": "24/7",
    "MAIL_TIMEOUT": "20",  # not that of a mail that hangs, on whatever machine
}
# What a dead connection looks like to a client.
BROKEN = (OSError, http.client.HTTPException)


class Service:
    """`reporter`, or what stands in for it, started in *folder* and nowhere else at home."""

    def __init__(
        self,
        folder: Path,
        *arguments: str,
        command: tuple[str, ...] = REPORTER,
        port: int | None = None,
        **settings: Any,
    ) -> None:
        self.folder = folder
        self.arguments = arguments
        self.command = command
        self.port = port or free_port()
        self.environment = environment(**settings)
        if "BASE_URL" not in settings and "--demo" not in arguments:
            self.environment["REPORTER_BASE_URL"] = self.url
        self.process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")  # half written

    def start(self) -> None:
        options = [] if self.arguments[0] == "worker" else ["--port", str(self.port)]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*self.command, *self.arguments, *options],
                cwd=self.folder,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def is_ready(self) -> bool:
        assert self.process.poll() is None, self.log
        try:
            return Visitor(self).peek("/readyz").status == 200
        except BROKEN:
            return False

    @property
    def keeper(self) -> Process | None:
        """Which process keeps those of the web server; None until it has started all of them."""
        return self.part("reporter.serving.keeper")

    @property
    def worker(self) -> Process | None:
        return self.part("worker")

    def part(self, word: str) -> Process | None:
        """That one of its processes whose command line has *word*."""
        return next((process for process in self.tree() if word in process.words()), None)

    def run(self, *arguments: str) -> str:
        """What a command says in this service's folder, and with its settings."""
        done = _run(self.folder, self.environment, *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def sql(self, statement: str, *values: str) -> list[Any]:
        """What its SQLite file answers, beside it: for what would take hours to come about."""
        file = self.folder / "instance" / "reporter.db"
        with closing(sqlite3.connect(file, isolation_level=None, timeout=20)) as connection:
            return connection.execute(statement, values).fetchall()

    def refuses(self, kind: str, reference: str) -> None:
        """As if every relay had, in every form: the mail *kind*, which nobody has in hand.

        What comes of one that somebody has would be written down over it.
        """
        failed = "UPDATE message SET state = 'failed', sent_at = NULL WHERE kind = ?"
        failed += " AND reference = ? AND claimed_by IS NULL AND attempt_count > 0 RETURNING id"
        until(lambda: self.sql(failed, kind, reference))

    def welcome(self, *words: str) -> str:
        """The path of the one-time link that `reporter staff` prints."""
        return self.run("staff", *words).strip().removeprefix(self.url)

    def tree(self) -> list[Process]:
        """The process and everything that came of it; nothing once it has ended."""
        return family(self.process.pid) if self.process.poll() is None else []

    def end(self, number: signal.Signals = signal.SIGTERM, seconds: float = 30.0) -> int:
        """Send a signal to the process that we started, and to no other; what it exits with."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(seconds)

    def kill_all(self) -> None:
        """kill -9 of everything, at once."""
        kill_all(self.tree())
        self.process.wait(10)


@contextmanager
def serving(folder: Path, smtp: SmtpServer, **settings: Any) -> Iterator[Service]:
    """All of it on one machine, which hands its mails to *smtp*. Nobody is kept waiting."""
    unlimited = {"RATELIMIT_ENABLED": "false", "WEB_PROCESSES": 1}
    relay = {"MAIL_SERVER": LOOPBACK, "MAIL_PORT": smtp.port}
    with running(folder, "serve", **unlimited | relay | settings) as service:
        yield service


@contextmanager
def running(folder: Path, *arguments: str, **settings: Any) -> Iterator[Service]:
    """A service that is ready, and whose processes are all gone at the end."""
    service = Service(folder, *arguments, **settings)
    service.start()
    seen = service.tree()
    try:
        until(service.is_ready)
        if arguments[0] == "serve":  # the worker may take longer than the web half
            until(lambda: "worker started" in service.log)
        if arguments[0] != "worker" and service.command == REPORTER:
            until(lambda: service.keeper)  # who has answered does so before that one keeps it
        seen = service.tree()
        yield service
        service.end()
    finally:
        kill_all([*service.tree(), *seen])
        service.process.wait(10)


def environment(**settings: Any) -> dict[str, str]:
    """A bare environment with the settings of the tests, and *settings* over them."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    named = {name: str(value) for name, value in {**SETTINGS, **settings}.items()}
    none = {"REPORTER_SETTINGS": os.devnull}  # this machine may have settings of its own
    return kept | none | {f"REPORTER_{name}": value for name, value in named.items()}


def command(folder: Path, *arguments: str, **settings: Any) -> subprocess.CompletedProcess[str]:
    """Run a command of the product to its end."""
    settings = {"BASE_URL": "https://incidents.example.com"} | settings
    return _run(folder, environment(**settings), *arguments)


def _run(
    folder: Path, variables: dict[str, str], *arguments: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "reporter", *arguments],
        cwd=folder,
        env=variables,
        capture_output=True,
        text=True,
        timeout=60,
    )


class Process(NamedTuple):
    """A process, and not another one that was given its number later."""

    pid: int
    started: str

    def is_alive(self) -> bool:
        """Also while only some of its threads have ended: its ports are free after the last one."""
        stat = _stat(self.pid)
        if stat is None or stat.started != self.started:
            return False
        return stat.state != "Z" or stat.threads > 1

    def words(self) -> list[str]:
        """Its command line; nothing when it is gone."""
        try:
            return Path(f"/proc/{self.pid}/cmdline").read_text().split("\0")
        except OSError:
            return []


class Stat(NamedTuple):
    state: str
    parent: int
    threads: int
    started: str  # in ticks since the machine did


def family(pid: int) -> list[Process]:
    """A process and its descendants that are alive."""
    stats = {int(entry.name): _stat(int(entry.name)) for entry in Path("/proc").glob("[0-9]*")}
    found = [pid]
    for each in found:
        found += [child for child, stat in stats.items() if stat and stat.parent == each]
    processes = [Process(each, stat.started) for each in found if (stat := stats.get(each))]
    return [process for process in processes if process.is_alive()]


def kill_all(processes: list[Process]) -> None:
    """kill -9 of each, and wait until they are gone."""
    for process in processes:
        with suppress(ProcessLookupError):  # it was just ending
            if process.is_alive():
                os.kill(process.pid, signal.SIGKILL)
    until(lambda: not any(process.is_alive() for process in processes))


def _stat(pid: int) -> Stat | None:
    """What /proc/PID/stat says, as proc(5) numbers its fields; None when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return Stat(fields[0], int(fields[1]), int(fields[17]), fields[19])


def over_http(port: int) -> Callable[..., list[bytes]]:
    """A service that runs, as WebTest has an application. Raises one of BROKEN."""

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        asked = TestRequest(environ)
        connection = http.client.HTTPConnection(LOOPBACK, port, timeout=30)
        try:
            connection.request(asked.method, asked.path_qs, asked.body, dict(asked.headers))
            found = connection.getresponse()
            content = found.read()
        finally:
            connection.close()
            asked.body_file_raw.close()  # of a large one, a temporary file
        start_response(f"{found.status} {found.reason}", found.getheaders())
        return [content]

    return answer


class Sent(NamedTuple):
    """A report: the path of its receipt, and its reference."""

    receipt: str
    reference: str


class Visitor(Customer):
    """A customer of a service that runs."""

    def __init__(self, service: Service, language: str = "es", **headers: str) -> None:
        self.begin(over_http(service.port), service.url, language, **headers)
        self.client.lint = False  # it knows what WSGI servers leave out

    def sends(self, **changes: str) -> Sent:
        """Reports what fails just now."""
        page = self.report(**{"started": "just_now", **changes})
        reference = re.search(r"INC-\w{6}", page.text)
        assert reference, page.text
        return Sent(page.path, reference[0])
