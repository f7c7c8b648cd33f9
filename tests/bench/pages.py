"""First paint on a link of 400 ms and 400 kbit/s, and the keystroke-level model of a report."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from figures import Figure

HERE = Path(__file__).parent


def run(quick: bool) -> list[Figure]:
    found = []
    for name in ("first_paint.py", "klm.py"):
        done = subprocess.run(
            [sys.executable, str(HERE / name)], capture_output=True, text=True, check=False
        )
        assert done.returncode in {0, 1}, done.stderr
        lines = [line for line in done.stdout.splitlines() if line.strip()]
        found += [Figure(f"{name}: {' '.join(line.split())}", "") for line in lines]
    return found
