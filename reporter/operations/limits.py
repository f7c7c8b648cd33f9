"""Whether what counts the limits for all processes answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from limits.storage import storage_from_string

AWAY = "what counts the limits does not answer: each process counts alone"


def are_counted(config: Mapping[str, Any]) -> bool:
    """Whether it does, or none is set. Raises nothing, and waits for little."""
    uri: str = config["RATELIMIT_STORAGE_URI"]
    if uri == "memory://":
        return True
    try:
        return bool(storage_from_string(uri, **config["RATELIMIT_STORAGE_OPTIONS"]).check())
    except Exception:  # whatever is wrong with it; a URI holds a password
        return False
