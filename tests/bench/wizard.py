"""Processor time of a whole report, page by page, in one process and one thread.

With what sends the requests, the test's own client, as it was measured from the beginning; and
without it. Each report has an address and a number of its own."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from candidates import silence
from customers import Page
from factories import SLUGS, an_app, values
from figures import Figure, at_most, middle

from reporter.serving.memory import has_started

GOALS = {"GET of a step": 1.5, "POST of a step": 1.8, "POST of the review": 5.0}
Took = list[tuple[str, float, float]]  # what was asked; its seconds, and without the client's


def run(quick: bool) -> list[Figure]:
    seconds: dict[str, list[tuple[float, float]]] = {}
    wholes = []
    with tempfile.TemporaryDirectory() as folder, an_app(Path(folder)) as app, silence():
        for number in range(8 if quick else 30):
            found = _report(app, number)
            if number == 2:  # each thing that is made once was made
                has_started()  # as a process of the server says, of what it keeps
            if number > 2:
                wholes.append(
                    [sum(each) for each in zip(*(took for _, *took in found), strict=True)]
                )
                for what, *took in found:
                    seconds.setdefault(what, []).append((took[0], took[1]))
    figures = []
    for what, goal in GOALS.items():
        took, alone = (1000 * middle(list(each)) for each in zip(*seconds[what], strict=True))
        figures.append(at_most(f"{what}, ms", took, goal))
        figures.append(Figure(f"{what}, without the client, ms", f"{alone:.2f}"))
    took, alone = (1000 * middle(list(each)) for each in zip(*wholes, strict=True))
    figures.append(at_most("whole report, 12 requests, ms", took, 24, "{:.1f}"))
    figures.append(Figure("whole report, without the client, ms", f"{alone:.1f}"))
    unit = f"{1000 * _unit():.1f}"
    figures.append(Figure("for comparison: a loop of 200 000 additions, ms", unit))
    return figures


def _report(app: Any, number: int) -> Took:
    client = app.test_client()
    base = app.config["BASE_URL"]
    found: Took = []
    inside: list[float] = []
    answering = app.wsgi_app

    def timed(*of_request: Any) -> Any:
        begun = time.process_time()
        try:
            return answering(*of_request)
        finally:
            inside.append(time.process_time() - begun)

    def ask(what: str, method: str, path: str, sent: dict[str, str] | None = None) -> Any:
        begun = time.process_time()
        answer = client.open(
            path, method=method, data=sent, base_url=base, headers={"Accept-Language": "es"}
        )
        found.append((what, time.process_time() - begun, inside.pop()))
        assert answer.status_code in {200, 303}, answer.status_code
        return answer

    app.wsgi_app = timed
    ask("first page", "GET", "/")
    for slug in SLUGS:
        page = Page.of(ask("GET of a step", "GET", f"/report/{slug}").text)
        own = {"email": f"a{number}@example.com", "phone": f"600 {number:06d}"}
        sent = {**page.fields, **values(slug, **own)}
        ask("POST of a step", "POST", page.action, sent)
    page = Page.of(ask("GET of the review", "GET", "/report/review").text)
    sent_to = ask("POST of the review", "POST", page.action, page.fields)
    ask("receipt", "GET", sent_to.location)
    app.wsgi_app = answering
    return found


def _unit() -> float:
    """What the processor takes for something that is always the same."""

    def once() -> float:
        begun, total = time.process_time(), 0
        for number in range(200_000):
            total += number * number % 7
        return time.process_time() - begun

    return min(once() for _ in range(7))
