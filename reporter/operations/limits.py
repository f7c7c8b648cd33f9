"""Whether what counts the limits for all processes answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from limits.storage import storage_from_string

from reporter.formats.text import one_line

AWAY = "what counts the limits does not answer: each process counts alone"


def are_counted(config: Mapping[str, Any]) -> bool:
    """Whether it does, or none is set. Raises nothing, and waits for little."""
    return not why_not(config)


def why_not(config: Mapping[str, Any]) -> str:
    """What it says when it is asked, or nothing where it answers."""
    uri: str = config["RATELIMIT_STORAGE_URI"]
    if uri == "memory://":
        return ""
    from redis.exceptions import RedisError  # large, and few have one

    try:
        # One of ours that never was; its own check says no more than yes and no.
        storage_from_string(uri, **config["RATELIMIT_STORAGE_OPTIONS"]).get("check")
    except RedisError as error:
        return one_line(str(error)) or type(error).__name__
    except Exception as error:  # whatever is wrong with it; a URI holds a password
        return type(error).__name__
    return ""
