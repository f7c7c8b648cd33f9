"""What the service counts and remembers of itself: quotas, alarms, beats, what it heard."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from reporter.models.base import Base, kind_column
from reporter.models.kinds import Quota


class Tally(Base):
    """How much of something one client has had in one minute. A day later it is gone."""

    __tablename__ = "tally"

    quota: Mapped[Quota] = mapped_column(kind_column(Quota), primary_key=True)
    client: Mapped[str] = mapped_column(String(16), primary_key=True)  # keyed, another each day
    minute: Mapped[datetime] = mapped_column(primary_key=True, index=True)
    count: Mapped[int]


class Alarm(Base):
    """A trouble that the operator is told of once, as is its end. The row goes with the trouble."""

    __tablename__ = "alarm"

    key: Mapped[str] = mapped_column(primary_key=True)  # as in "unsent", "surge", "disk"
    since_at: Mapped[datetime]
    told_at: Mapped[datetime | None]  # last, when a channel has taken it
    # Whoever tells holds it until then, so that it is told once by however many look.
    telling_until: Mapped[datetime | None]


class Beat(Base):
    """A worker that lives, or lived until a moment ago."""

    __tablename__ = "beat"

    name: Mapped[str] = mapped_column(primary_key=True)
    host: Mapped[str]
    version: Mapped[str]
    started_at: Mapped[datetime]
    beat_at: Mapped[datetime] = mapped_column(index=True)  # by the clock that all workers share
    clock_at: Mapped[datetime]  # what its own machine's clock said then


class HeardOnce(Base):
    """A mail or a call of the helpdesk's hook that changed something, so that it does so once."""

    __tablename__ = "heard_once"

    key: Mapped[str] = mapped_column(primary_key=True)
    heard_at: Mapped[datetime] = mapped_column(index=True)


class HeardCount(Base):
    """How much came in, by what it was taken for."""

    __tablename__ = "heard_count"

    sort: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int]
    last_at: Mapped[datetime]


class LastDone(Base):
    """When something was last done, by whichever process did it."""

    __tablename__ = "last_done"

    name: Mapped[str] = mapped_column(primary_key=True)  # as in "purge"
    done_at: Mapped[datetime]
