"""Which process of a machine watches, and what it leaves for the one that goes on in its place."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path


def file_of(url: str) -> Path:
    """For the watch over that database: in the folder that systemd keeps for us (systemd.exec(5),
    StateDirectory=), as a unit's temporary files go when it stops."""
    name = hashlib.sha256(url.encode()).hexdigest()[:16]
    folder = os.environ.get("STATE_DIRECTORY", "").partition(":")[0] or tempfile.gettempdir()
    return Path(folder) / f"incident-reporter-{os.getuid()}-{name}"


def take(file: Path) -> bool:
    """Whether nobody else has it. The lock ends with the process."""
    try:
        descriptor = _ours(file, os.O_CREAT | os.O_RDWR)
    except OSError:
        return True  # better told twice than not at all
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return False
    return True


def told(file: Path) -> dict[str, datetime]:
    """What whoever had the place before has told and not ended, since when."""
    with suppress(OSError, ValueError, AttributeError, TypeError):  # there is none, or none of ours
        with open(file, encoding="utf-8", opener=_ours) as kept:
            found = json.load(kept)
        return {key: datetime.fromisoformat(since) for key, since in found.items()}
    return {}


def leave(file: Path, told: Mapping[str, datetime]) -> None:
    text = json.dumps({key: since.isoformat() for key, since in told.items()})
    # Not on a disk that is full: it may be told twice.
    with suppress(OSError), open(file, "w", encoding="utf-8", opener=_ours) as kept:
        kept.write(text)


def _ours(file: str | Path, flags: int) -> int:
    """Opens it where others may have put something by its name. Raises OSError where they have."""
    kept = flags & ~os.O_TRUNC
    descriptor = os.open(file, kept | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    if os.fstat(descriptor).st_uid != os.getuid():
        os.close(descriptor)
        raise PermissionError(f"{file} is somebody else's")
    if flags & os.O_TRUNC:
        os.ftruncate(descriptor, 0)
    return descriptor
