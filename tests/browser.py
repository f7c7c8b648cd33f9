"""Finds Chromium, or installs it: with the system's package manager, else with Playwright.

Run as a program it sees that there is one, which is what `make browser` does.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# What each package manager is told, where it is there.
INSTALLERS: dict[str, list[list[str]]] = {
    "apt-get": [
        ["apt-get", "-qq", "update"],
        ["apt-get", "-qq", "install", "--yes", "--no-install-recommends", "chromium"],
    ],
    "dnf": [["dnf", "--quiet", "--assumeyes", "install", "chromium"]],
    "apk": [["apk", "add", "--quiet", "chromium"]],
    "pacman": [["pacman", "--sync", "--noconfirm", "--quiet", "chromium"]],
}
INSTALL_SECONDS = 600
ARGUMENTS = [
    "--no-sandbox",  # which needs another user than root, or a kernel that grants it
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


def find() -> str | None:
    """The path of a Chromium that is installed, the system's first."""
    for name in NAMES:
        if path := shutil.which(name):
            return path
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).is_file() else None


def install() -> str | None:
    """Install Chromium; its path, or None when that did not work."""
    commands = next((INSTALLERS[name] for name in INSTALLERS if shutil.which(name)), [])
    root = _as_root()
    system = [] if root is None else [[*root, *command] for command in commands]
    for way in (system, [[sys.executable, "-m", "playwright", "install", "chromium"]]):
        if way and all(_run(command) for command in way):
            path = find()
            if path and _run([path, "--version"]):  # it has every library it needs
                return path
    return None


@contextmanager
def chromium() -> Iterator[Browser]:
    """Chromium, started. While it runs there is an event loop in this thread."""
    path = find()
    assert path, "there is no Chromium; install one with: make browser"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


def _as_root() -> list[str] | None:
    """What makes a command run as root; None when nothing does."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and _run(["sudo", "-n", "true"]):
        return ["sudo", "-n"]
    return None


def _run(command: list[str]) -> bool:
    """Whether it worked. What it says goes to standard error."""
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        return (
            subprocess.run(
                command, env=quiet, timeout=INSTALL_SECONDS, stdout=sys.stderr
            ).returncode
            == 0
        )
    except (OSError, subprocess.TimeoutExpired):
        return False


if __name__ == "__main__":
    if find() is None:
        print("Installing Chromium for the tests…", flush=True)
        if install() is None:
            sys.exit("No Chromium: install the package chromium of your system, and run this again")
