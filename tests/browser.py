"""Finds the browsers of the tests, or installs them with the system's package manager; Chromium
else with Playwright.

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
# What else the tests start: by the programs that will do, and the package of each system that has
# one. Where none is named, it is for whoever runs them to install.
OTHERS: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
    "Firefox": (
        ("firefox-esr", "firefox"),
        {"apt-get": "firefox-esr", "dnf": "firefox", "apk": "firefox-esr", "pacman": "firefox"},
    ),
    "WebKit's driver": (("WebKitWebDriver",), {"apt-get": "webkit2gtk-driver"}),
    "a display for WebKit": (
        ("Xvfb",),
        {"apt-get": "xvfb", "dnf": "xorg-x11-server-Xvfb", "apk": "xvfb"},
    ),
    "w3m": (("w3m",), dict.fromkeys(("apt-get", "dnf", "apk", "pacman"), "w3m")),
}
# What each package manager is told, where it is there.
INSTALLERS: dict[str, list[list[str]]] = {
    "apt-get": [
        ["apt-get", "-qq", "update"],
        ["apt-get", "-qq", "install", "--yes", "--no-install-recommends"],
    ],
    "dnf": [["dnf", "--quiet", "--assumeyes", "install"]],
    "apk": [["apk", "add", "--quiet"]],
    "pacman": [["pacman", "--sync", "--noconfirm", "--quiet"]],
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
    for way in (
        _commands("chromium"),
        [[sys.executable, "-m", "playwright", "install", "chromium"]],
    ):
        if way and all(_run(command) for command in way):
            path = find()
            if path and _run([path, "--version"]):  # it has every library it needs
                return path
    return None


def program(name: str) -> str | None:
    """The path of one of OTHERS, if it is installed."""
    programs, _packages = OTHERS[name]
    return next(filter(None, map(shutil.which, programs)), None)


def faketime() -> str:
    """The library that sets the clock of one process, for the fault tests; it is installed."""
    found = next(Path("/usr/lib").glob("**/faketime/libfaketimeMT.so.1"), None)
    if found is None and all(_run(command) for command in _commands("faketime")):
        found = next(Path("/usr/lib").glob("**/faketime/libfaketimeMT.so.1"), None)
    assert found, "libfaketime is missing: install your system's package faketime"
    return str(found)


def install_others() -> list[str]:
    """Install those that are missing; the names of those that still are."""
    manager = _manager()
    for name, (_programs, packages) in OTHERS.items():
        if program(name) is None and manager in packages:
            print(f"Installing {name} for the tests…", flush=True)
            all(_run(command) for command in _commands(packages[manager]))
    return [name for name in OTHERS if program(name) is None]


@contextmanager
def chromium() -> Iterator[Browser]:
    """Chromium, started. While it runs there is an event loop in this thread."""
    path = find()
    assert path, "there is no Chromium; install one with: make browser"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path,
            args=ARGUMENTS,
            ignore_default_args=["--disable-back-forward-cache"],  # people have it too
        )
        try:
            yield browser
        finally:
            browser.close()


def _manager() -> str:
    return next((name for name in INSTALLERS if shutil.which(name)), "")


def _commands(package: str) -> list[list[str]]:
    """What installs it here; none where nobody may."""
    root = _as_root()
    if root is None or not _manager():
        return []
    *before, last = INSTALLERS[_manager()]
    return [[*root, *command] for command in (*before, [*last, package])]


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
    if missing := install_others():
        sys.exit(f"Not installed: {', '.join(missing)}. Install them, and run this again")
