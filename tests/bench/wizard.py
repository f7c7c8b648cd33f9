"""Processor time of a whole report, page by page, in one process and one thread."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from candidates import silence
from customers import Page
from factories import SLUGS, an_app, values
from figures import Figure, at_most, middle

GOALS = {"GET of a step": 1.5, "POST of a step": 1.8, "POST of the review": 5.0}


def run(quick: bool) -> list[Figure]:
    seconds: dict[str, list[float]] = {}
    wholes = []
    with tempfile.TemporaryDirectory() as folder, an_app(Path(folder)) as app, silence():
        for number in range(8 if quick else 30):
            found = _report(app, f"a{number}@example.com")
            if number > 2:  # each thing that is made once was made
                wholes.append(sum(took for _what, took in found))
                for what, took in found:
                    seconds.setdefault(what, []).append(took)
    unit = _unit()
    figures = [
        at_most(f"{what}, ms", 1000 * middle(seconds[what]), goal) for what, goal in GOALS.items()
    ]
    figures.append(at_most("whole report, 12 requests, ms", 1000 * middle(wholes), 24, "{:.1f}"))
    figures.append(Figure("for comparison: a loop of 200 000 additions, ms", f"{1000 * unit:.1f}"))
    return figures


def _report(app: object, email: str) -> list[tuple[str, float]]:
    client = app.test_client()  # type: ignore[attr-defined]
    base = app.config["BASE_URL"]  # type: ignore[attr-defined]
    found: list[tuple[str, float]] = []

    def ask(what: str, method: str, path: str, sent: dict[str, str] | None = None) -> Any:
        begun = time.process_time()
        answer = client.open(
            path, method=method, data=sent, base_url=base, headers={"Accept-Language": "es"}
        )
        found.append((what, time.process_time() - begun))
        assert answer.status_code in {200, 303}, answer.status_code
        return answer

    ask("first page", "GET", "/")
    for slug in SLUGS:
        page = Page.of(ask("GET of a step", "GET", f"/report/{slug}").text)
        sent = {**page.fields, **values(slug, email=email)}
        ask("POST of a step", "POST", page.action, sent)
    page = Page.of(ask("GET of the review", "GET", "/report/review").text)
    sent_to = ask("POST of the review", "POST", page.action, page.fields)
    ask("receipt", "GET", sent_to.location)
    return found


def _unit() -> float:
    """What the processor takes for something that is always the same."""

    def once() -> float:
        begun, total = time.process_time(), 0
        for number in range(200_000):
            total += number * number % 7
        return time.process_time() - begun

    return min(once() for _ in range(7))
