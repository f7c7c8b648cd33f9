"""What somebody has typed so far, kept in the database: raw strings, valid or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from reporter import models
from reporter.database import Lock, exclusive, get_database
from reporter.models import Quota
from reporter.web import quotas

# What is kept of a step that is not valid, at most so many times what a valid one may hold.
KEPT_TIMES = 2
# "Just now" is taken for as long as this.
JUST_NOW = timedelta(hours=1)

Raw = Mapping[str, list[str]]  # submitted strings by key


@dataclass(frozen=True)
class StoredStep:
    """A step as it was last submitted; `answered_at` is None while it does not validate."""

    raw: Raw
    answered_at: datetime | None

    def is_stale(self, at: datetime) -> bool:
        """Whether it says "just now" of a time that was long before *at*."""
        said = self.raw.get("started") == ["just_now"] and self.answered_at
        return bool(said and at - said > JUST_NOW)


@dataclass(frozen=True)
class Draft:
    """A draft as it is stored. `id` is the hash of a secret."""

    id: str
    created_at: datetime
    steps: Mapping[str, StoredStep] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    updated_at: datetime | None = None

    def completed(self, at: datetime | None = None) -> set[str]:
        """The steps that are answered, and with *at* not stale then."""
        return {
            slug
            for slug, step in self.steps.items()
            if step.answered_at and not (at and step.is_stale(at))
        }


def load(session: Session, draft_id: str) -> Draft | None:
    """The draft with this id, if it is still kept."""
    row = models.Draft
    query = sa.select(row.created_at, row.steps, row.flags, row.updated_at)
    query = query.where(row.id == draft_id)
    found = session.execute(query).one_or_none()
    if found is None:
        return None
    steps = {slug: _step(entry) for slug, entry in found.steps.items()}
    return Draft(draft_id, found.created_at, steps, tuple(found.flags), found.updated_at)


def remove(draft_ids: Sequence[str]) -> None:
    """Forget these, as far as they were not sent."""
    sent = sa.select(models.Report.draft_id)
    with get_database().write() as session:
        session.execute(
            sa.delete(models.Draft).where(
                models.Draft.id.in_(draft_ids), models.Draft.id.not_in(sent)
            )
        )


def begin(draft_id: str, created_at: datetime) -> None:
    """Keep a draft with this id, blank, where there is none: files may come before answers."""
    with get_database().write() as session:
        exclusive(session, Lock.DRAFT, draft_id)
        if session.get(models.Draft, draft_id) is None:
            now = datetime.now(UTC)
            quotas.take(session, Quota.DRAFTS, now)
            session.add(
                models.Draft(id=draft_id, steps={}, flags=[], created_at=created_at, updated_at=now)
            )


def is_too_long(raw: Raw, most: int) -> bool:
    """Whether *raw* is more than a draft should keep of a step, of which a valid one has *most*
    characters. The page has to keep it then."""
    return sum(len(value) for values in raw.values() for value in values) > KEPT_TIMES * most


def save(
    draft_id: str,
    slug: str,
    raw: Raw,
    answered_at: datetime | None,
    flags: set[str],
    created_at: datetime | None = None,
) -> None:
    """Keep what was submitted in a step, in this draft or in a new one with this id.

    *created_at* is for a new one that was begun before we heard of it.
    """
    now = datetime.now(UTC)
    entry = {"answers": dict(raw), "answered_at": answered_at and answered_at.isoformat()}
    with get_database().write() as session:
        exclusive(session, Lock.DRAFT, draft_id)  # two tabs save two steps of one draft
        row = models.Draft
        query = sa.select(row.steps, row.flags).where(row.id == draft_id)
        steps, known = session.execute(query).one_or_none() or (None, ())
        values = {
            "steps": {**(steps or {}), slug: entry},
            "flags": sorted({*known, *flags}),
            "updated_at": now,
        }
        if steps is None:
            quotas.take(session, Quota.DRAFTS, now)
            new = {"id": draft_id, "created_at": created_at or now}
            session.execute(sa.insert(row).values(**new, **values))
        else:
            session.execute(sa.update(row).where(row.id == draft_id).values(**values))


def _step(entry: dict[str, Any]) -> StoredStep:
    at = entry["answered_at"]
    return StoredStep(entry["answers"], datetime.fromisoformat(at) if at else None)
