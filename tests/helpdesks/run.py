"""Feeds five mails to real helpdesks, checks what they made of them, and writes the table of
docs/helpdesks/README.md: make helpdesks

Each helpdesk runs in an environment of its own, in build/helpdesks/.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
ENVIRONMENT = ROOT / "build" / "helpdesks"
PAGE = ROOT / "docs" / "helpdesks" / "README.md"
TABLE = re.compile(r"(?<=<!-- tried -->\n).*?(?=<!-- /tried -->)", re.DOTALL)
THREAD = ["ticket", "details", "worse", "solved"]


@dataclass(frozen=True)
class Helpdesk:
    profile: str
    package: str
    script: str


HELPDESKS = (
    Helpdesk("django-helpdesk", "django-helpdesk", "django_helpdesk.py"),
    Helpdesk("roundup", "roundup", "roundup_tracker.py"),
)


def install() -> Path:
    """The interpreter of an environment with the helpdesks in it."""
    python = ENVIRONMENT / "bin" / "python"
    if not python.exists():
        venv.create(ENVIRONMENT, with_pip=True)
    wanted = HERE / "requirements.txt"
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--requirement", str(wanted)], check=True)
    return python


def feed(python: Path, helpdesk: Helpdesk, folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the helpdesk made of the mails, and what it should."""
    mails, home = folder / "mails", folder / "home"
    home.mkdir()
    make = [sys.executable, str(HERE / "mails.py"), helpdesk.profile, str(mails)]
    subprocess.run(make, check=True, stdout=subprocess.DEVNULL)
    done = subprocess.run(
        [str(python), str(HERE / helpdesk.script), str(mails), str(home)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{helpdesk.profile}: {done.stderr}")
    expected = json.loads((mails / "expected.json").read_text(encoding="utf-8"))
    return json.loads(done.stdout), expected


def judge(made: dict[str, Any], expected: dict[str, Any]) -> dict[str, bool]:
    """What came out right, by what it is."""
    tickets = made["tickets"]
    names = [THREAD, ["other"]]
    pairs = list(zip(tickets, names, strict=False))
    return {
        "one ticket a report": len(tickets) == 2
        and [each["subject"] for each in tickets]
        == [expected[name[0]]["subject"] for name in names],
        "follow-ups in it": [len(each["bodies"]) for each in tickets] == [4, 1],
        "customer on it": all(
            expected[name[0]]["customer"] in each["requesters"] for each, name in pairs
        ),
        "bodies whole": [plain(body) for each in tickets for body in each["bodies"]]
        == [plain(expected[key]["body"]) for name in names for key in name],
        "files whole": all(
            set(expected[key]["files"].values()) <= set(each["files"].values())
            for each, name in pairs
            for key in name
        ),
    }


def plain(text: str) -> str:
    return text.replace("\r\n", "\n").strip()


def version(python: Path, package: str) -> str:
    said = f"from importlib.metadata import version; print(version({package!r}))"
    done = subprocess.run([str(python), "-c", said], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def table(results: dict[str, dict[str, bool]]) -> str:
    columns = list(next(iter(results.values())))
    lines = [f"| | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    lines += [
        f"| {name} | {' | '.join('yes' if right else '**no**' for right in found.values())} |"
        for name, found in results.items()
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    python = install()
    results = {}
    for helpdesk in HELPDESKS:
        with TemporaryDirectory() as folder:
            made, expected = feed(python, helpdesk, Path(folder))
        name = f"{helpdesk.profile} {version(python, helpdesk.package)}"
        results[name] = judge(made, expected)
    written = table(results)
    print(written)
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(TABLE.sub(lambda _: written, text), encoding="utf-8")
    if not all(all(found.values()) for found in results.values()):
        raise SystemExit("a helpdesk made something else of it")


if __name__ == "__main__":
    main()
