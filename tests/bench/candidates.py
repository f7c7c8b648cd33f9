"""Ours and the naive one, started under the same server, and reports that are ready to be sent."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))
sys.path.append(str(Path(__file__).parents[1] / "functional"))

import sqlalchemy as sa
from factories import ANSWERS, SLUGS, values
from flask_wtf.csrf import generate_csrf
from load import post
from running import Service, running

from reporter import create_app, models
from reporter.database import Database
from reporter.demo.mailbox import free_port
from reporter.links import hash_token, new_token
from reporter.web.browser import Key

HERE = Path(__file__).parent
GRANIAN = "-m granian --interface wsgi --factory --http 1 --no-ws --log-level error --workers 2"
GRANIAN += " --blocking-threads 64 --host 127.0.0.1"


@contextmanager
def sink(milliseconds: int, *options: str) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """A relay; its port and its process."""
    port = free_port()
    command = [sys.executable, str(HERE / "sink.py"), str(port), str(milliseconds), *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    time.sleep(0.3)
    try:
        yield port, process
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def naive(folder: Path, smtp: int) -> Iterator[Service]:
    """The naive one, ready."""
    service = Service(folder, *GRANIAN.split(), "naive:create_app", command=(sys.executable,))
    service.environment |= {
        "BENCH_SMTP": str(smtp),
        "BENCH_DATABASE": str(folder / "naive.db"),
        "PYTHONPATH": str(HERE),
    }
    service.start()
    try:
        answers_on(service, "/healthz")
        yield service
    finally:
        service.kill_all()


@contextmanager
def ours(folder: Path, part: str = "web", **settings: object) -> Iterator[Service]:
    """Ours with its database, ready; without limits, which would answer 429."""
    fixed = {"RATELIMIT_ENABLED": "false", "WEB_PROCESSES": 2, "MAIL_SERVER": "127.0.0.1"}
    if part == "web":
        Service(folder, "db", **{**fixed, **settings}).run("db", "upgrade")
    with running(folder, part, **fixed, **settings) as service:
        yield service


def answers_on(service: Service, path: str) -> float:
    """Seconds until it answers 200 there."""
    from running import BROKEN, HttpClient

    started = time.perf_counter()
    while time.perf_counter() < started + 30:
        assert service.process.poll() is None, service.log
        try:
            if HttpClient(service.port).open(path).status_code == 200:
                break
        except BROKEN:
            time.sleep(0.005)
    return time.perf_counter() - started


def naive_posts(count: int) -> list[bytes]:
    return [post("/report", {**ANSWERS, "email": f"a{n}@example.com"}) for n in range(count)]


def our_posts(service: Service, count: int) -> list[bytes]:
    """As many drafts, filled in, and the request that sends each: the POST of the review."""
    keys = {k: v for k, v in service.environment.items() if k.startswith("REPORTER_")}
    before = dict(os.environ)
    os.environ |= keys
    here = Path.cwd()
    os.chdir(service.folder)
    try:
        app = create_app()
    finally:
        os.chdir(here)
        os.environ.clear()
        os.environ |= before
    now = datetime.now(UTC) - timedelta(minutes=5)
    services = [each["id"] for each in app.config["SERVICES"]]
    requests, rows = [], []
    serializer = app.session_interface.get_signing_serializer(app)
    for number in range(count):
        token = new_token()
        with app.test_request_context():
            from flask import session

            csrf = generate_csrf()
            cookie = {Key.DRAFT: token, "csrf_token": session["csrf_token"]}
        signed = f"{app.config['SESSION_COOKIE_NAME']}={serializer.dumps(cookie)}"
        requests.append(post("/report/review", {"csrf_token": csrf}, signed))
        changes = {"email": f"a{number}@example.com", "service": services[number % len(services)]}
        steps = {
            slug: {
                "answers": {key: [value] for key, value in values(slug, **changes).items()},
                "answered_at": now.isoformat(),
            }
            for slug in SLUGS
        }
        row = {"id": hash_token(token), "steps": steps, "flags": []}
        rows.append(row | {"created_at": now, "updated_at": now})
    database: Database = app.extensions["sqlalchemy"]
    with database.write() as written:
        written.execute(sa.insert(models.Draft), rows)
    database.close()
    return requests
