"""Lighthouse's four scores for the first page and the form, in its default mobile setting.

    python tests/bench/lighthouse.py

Lighthouse comes from npm into a temporary folder (npm has to be there). Ends with 1 when a score
of the first page is under 95. The form is not for search engines, so its SEO says nothing.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))
sys.path.append(str(Path(__file__).parents[1] / "functional"))

from browser import ARGUMENTS, find
from sites import running

GOAL = 95
PAGES = ("/", "/?lang=en", "/report/failure")


def scores(folder: Path, url: str) -> dict[str, float]:
    flags = " ".join([*ARGUMENTS, "--headless=new"])
    command = ["npx", "lighthouse", url, "--quiet", "--output=json", f"--chrome-flags={flags}"]
    output = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"CHROME_PATH": str(find())},
        check=True,
        capture_output=True,
        timeout=180,
    ).stdout
    categories = json.loads(output)["categories"]
    return {name: round(100 * category["score"]) for name, category in categories.items()}


def main() -> int:
    wrong = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        install = ["npm", "install", "--silent", "--no-audit", "--no-fund", "lighthouse"]
        try:
            subprocess.run(install, cwd=folder, check=True, timeout=300)
        except (OSError, subprocess.SubprocessError) as error:
            sys.exit(f"Lighthouse could not be installed with npm: {error}")
        with running(folder) as site:
            for path in PAGES:
                found = scores(folder, site.url + path)
                print(f"{path:16}", "  ".join(f"{name} {score}" for name, score in found.items()))
                wrong += path.startswith("/report") is False and min(found.values()) < GOAL
    return int(wrong > 0)


if __name__ == "__main__":
    raise SystemExit(main())
