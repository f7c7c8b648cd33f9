"""Memory of the processes, and how soon the first page is there."""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from candidates import GRANIAN, THREADS, answers_on, our_posts, ours, sink
from figures import Figure, at_most, middle
from load import drive
from running import Service, Visitor
from test_crowds import a_photo

MINIMAL = """
from flask import Flask
from flask_wtf import FlaskForm
from wtforms import StringField


def create_app():
    app = Flask(__name__)
    app.config["SECRET_KEY"] = "x"

    class Form(FlaskForm):
        name = StringField()

    @app.get("/healthz")
    def healthz():
        return {"csrf": bool(Form().csrf_token)}

    return app
"""


def run(quick: bool) -> list[Figure]:
    rounds = 1 if quick else 5
    web, worker = _memory()
    starts, minimal = [], []
    for _ in range(rounds):
        starts.append(_start(_ours))
        minimal.append(_start(_minimal))
    return [
        at_most("`reporter web` with two processes, PSS, MiB", web, 130, "{:.0f}"),
        at_most("`reporter worker`, PSS, MiB", worker, 60, "{:.0f}"),
        at_most("16 posts of three photos of 285 kB at once, MiB more", _uploads(), 100, "{:.0f}"),
        Figure("start to first answer, ms", f"{1000 * middle(starts):.0f}"),
        at_most("the same ÷ a minimal Flask-WTF app's", middle(starts) / middle(minimal), 2),
    ]


def pss(pid: int) -> float:
    """MiB of a process, what it shares counted in parts (Linux, proc(5))."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _memory() -> tuple[float, float]:
    with (
        tempfile.TemporaryDirectory() as folder,
        sink(0) as (port, _process),
        ours(Path(folder), "serve", MAIL_PORT=port) as service,
    ):
        drive(service.port, our_posts(service, 100), 16)
        time.sleep(2)
        named = {p.pid: Path(f"/proc/{p.pid}/cmdline").read_text() for p in service.tree()}
        words = {pid: text.split("\0") for pid, text in named.items()}
        worker = sum(pss(pid) for pid, each in words.items() if "worker" in each)
        apart = {"worker", "reporter.serving.supervisor"}
        others = [pid for pid, each in words.items() if apart.isdisjoint(each)]
        return sum(map(pss, others)), worker


def _uploads() -> float:
    """How much more the web processes take, at most, while 16 clients send three photos each."""
    photos = [a_photo(number) for number in range(6)]
    ready = threading.Barrier(16)

    def upload(number: int) -> None:
        visitor = Visitor(service)
        visitor.open("/report/failure")
        ready.wait()
        chosen = [(f"{n}.jpg", photos[(number + n) % 6]) for n in range(3)]
        assert visitor.forge(files=chosen, keep="yes").status == 200

    with tempfile.TemporaryDirectory() as folder, ours(Path(folder)) as service:
        pids = [process.pid for process in service.tree()]
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(lambda _: Visitor(service).open("/report/failure"), range(16)))
            before = peak = sum(map(pss, pids))
            sent = [pool.submit(upload, number) for number in range(16)]
            while not all(each.done() for each in sent):
                peak = max(peak, sum(map(pss, pids)))
                time.sleep(0.02)
        for each in sent:
            each.result()
    return peak - before


def _start(command: tuple[tuple[str, ...], str]) -> float:
    arguments, path = command
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        (folder / "minimal.py").write_text(MINIMAL)
        python = (sys.executable,) if arguments[0] == "-m" else (sys.executable, "-m", "reporter")
        service = Service(folder, *arguments, command=python)
        service.environment |= {"PYTHONPATH": text, "REPORTER_WEB_PROCESSES": "2"}
        if arguments[0] == "web":
            service.run("db", "upgrade")
        service.start()
        try:
            return answers_on(service, path)
        finally:
            service.kill_all()


_ours = (("web",), "/healthz")
_minimal = ((*GRANIAN.split(), str(THREADS), "minimal:create_app"), "/healthz")
