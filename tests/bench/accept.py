"""Reports accepted a second: ours, which keeps and queues, and the naive one, which mails.

The naive one as most would run it, with a process for each processor (`gunicorn -w 2`), and, to see
what more threads would give it, with as many as there are connections. Its relay takes mails on the
same processors: one that checks nothing, and costs nearly nothing, and aiosmtpd.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path

from candidates import THREADS, naive, naive_posts, our_posts, ours, sink
from figures import Figure, at_least, at_most, middle
from load import Answers, drive

LATENCIES = (0, 50, 500)
CONNECTIONS = (1, 16, 64)
RELAY = "a relay that checks nothing"
GOALS = {0: 1.0, 50: 8.0, 500: 70.0}  # of 16 connections, by a process for each processor
AS_USUAL = 1  # thread of each process
SECONDS = 2.5

Naive = tuple[int, str, int]  # the relay's milliseconds, its name, threads of each process


def run(quick: bool) -> list[Figure]:
    rounds = 1 if quick else 5
    latencies = LATENCIES[1:] if quick else LATENCIES
    connections = (16,) if quick else CONNECTIONS
    posts = 100 if quick else 700
    seconds = 2.0 if quick else SECONDS
    naive_ones = [(latency, RELAY, each) for latency in latencies for each in (AS_USUAL, THREADS)]
    if not quick:
        naive_ones.insert(0, (0, "aiosmtpd", AS_USUAL))
    theirs: dict[tuple[Naive, int], list[Answers]] = {}
    our: dict[int, list[Answers]] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "ours").mkdir()
        us = stack.enter_context(ours(folder / "ours"))
        them, relays = {}, {}
        for number, one in enumerate(naive_ones):
            latency, relay, threads = one
            if (latency, relay) not in relays:
                options = [] if relay == RELAY else [relay]
                relays[latency, relay], _ = stack.enter_context(sink(latency, *options))
            (there := folder / str(number)).mkdir()
            them[one] = stack.enter_context(naive(there, relays[latency, relay], threads))
        drive(us.port, our_posts(us, 100), 16)  # each process has made what it makes once
        for service in them.values():
            drive(service.port, naive_posts(service, 32), 16, 2.0)
        for _ in range(rounds):
            for count in connections:
                drafts = our_posts(us, posts)
                our.setdefault(count, []).append(drive(us.port, drafts, count, seconds))
                for one, service in them.items():
                    found = drive(service.port, naive_posts(service, posts), count, seconds)
                    assert set(found.statuses) == {303}, found.statuses
                    theirs.setdefault((one, count), []).append(found)
    return _figures(our, theirs)


def _figures(
    our: dict[int, list[Answers]], theirs: dict[tuple[Naive, int], list[Answers]]
) -> list[Figure]:
    found = []
    for count, answers in our.items():
        rate = middle([each.rate for each in answers])
        p50 = middle([each.percentile(0.5) for each in answers])
        p99 = middle([each.percentile(0.99) for each in answers])
        text = f"{rate:.0f} a second, p50 {p50:.0f} ms, p99 {p99:.0f} ms"
        found.append(Figure(f"ours, {count} connections", text))
        if count > 1:
            found.append(at_most(f"ours, p99 ÷ p50, {count} connections", p99 / p50, 5, "{:.1f}"))
    for ((latency, relay, threads), count), answers in theirs.items():
        rate = middle([each.rate for each in answers])
        ratios = [a.rate / b.rate for a, b in zip(our[count], answers, strict=True)]
        by = "" if relay == RELAY else f" by {relay}"
        where = f"SMTP {latency} ms{by}, {count} connections, 2 × {threads} threads"
        found.append(Figure(f"naive, {where}", f"{rate:.1f} a second"))
        what = f"ours ÷ naive, {where}"
        if count == 16 and threads == AS_USUAL:
            found.append(at_least(what, middle(ratios), GOALS[latency]))
        else:
            found.append(Figure(what, f"{middle(ratios):.2f}"))
    statuses = {status for each in our.values() for answers in each for status in answers.statuses}
    assert statuses == {303}, statuses
    return found
