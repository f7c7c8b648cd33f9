"""Five hundred customers send at the same moment, while the worker sends too."""

from __future__ import annotations

import tempfile
from pathlib import Path

from candidates import our_posts, ours, sink
from figures import Figure, at_most, middle
from load import drive


def run(quick: bool) -> list[Figure]:
    customers, rounds = (100, 1) if quick else (500, 5)
    parts, failed = [], 0
    with (
        tempfile.TemporaryDirectory() as folder,
        sink(0) as (port, _process),
        ours(Path(folder), "serve", MAIL_PORT=port) as service,
    ):
        drive(service.port, our_posts(service, 100), 16)
        for _ in range(rounds):
            usual = drive(service.port, our_posts(service, customers), 16)
            burst = drive(service.port, our_posts(service, customers), customers)
            parts.append(burst.elapsed * usual.rate / customers)
            failed += sum(n for status, n in burst.statuses.items() if status >= 500)
    return [
        at_most(f"last of {customers} answered ÷ ({customers} ÷ usual rate)", middle(parts), 1.5),
        at_most("answers that are 5xx", failed, 0, "{:.0f}"),
    ]
