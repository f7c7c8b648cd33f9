"""Ours and the naive one, started under the same server, and reports that are ready to be sent."""

from __future__ import annotations

import http.client
import os
import re
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
from customers import Page
from factories import ANSWERS, SLUGS, values
from flask import Flask
from load import post
from ports import free_port
from running import Service, running

from reporter import create_app, models
from reporter.links import hash_token, new_token
from reporter.web.browser import Key
from reporter.wizard.draft_keys import new_key
from reporter.wizard.rules import rules

HERE = Path(__file__).parent
GRANIAN = "-m granian --interface wsgi --factory --http 1 --no-ws --log-level error --workers 2"
GRANIAN += " --host 127.0.0.1 --blocking-threads"
THREADS = 64  # of each process, as ours has more than there are connections here


@contextmanager
def sink(milliseconds: int, *options: str) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """A relay; its port and its process."""
    port = free_port()
    command = [sys.executable, str(HERE / "sink.py"), str(port), str(milliseconds), *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        assert process.stdout.readline() == "ready\n", "the relay does not start"
        yield port, process
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def naive(folder: Path, smtp: int, threads: int = THREADS) -> Iterator[Service]:
    """The naive one, ready."""
    server = [*GRANIAN.split(), str(threads)]
    service = Service(folder, *server, "naive:create_app", command=(sys.executable,))
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
    from running import BROKEN, Visitor

    started = time.perf_counter()
    while time.perf_counter() < started + 30:
        assert service.process.poll() is None, service.log
        try:
            if Visitor(service).peek(path).status == 200:
                break
        except BROKEN:
            time.sleep(0.005)
    return time.perf_counter() - started


def naive_posts(service: Service, count: int) -> list[bytes]:
    """Of one browser, which was shown the form."""
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=10)
    connection.request("GET", "/report")
    answer = connection.getresponse()
    cookie = answer.headers.get("Set-Cookie", "").partition(";")[0]
    token = re.search(r'value="([^"]+)"', answer.read().decode())
    fields = ANSWERS | ({"csrf_token": token[1]} if token else {})
    return [post("/report", {**fields, "email": f"a{n}@example.com"}, cookie) for n in range(count)]


def our_posts(service: Service, count: int) -> list[bytes]:
    """As many drafts, filled in, and the request that sends each: the POST of the review."""
    with silence(), _app(service) as app:
        with app.app_context():
            checked_by = rules()
        services = [each["id"] for each in app.config["SERVICES"]]
        at = datetime.now(UTC) - timedelta(minutes=5)
        keys = [(new_token(), new_key()) for _ in range(count)]
        rows = []
        for number, (secret, key) in enumerate(keys):
            email, of = f"a{number}@example.com", services[number % len(services)]
            steps = {
                slug: {
                    "answers": {k: [v] for k, v in values(slug, email=email, service=of).items()},
                    "answered_at": at.isoformat(),
                    "rules": checked_by,
                }
                for slug in SLUGS
            }
            row = {"id": hash_token(f"{secret}.{key}"), "steps": steps, "flags": []}
            rows.append(row | {"created_at": at, "updated_at": at})
        with app.extensions["sqlalchemy"].write() as session:
            session.execute(sa.insert(models.Draft), rows)
        return [_review(app, secret, key) for secret, key in keys]


def _review(app: Flask, secret: str, key: str) -> bytes:
    client, name = app.test_client(), app.config["SESSION_COOKIE_NAME"]
    with client.session_transaction(base_url=app.config["BASE_URL"]) as session:
        session[Key.BROWSER], session[Key.DRAFTS] = secret, [key]
    answer = client.get("/report/review", base_url=app.config["BASE_URL"])
    cookie = client.get_cookie(name, domain="127.0.0.1")
    assert answer.status_code == 200, answer.location
    assert cookie is not None
    return post("/report/review", Page.of(answer.text).fields, f"{name}={cookie.value}")


@contextmanager
def _app(service: Service) -> Iterator[Flask]:
    """The application of *service*, in this process."""
    before, here = dict(os.environ), Path.cwd()
    os.environ |= {k: v for k, v in service.environment.items() if k.startswith("REPORTER_")}
    os.chdir(service.folder)
    try:
        app = create_app()
        yield app
        app.extensions["sqlalchemy"].close()
    finally:
        os.chdir(here)
        os.environ.clear()
        os.environ |= before


@contextmanager
def silence() -> Iterator[None]:
    """Requests are logged to standard error."""
    kept, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)
