"""The address of a database, as operators write it."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import make_url


def driver_url(url: str) -> sa.URL:
    """The URL with the driver we ship. Raises sqlalchemy.exc.ArgumentError when it is no URL."""
    parsed = make_url(url)
    if parsed.drivername in {"postgresql", "postgres"}:
        return parsed.set(drivername="postgresql+psycopg")
    return parsed
