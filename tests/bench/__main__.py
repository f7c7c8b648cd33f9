"""Everything that is said of speed, measured side by side in one run.

    python tests/bench            all of it, into docs/figures.md; takes half an hour
    python tests/bench --quick    a part of it, in under a minute; prints only
    python tests/bench wizard …   some of it; prints only, or with --write keeps the rest as it is

Read the ratios: what is compared was measured in turn, under the same load. It ends with an error
when something fails, never because a goal is missed.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import accept
import burst
import growth
import outbox
import pages_and_people
import processes
import slow
import wizard
from figures import Figure, Section

FIGURES = Path(__file__).parents[2] / "docs" / "figures.md"
HEADER = """# Figures

Written by `make bench`; not by hand. Ratios are of one run, in which what is compared was measured
in turn. Absolute figures depend on the computer and on what else it does: each table says when it
was measured, and how busy the computer was.
"""
QUICK = ("wizard", "accept")
SECTIONS = {
    "accept": Section(
        "Accepting a report",
        "The POST that sends a report: one durable commit, mails queued. Beside it the naive app "
        "(`tests/bench/naive.py`), which commits too and then sends its mail in the request, "
        "under the same server with two processes, of one thread each as `gunicorn -w 2` has, and "
        "of 64. Its relay is on the same processors: one that checks nothing and costs nearly "
        "nothing, or aiosmtpd. Kept-alive connections; medians of interleaved rounds. Nobody "
        "delivers meanwhile.",
        accept.run,
    ),
    "burst": Section("Many at once", burst.__doc__ or "", burst.run),
    "wizard": Section("A whole report", wizard.__doc__ or "", wizard.run),
    "outbox": Section("Delivering", outbox.__doc__ or "", outbox.run),
    "growth": Section("With years of history", growth.__doc__ or "", growth.run),
    "slow": Section("Slow clients", slow.__doc__ or "", slow.run),
    "processes": Section("Memory and start", processes.__doc__ or "", processes.run),
    "pages": Section("Pages and people", pages_and_people.__doc__ or "", pages_and_people.run),
}


def main(arguments: list[str]) -> None:
    quick = "--quick" in arguments
    wanted = [each for each in arguments if each in SECTIONS] or (QUICK if quick else SECTIONS)
    written = _written()
    for name in wanted:
        section, when = SECTIONS[name], _when(quick)
        print(f"\n{section.title}", flush=True)
        figures = section.run(quick)
        for figure in figures:
            print(f"  {figure.what:62} {figure.found:>12}  {figure.goal:8} {figure.mark}")
        written[section.title] = _as_markdown(section, figures, when)
    if "--write" in arguments or (not quick and len(wanted) == len(SECTIONS)):
        known = [written[each.title] for each in SECTIONS.values() if each.title in written]
        FIGURES.write_text("\n".join([HEADER, *known]), encoding="utf-8")


def _written() -> dict[str, str]:
    """The sections that are there, by title: one that is not measured anew is kept as it is."""
    if not FIGURES.exists():
        return {}
    _, *parts = FIGURES.read_text(encoding="utf-8").split("\n## ")
    return {part.partition("\n")[0]: f"## {part.rstrip()}\n" for part in parts}


def _when(quick: bool) -> str:
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {commit or 'no commit'}, {os.cpu_count()} processors "
        f"({platform.machine()}), Python {platform.python_version()}, "
        f"load {os.getloadavg()[0]:.1f} at the start"
        f"{'; a quick run, of one round' if quick else ''}."
    )


def _as_markdown(section: Section, figures: list[Figure], when: str) -> str:
    rows = [f"| {f.what} | {f.found} | {f.goal} | {f.mark} |" for f in figures]
    about = " ".join(section.about.split())
    table = "\n".join(["| | found | goal | met |", "|---|---|---|---|", *rows])
    return f"## {section.title}\n\n{about}\n\n{when}\n\n{table}\n"


if __name__ == "__main__":
    main(sys.argv[1:])
