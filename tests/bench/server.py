"""Compare WSGI servers for a small form that commits to SQLite.

Run it from the top of the project:

    .venv/bin/python tests/bench/server.py

Every candidate is started in turn on a free port of 127.0.0.1, several rounds one after the
other, so that all of them meet the same background load; figures are medians over the rounds.
Read the ratios: absolute rates depend on the computer.

    plain     16 connections post a form that is only checked, relative to the first candidate
    commit    the same form, one durable commit for each post, relative to the first candidate
    p99       milliseconds within which 99 of 100 of those commits were answered
    slow      commits while 50 clients send their body one byte each half second, relative to
              the same candidate without them; 0.00 means that nobody else is served
    answered  of 8 answers in preparation and 2 half-sent forms when SIGTERM comes, over all
    cut       rounds: how many were answered, and how many were cut off
    exit      seconds from SIGTERM until the server is gone

gunicorn is measured only if it can be imported; the project does not depend on it. The database
is put in the system's temporary directory: set TMPDIR if that is held in memory, because a
commit costs nothing there. A run takes about a minute, and less than two.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median
from urllib.parse import urlencode

from flask import Flask, abort, redirect, request
from werkzeug.wrappers import Response

ROUNDS, SECONDS, FAST, SLOW, WAITING, HALF, LIMIT = 3, 1.0, 16, 50, 8, 2, 80.0
FIELDS = ("place", "moment", "event", "person")
FORM = urlencode(dict.fromkeys(FIELDS, "Slipped on a wet floor. " * 10)).encode()
HEAD = "POST {} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/x-www-form-urlencoded\r\n"
WAIT = b"GET /wait HTTP/1.1\r\nHost: bench\r\n\r\n"
GRANIAN = "-m granian --interface wsgi --factory --http 1 --no-ws --log-level error --workers 2"
GRANIAN += " --workers-kill-timeout 10 --port {port} --blocking-threads"
GUNICORN = "-m gunicorn --no-control-socket --log-level critical -w 2 -b 127.0.0.1:{port}"
CANDIDATES = {
    "granian, 2 x 4 threads": GRANIAN + " 4 server:create_app",
    "granian, 2 x 64 threads": GRANIAN + " 64 server:create_app",
    "gunicorn sync, 2": GUNICORN + " server:create_app()",
    "gunicorn gthread, 2 x 4": GUNICORN + " -k gthread --threads 4 server:create_app()",
}


def create_app() -> Flask:
    """Build the application under test; called once in each worker."""
    app, local = Flask(__name__), threading.local()

    @app.post("/plain")
    @app.post("/commit")
    def report() -> Response:
        values = [request.form.get(name, "").strip() for name in FIELDS]
        if not all(0 < len(value) <= 2000 for value in values):
            abort(400)
        if request.path == "/commit":
            if not hasattr(local, "db"):
                local.db = sqlite3.connect(os.environ["BENCH_DB"], 10, isolation_level=None)
                local.db.execute("PRAGMA synchronous=FULL")
            local.db.execute("BEGIN IMMEDIATE")
            local.db.execute("INSERT INTO report VALUES (?, ?, ?, ?)", values)
            local.db.execute("COMMIT")
        return redirect("/done", 303)

    @app.get("/wait")
    def wait() -> str:
        time.sleep(0.5)
        return "done"

    return app


def post(path: str) -> bytes:
    return f"{HEAD.format(path)}Content-Length: {len(FORM)}\r\n\r\n".encode() + FORM


def dial(port: int, first: bytes = b"", timeout: float = 5.0) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port), timeout)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client.sendall(first)
    return client


def answer(client: socket.socket, message: bytes = b"") -> bytes:
    """Send the message, read one answer; return its head, or nothing if it is cut off."""
    data = b""
    with contextlib.suppress(OSError):
        client.sendall(message)
        while part := client.recv(65536):
            data += part
            head, blank, body = data.lower().partition(b"\r\n\r\n")
            if blank and len(body) >= int(head.partition(b"content-length:")[2].split()[0]):
                return head
    return b""


def load(port: int, path: str) -> tuple[float, float]:
    """Post in a closed loop; return answers per second and the 99th percentile in ms."""
    message, times, end = post(path), list[float](), time.perf_counter() + SECONDS

    def ask() -> None:
        client = dial(port)
        while (start := time.perf_counter()) < end:
            client.settimeout(end - start + 0.1)
            head = answer(client, message)
            if b" 303 " in head[:16]:
                times.append(time.perf_counter() - start)
            if not head or b"connection: close" in head:
                client.close()
                client = dial(port)
        client.close()

    threads = [threading.Thread(target=ask) for _ in range(FAST)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    times.sort()
    return len(times) / SECONDS, times[len(times) * 99 // 100] * 1e3 if times else 0.0


def load_among_slow(port: int) -> float:
    """Measure commits while other clients send their form a byte at a time."""
    message, stop = post("/commit"), threading.Event()
    head = len(message) - len(FORM)
    clients = [dial(port, message[:head]) for _ in range(SLOW)]

    def trickle() -> None:
        for place in range(head, len(message)):
            for client in clients:
                with contextlib.suppress(OSError):
                    client.sendall(message[place : place + 1])
            if stop.wait(0.5):
                return

    thread = threading.Thread(target=trickle)
    thread.start()
    time.sleep(0.7)
    rate, _ = load(port, "/commit")
    stop.set()
    thread.join()
    for client in clients:
        client.close()
    return rate


def drain(server: subprocess.Popen[bytes], port: int) -> tuple[float, float]:
    """Send SIGTERM with requests in flight; return how many are answered, seconds to exit."""
    message = post("/commit")
    half = [dial(port, message[:-200], 20) for _ in range(HALF)]
    waiting = [dial(port, WAIT, 20) for _ in range(WAITING)]
    time.sleep(0.2)
    start = time.perf_counter()
    server.terminate()
    time.sleep(0.2)
    answered = 0
    for client, rest in [(one, message[-200:]) for one in half] + [(one, b"") for one in waiting]:
        with client:
            answered += bool(answer(client, rest))
    with contextlib.suppress(subprocess.TimeoutExpired):
        server.wait(20)
    return answered, time.perf_counter() - start


def measure(command: str, database: Path) -> dict[str, float]:
    """Start one candidate, take one round of figures, and see it gone."""
    figures = {}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    arguments = [sys.executable, *command.format(port=port).split()]
    here = str(Path(__file__).parent)
    env = {**os.environ, "BENCH_DB": str(database), "PYTHONPATH": here}
    with subprocess.Popen(arguments, cwd=here, env=env, start_new_session=True) as server:
        try:
            for _ in range(50):
                time.sleep(0.1)
                with contextlib.suppress(OSError), dial(port, timeout=1.0) as client:
                    if answer(client, post("/plain")):
                        break
            else:
                raise SystemExit(f"this server does not start: {' '.join(arguments)}")
            time.sleep(0.5)  # the other worker may still be starting
            figures["plain"], _ = load(port, "/plain")
            figures["commit"], figures["p99"] = load(port, "/commit")
            figures["slow"] = load_among_slow(port) / figures["commit"]
            time.sleep(0.2)
            figures["answered"], figures["exit"] = drain(server, port)
            return figures
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGKILL)


def main() -> None:
    names = [name for name in CANDIDATES if importlib.util.find_spec(name.split()[0].strip(","))]
    if len(names) < len(CANDIDATES):
        print("Only installed servers are compared. To add gunicorn: pip install 'gunicorn>=27'")
    results: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    end = time.monotonic() + LIMIT
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder, "bench.sqlite3")
        with contextlib.closing(sqlite3.connect(database)) as db:
            db.execute("PRAGMA journal_mode=WAL")
            db.execute(f"CREATE TABLE report ({', '.join(FIELDS)})")
        for name in names * ROUNDS:
            if time.monotonic() < end:
                results[name].append(measure(CANDIDATES[name], database))
    print(f"{'':24} plain commit    p99   slow answered  cut   exit")
    middle = {n: {k: median(one[k] for one in r) for k in r[0]} for n, r in results.items()}
    for name, one in middle.items():
        plain, commit = (one[key] / middle[names[0]][key] for key in ("plain", "commit"))
        answered = sum(each["answered"] for each in results[name])
        cut = (WAITING + HALF) * len(results[name]) - answered
        print(f"{name:24} {plain:5.2f} {commit:6.2f} {one['p99']:6.1f} {one['slow']:6.2f} ", end="")
        print(f"{answered:8.0f} {cut:4.0f} {one['exit']:6.1f}")


if __name__ == "__main__":
    main()
