"""Everything for one machine under one command: migrations, web and delivery.

The halves are processes of their own. If one ends, the other is stopped and the whole ends with
an error, for whatever started it to start it again: it is never half alive.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import click

from reporter import lifeline
from reporter.delivery import mailbox

# Over what web and worker take to finish what they have in hand.
STOP_SECONDS = 40.0
POLL_SECONDS = 0.2

DEMO_FOLDER = Path("instance/demo")
# What a demonstration is set to where nothing else is.
DEMO_SETTINGS = {
    "SUPPORT_EMAIL": "support@example.com",
    "PROVIDER_NAME": "Example Hosting",
    "SUPPORT_PHONE": "+34 900 000 000",
    "SUPPORT_HOURS": "24/7",
}


def serve(*, demo: bool, host: str, port: int) -> int:
    """Run until told to stop, and return 0; or until a part ends, and return 1.

    Raises click.ClickException, with a line for the operator, when it cannot start.
    """
    from reporter import create_app
    from reporter.migrating import upgrade
    from reporter.server import check_address

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
                f"  Commands:   REPORTER_SETTINGS={DEMO_FOLDER}/settings.toml reporter …\n"
                "  Ctrl-C stops all.\n"
            )
        return _supervise(["web", "--host", host, "--port", str(port)], ["worker"], stop=stop)


@contextmanager
def demonstration(host: str, port: int) -> Iterator[None]:
    """Settings that just work, for us and for the processes we start, and a mailbox of our own."""
    from reporter.settings import resolve

    current, _, _ = resolve()
    smtp_port = mailbox.free_port()
    folder = DEMO_FOLDER.resolve()
    settings = {name: value for name, value in DEMO_SETTINGS.items() if not current[name]}
    settings |= {
        "SECRET_KEY": current["SECRET_KEY"] or _demo_secret(folder),
        "BASE_URL": current["BASE_URL"] or f"http://{_shown(host)}:{port}",
        # Whatever the settings say: a demonstration sends no mail to anybody.
        "MAIL_SERVER": mailbox.LOOPBACK,
        "MAIL_PORT": str(smtp_port),
        "MAIL_USE_TLS": "false",
        "MAIL_USE_SSL": "false",
        "MAIL_USERNAME": "",
        "MAIL_PASSWORD": "",
        "FALLBACK_RELAYS": "[]",
        "ALARM_URLS": "[]",
        "DEMO_MAILBOX": str(folder / "mailbox"),
    }
    os.environ.update({f"REPORTER_{name}": value for name, value in settings.items()})
    _write_settings(folder / "settings.toml", settings)
    inbox = mailbox.start(folder / "mailbox", smtp_port)
    try:
        yield
    finally:
        inbox.stop()


@contextmanager
def _nothing() -> Iterator[None]:
    yield


def _write_settings(file: Path, settings: Mapping[str, str]) -> None:
    """For the commands, which are processes of their own."""
    lines = [f"{k} = {json.dumps(v, ensure_ascii=False)}\n" for k, v in settings.items()]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    file.write_text("".join(lines), encoding="utf-8")


def _demo_secret(folder: Path) -> str:
    """Kept, so that drafts and receipts outlive a restart."""
    file = folder / "secret"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(secrets.token_urlsafe(32))
    return file.read_text()


def _shown(host: str) -> str:
    return "127.0.0.1" if host in {"0.0.0.0", "::", ""} else host  # noqa: S104 (only compared)


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
        preexec_fn=partial(lifeline.end_with, os.getpid(), signal.SIGTERM),
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
