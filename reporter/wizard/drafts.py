"""Drafts in the database: found, changed by whoever types in them, forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import Session

from reporter import models
from reporter.database import Lock, exclusive, get_database
from reporter.database.statement import Ready, Statement
from reporter.models import Quota
from reporter.web import bounds, quotas
from reporter.wizard.draft import Draft, Raw, StoredStep
from reporter.wizard.rules import rules

DRAFT = cast(sa.Table, models.Draft.__table__)
REPORT = cast(sa.Table, models.Report.__table__)
ATTACHMENT = cast(sa.Table, models.Attachment.__table__)
# Statements are made once: that takes longer than they run.
THIS: sa.BindParameter[str] = sa.bindparam("this")
COLUMNS = (DRAFT.c.created_at, DRAFT.c.steps, DRAFT.c.flags, DRAFT.c.updated_at)
LOAD = Statement(sa.select(*COLUMNS).where(DRAFT.c.id == THIS))
LOOK = Statement(
    sa.select(
        *COLUMNS,
        sa.select(REPORT.c.token_hash).where(REPORT.c.draft_id == THIS).scalar_subquery(),
        sa.exists().where(REPORT.c.draft_id == sa.bindparam("first")),
        sa.exists().where(ATTACHMENT.c.draft_id == THIS),
    ).select_from(sa.select(sa.literal(1)).subquery().outerjoin(DRAFT, DRAFT.c.id == THIS))
)
INSERT = Statement(sa.insert(DRAFT))
UPDATE = Statement(
    sa.update(DRAFT)
    .where(DRAFT.c.id == THIS, DRAFT.c.updated_at == sa.bindparam("seen_at"))
    .values({each: sa.bindparam(each) for each in ("steps", "flags", "updated_at")})
)


@dataclass(frozen=True)
class Look:
    """What a page has to know of a draft: itself, while it is kept; the hash of its receipt's
    token, if it was sent; whether the browser's first was; and whether there are files."""

    draft: Draft | None
    kept_hash: str | None
    first_is_sent: bool
    has_files: bool


NOTHING = Look(None, None, first_is_sent=False, has_files=False)


def load(session: Session, draft_id: str) -> Draft | None:
    """The draft with this id, if it is still kept."""
    found = LOAD.row(session, {"this": draft_id})
    return _draft(draft_id, found) if found else None


def look(session: Session, draft_id: str, first_id: str | None) -> Look:
    """At the draft with this id, in a browser whose first has *first_id*, in one statement."""
    (found,) = LOOK.rows(session, {"this": draft_id, "first": first_id})
    draft = _draft(draft_id, found[:4]) if found[0] else None
    return Look(draft, *found[4:])


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

    def write(session: Session) -> None:
        exclusive(session, Lock.DRAFT, draft_id)
        if session.get(models.Draft, draft_id) is None:
            now = datetime.now(UTC)
            quotas.take(session, Quota.DRAFTS, now)
            session.add(
                models.Draft(id=draft_id, steps={}, flags=[], created_at=created_at, updated_at=now)
            )

    get_database().write_together(write)


def is_too_long(raw: Raw, most: int) -> bool:
    """Whether *raw* is more than a draft should keep of a step, of which a valid one has *most*
    characters. The page has to keep it then."""
    return sum(len(value) for values in raw.values() for value in values) > bounds.KEPT_TIMES * most


def save(
    draft_id: str,
    slug: str,
    raw: Raw,
    answered_at: datetime | None,
    flags: set[str],
    created_at: datetime | None = None,
    seen: Draft | None = None,
) -> None:
    """Keep what was submitted in a step, in this draft or in a new one with this id.

    *created_at* is for a new one that was begun before we heard of it. *seen* is the draft as it
    was read: while nobody has changed it since, as another tab may, it is not read again.
    """
    step = StoredStep(raw, answered_at, rules())
    database = get_database()
    change = partial(_change, database.engine.dialect, slug, step, flags)
    of_seen = change(seen) if seen else None

    def write(session: Session) -> None:
        exclusive(session, Lock.DRAFT, draft_id)  # two tabs save two steps of one draft
        if of_seen and of_seen.change(session):
            return
        known = load(session, draft_id)
        if known:
            change(known).change(session)
        else:
            now = datetime.now(UTC)
            quotas.take(session, Quota.DRAFTS, now)
            new = Draft(draft_id, created_at or now, {slug: step}, tuple(sorted(flags)), now)
            row = {"id": draft_id, "created_at": new.created_at} | _row(new)
            INSERT.change(session, row)

    database.write_together(write)


def _change(dialect: Dialect, slug: str, step: StoredStep, flags: set[str], draft: Draft) -> Ready:
    """What puts *step* in its place in *draft*, and changes nothing if somebody else has changed
    that since it was read."""
    now, seen_at = datetime.now(UTC), draft.updated_at or draft.created_at
    new = replace(
        draft,
        steps={**draft.steps, slug: step},
        flags=tuple(sorted({*draft.flags, *flags})),
        updated_at=max(now, seen_at + timedelta.resolution),  # no two changes have the same
    )
    return UPDATE.ready(dialect, {"this": draft.id, "seen_at": seen_at} | _row(new))


def _row(draft: Draft) -> dict[str, Any]:
    """What each save writes."""
    return {
        "updated_at": draft.updated_at,
        "flags": list(draft.flags),
        "steps": {
            slug: {
                "answers": dict(step.raw),
                "answered_at": step.answered_at and step.answered_at.isoformat(),
                "rules": step.rules,
            }
            for slug, step in draft.steps.items()
        },
    }


def _draft(draft_id: str, found: Sequence[Any]) -> Draft:
    created_at, steps, flags, updated_at = found
    entries = {slug: _step(entry) for slug, entry in steps.items()}
    return Draft(draft_id, created_at, entries, tuple(flags), updated_at)


def _step(entry: dict[str, Any]) -> StoredStep:
    at = entry["answered_at"]
    answered_at = datetime.fromisoformat(at) if at else None
    return StoredStep(entry["answers"], answered_at, entry.get("rules", ""))
