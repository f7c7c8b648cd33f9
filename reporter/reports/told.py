"""What a follow-up mail tells of what came after a report: what is new, what was told before, and
the report before and after."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from reporter import models
from reporter.models import Author, UpdateKind
from reporter.report import CustomerUpdate, Report, sections_from_json
from reporter.reports import store

# How many of the earlier updates the JSON repeats, and how many of their characters: what somebody
# writes again and again must not grow with each mail.
EARLIER, EARLIER_LENGTH = 100, 50_000
# What is told to support, of what came after a report.
TOLD = sa.and_(models.Update.author != Author.SUPPORT, models.Update.kind != UpdateKind.LINK_NOTICE)


@dataclass(frozen=True)
class Told:
    """What came after a report, as far as a mail tells of it: its price is that of the mail,
    however much came before.

    *new* are those of this transaction, of which a rehearsal writes none; the mail of that
    *number* tells the last of them, with what waits in *waiting*.
    """

    session: Session
    row: models.Report
    new: tuple[models.Update, ...]

    def next_number(self) -> int:
        given = [each.number for each in self.new[:-1] if each.number]
        last = store.last_update(
            self.session, self.row, models.Update.number.is_not(None), *self._kept()
        )
        return 1 + max([*given, (last and last.number) or 0])

    def number_of(self, waiting: models.Message) -> int:
        mine = store.last_update(
            self.session,
            self.row,
            models.Update.message_id == waiting.id,
            models.Update.number.is_not(None),
        )
        assert mine is not None
        return mine.number or 0

    def told_with(self, waiting: models.Message | None) -> list[CustomerUpdate]:
        before = []
        if waiting:
            query = sa.select(models.Update).where(models.Update.message_id == waiting.id, TOLD)
            before = list(self.session.scalars(query.order_by(models.Update.id)))
        return [_value(update) for update in (*before, self.new[-1])]

    def earlier(self, number: int) -> list[CustomerUpdate]:
        """The last that were told before, as far as EARLIER and EARLIER_LENGTH reach."""
        lower = sa.func.coalesce(models.Update.number, 0) < number
        query = sa.select(models.Update).where(
            models.Update.report_id == self.row.id, TOLD, lower, *self._kept()
        )
        newest = models.Update.id.desc()
        kept = list(self.session.scalars(query.order_by(newest).limit(EARLIER)))
        new = [each for each in self.new[:-1] if (each.number or 0) < number]
        found, room = [], EARLIER_LENGTH
        for each in [_value(update) for update in (*reversed(new), *kept)][:EARLIER]:
            room -= len(each.text)
            if room < 0:
                break
            found.append(each)
        return found[::-1]

    def report(self, before: int | None = None) -> Report:
        """With its details as last told; with *before*, in the mails before that number."""
        for each in reversed(self.new):
            if each.kind == UpdateKind.DETAILS and (before is None or (each.number or 0) < before):
                report = Report.from_json(self.row.content)
                report = report.with_contact(self.row.email, self.row.phone)
                return report.with_answers(sections_from_json(each.content["sections"]))
        return store.to_value(self.session, self.row, before)

    def _kept(self) -> list[sa.ColumnElement[bool]]:
        """Those that were there before this transaction."""
        written = [each.id for each in self.new if each.id]
        return [models.Update.id.not_in(written)] if written else []


def _value(update: models.Update) -> CustomerUpdate:
    return CustomerUpdate(update.kind, update.content["text"], update.created_at)
