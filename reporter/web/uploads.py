"""Files as they arrive: each goes to a temporary file, and all of them together have a bound, of
which one client has a part.

What is over it is not written down, and refused beside its field when the form is read; the rest of
the form loses nothing by it.
"""

from __future__ import annotations

import shutil
import tempfile
from tempfile import SpooledTemporaryFile
from typing import Any

from flask import current_app

from reporter.web import bounds
from reporter.web.room import Room

IN_MEMORY = 500_000  # as Werkzeug has it
LOOK_BYTES = 4 * 2**20  # how much is written before the disk is looked at again

arriving = Room(bounds.ARRIVING_BYTES, bounds.CLIENT_ARRIVING_BYTES)


class Upload(SpooledTemporaryFile[bytes]):
    """One that arrives. `declined`: there was no room for it, and nothing of it is here. `client`:
    who sends it, as far as clients are limited."""

    def __init__(self) -> None:
        super().__init__(max_size=IN_MEMORY, mode="w+b")
        self.declined = False
        self.client = bounds.client() if current_app.config["RATELIMIT_ENABLED"] else ""
        self._mine = 0
        self._looked_at = 0

    def write(self, content: Any) -> int:
        if not self.declined and not self._takes(len(content)):
            self.declined = True
            self._give_back()
            self.seek(0)
            self.truncate()
        return len(content) if self.declined else super().write(content)

    def close(self) -> None:
        self._give_back()
        super().close()

    def _takes(self, size: int) -> bool:
        if self._mine + size > max(self._looked_at, IN_MEMORY):
            self._looked_at = self._mine + size + LOOK_BYTES
            if not has_room(current_app.config["MIN_FREE_BYTES"]):
                return False
        if not arriving.takes(self.client, size):
            return False
        self._mine += size
        return True

    def _give_back(self) -> None:
        arriving.give_back(self.client, self._mine)
        self._mine = 0


def has_room(least: int) -> bool:
    """Whether the disk of temporary files takes more of them: it keeps *least* bytes for reports.
    One that is smaller than four times that holds none (a `tmpfs`, say), and keeps a quarter."""
    disk = shutil.disk_usage(tempfile.gettempdir())
    return disk.free >= min(least, disk.total // 4)
