"""Everything for one machine under one command: migrations, web and delivery.

The halves are processes of their own. If one ends, the other is stopped and the whole ends with
an error, for whatever started it to start it again: it is never half alive.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import click

from reporter.demo.desk import sign_in_link
from reporter.demo.settings import DEMO_FOLDER, demonstration
from reporter.serving import parent

# Over what web and worker take to finish what they have in hand.
STOP_SECONDS = 40.0
POLL_SECONDS = 0.2


def serve(*, demo: bool, host: str, port: int) -> int:
    """Run until told to stop, and return 0; or until a part ends, and return 1.

    Raises click.ClickException, with a line for the operator, when it cannot start.
    """
    from reporter import create_app
    from reporter.serving.migrate import upgrade
    from reporter.serving.server import check_address

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        # In a thread: the handler may interrupt a moment in which the event is locked.
        signal.signal(number, lambda *_: threading.Thread(target=stop.set).start())
    with demonstration(host, port) if demo else _nothing():
        app = create_app()
        check_address(host, port)
        upgrade(app)
        if demo:
            base = app.config["BASE_URL"]
            click.echo(
                f"\n  The form:   {base}/\n  The inbox:  {base}/inbox\n"
                f"  The desk:   {sign_in_link(app)}\n"
                f"  Commands:   REPORTER_SETTINGS={DEMO_FOLDER}/settings.toml reporter …\n"
                "  Ctrl-C stops all.\n"
            )
        return _supervise(["web", "--host", host, "--port", str(port)], ["worker"], stop=stop)


@contextmanager
def _nothing() -> Iterator[None]:
    yield


def _supervise(*commands: list[str], stop: threading.Event) -> int:
    parts = {command[0]: _start(command) for command in commands}
    try:
        while not stop.wait(POLL_SECONDS):
            for name, process in parts.items():
                if process.poll() is not None:
                    click.echo(f"{name} ended with {process.returncode}: stopping all", err=True)
                    return 1
        return 0
    finally:
        _stop(list(parts.values()))


def _start(command: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 (our own commands)
        [sys.executable, "-m", "reporter", *command],
        # TERM and not KILL: requests and mails in hand are finished when we are killed.
        preexec_fn=partial(parent.end_with, os.getpid(), signal.SIGTERM),
        start_new_session=True,  # Ctrl-C comes to us alone, and we stop them in order
    )


def _stop(processes: list[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        if process.poll() is None:
            process.terminate()
    end = time.monotonic() + STOP_SECONDS
    for process in processes:
        try:
            process.wait(max(0.0, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
