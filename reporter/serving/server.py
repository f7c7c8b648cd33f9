"""The web server: granian, as measured in tests/bench/server.py and told in docs/decisions.md."""

from __future__ import annotations

import os
import resource
import signal
import socket
import sys
from collections.abc import Callable
from functools import partial
from multiprocessing import parent_process
from typing import Any, NoReturn

import click
from babel import Locale
from flask import Flask
from granian import _signals
from granian._granian import WorkerSignal
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server import mp
from sqlalchemy.orm import configure_mappers

from reporter.database import Database
from reporter.operations import watch
from reporter.serving import keeper, parent, small
from reporter.serving.memory import has_started
from reporter.serving.pool import Pool

# Of each process: how many pages that are asked for may be waited for at a time.
THREADS = 512
# How many may be sent, by clients that may be slow, while others are served.
SENT_THREADS = 1024
# And more, which nobody has for longer than it takes to say that the process lives.
TAKE_IN_THREADS = 32
# Of each process: how many may be connected, also those that say nothing until they are cut off.
# With no more of them than threads, whoever connects and stays silent would keep everybody out.
# As many files again stay for all else: fewer connections where the system has not so many.
CONNECTIONS = 8192
# Of all headers of one request: more is answered 431.
HEADER_BYTES = 16 * 1024
SWITCH_SECONDS = 0.0005

made: list[Flask] = []

# By these granian makes of an application what it calls for each request, and serves it.
_for_each_request = mp._wsgi_call_wrap  # type: ignore[attr-defined]
_worker = mp.WSGIWorker  # type: ignore[attr-defined]
_told_to_stop = WorkerSignal()


def _with_a_pool(*of_application: Any) -> Pool:
    return Pool(_for_each_request(*of_application), THREADS, SENT_THREADS)


def _heeding(*of_server: Any) -> Any:
    """It loses an order that comes before it knows what to do then, so it is not heeded earlier."""
    for number in small.ORDERS_TO_STOP:
        signal.signal(number, lambda *_: _told_to_stop.set())
    return _worker(*of_server)


# They can be given in no other way.
mp._wsgi_call_wrap = _with_a_pool  # type: ignore[assignment,attr-defined]
mp.WSGIWorker = _heeding  # type: ignore[assignment,attr-defined]
_signals.set_sync_signals = lambda: _told_to_stop


def run(app: Flask, host: str, port: int, processes: int, *, beside: bool = False) -> NoReturn:
    """Serve *app* in so many *processes*, and become their keeper (`serving.keeper`).

    *beside* processes that serve there already: the keeper replaces none that ends.
    """
    connections = min(CONNECTIONS, _allow_open_files(2 * CONNECTIONS) // 2)
    _share(app)
    # What is told while they start waits for the keeper.
    signal.pthread_sigmask(signal.SIG_BLOCK, keeper.HEEDED)
    hang_up = signal.getsignal(signal.SIGHUP)  # ignored, where `nohup` has started us
    os.register_at_fork(after_in_child=partial(_end_when_told, hang_up))
    server = _Server(
        "reporter.serving.server:application",
        factory=True,
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=processes,
        blocking_threads=SENT_THREADS + TAKE_IN_THREADS,
        backlog=CONNECTIONS,
        backpressure=connections,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=10_000, max_buffer_size=HEADER_BYTES),
        websockets=False,
        # The paths of receipts are secrets, so no access log; requests are logged by endpoint.
        log_access=False,
        # Its one warning would be of THREADS, which is high for a reason.
        log_level=LogLevels.error,
    )
    server.then = partial(keeper.become, host=host, port=port, beside=beside)
    server.hang_up = hang_up
    server.serve()
    raise AssertionError("the server became its keeper")


class _Server(mp.MPServer):
    """Once its processes are forked, the one that has loaded all of it is needed no more."""

    then: Callable[[list[int]], NoReturn]
    hang_up: Any

    def startup(self, *of_server: Any) -> None:
        super().startup(*of_server)  # type: ignore[no-untyped-call]
        signal.signal(signal.SIGHUP, self.hang_up)  # what is ignored the keeper ignores too
        self.then([worker.inner.pid for worker in self.wrks])


def _allow_open_files(wanted: int) -> int:
    """Each connection is an open file. How many of *wanted* the system lets us have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return most


def _end_when_told(hang_up: Any) -> None:
    """Until a process of the server handles these itself it has nothing in hand, and ends at once.

    Otherwise it has its parent's handlers, which would swallow the order to stop. *hang_up*: what
    is done then, as we were started.
    """
    for number in small.ORDERS_TO_STOP:
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, hang_up)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, keeper.HEEDED)


def _share(app: Flask) -> None:
    """Have the processes that are forked from this one begin with *app*, and with its memory."""
    database: Database = app.extensions["sqlalchemy"]
    configure_mappers()
    for language in app.config["LANGUAGES"]:  # its words for dates are read when first asked for
        _ = Locale.parse(language, sep="-").months
    database.close()  # a connection is of one process
    made.append(app)
    has_started()


def application() -> Flask:
    """What each process of the server runs: what it was forked with, or else its own."""
    from reporter import create_app

    # Only if the process that started us was itself killed: otherwise it stops us in order.
    # Without this we would go on listening, unwatched, beside whoever comes next.
    starter = parent_process()
    parent.end_with((starter and starter.pid) or os.getppid(), signal.SIGKILL)
    # A thread that has just written, and holds SQLite's lock, waits so long for one that computes.
    sys.setswitchinterval(SWITCH_SECONDS)
    app = made[0] if made else create_app()
    watch.start(app)
    return app


def check_address(host: str, port: int) -> None:
    """Raises click.ClickException when nobody could listen there, or somebody does already.

    The server's own sockets share a port (SO_REUSEPORT), so that a second service would get a
    part of the first one's requests and no error.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise click.ClickException(f"cannot listen on {host}, port {port}: {reason}") from None
