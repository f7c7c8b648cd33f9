"""The service for tests of the form in a real browser: one that can die and come back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from running import Service, until


class Site(Service):
    """A web server at one address, whether it runs or not."""

    is_up = False

    def start(self) -> None:
        super().start()
        until(self.is_ready)
        self.is_up = True

    def stop(self) -> None:
        """As when the machine loses its power: nothing in flight is finished."""
        if self.is_up:
            self.kill_all()
        self.is_up = False


@contextmanager
def running(folder: Path, **settings: Any) -> Iterator[Site]:
    site = Site(folder, "web", **{"WEB_PROCESSES": 1} | settings)
    site.run("db", "upgrade")
    site.start()
    try:
        yield site
    finally:
        site.stop()
