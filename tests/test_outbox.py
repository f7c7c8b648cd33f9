"""The queue, on both engines: who gets a mail, and what is written down about it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import conftest
import pytest
import sqlalchemy as sa
from conftest import CONTENT, NOW, QUEUED, a_mail, record
from emptied import OF_THIS_DATABASE
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from structlog.testing import capture_logs
from waiting import until

from reporter.database import Database
from reporter.delivery import backlog, backoff, beats, claims, outbox, recovery, releases
from reporter.delivery.mail import Claimed, LesserForm
from reporter.delivery.processes import process_name
from reporter.delivery.smtp import AttemptResult
from reporter.models import MailForm, Message

Queue = Callable[..., int]

ACCEPTED = AttemptResult("relay:25", "accepted", 250, "2.0.0 ok")
DEFERRED = AttemptResult("relay:25", "deferred", 451, "4.3.0 later")
REFUSED = AttemptResult("relay:25", "refused", 550, "5.1.1 no such user")
REFUSED_BY_US = AttemptResult("relay:25", "deferred", 550, "5.7.1 not you")
LEASE = 60.0


def claim(database: Database, now: datetime = NOW) -> Claimed:
    claimed = conftest.claim(database, now, LEASE)
    assert claimed is not None
    return claimed


def claimed_by_one(database: Database) -> list[Claimed]:
    """What a worker is given that asks for several."""
    with database.write() as session:
        return claims.claim(session, "worker", NOW, LEASE, count=5)


def nothing_due(database: Database, now: datetime = NOW) -> bool:
    return conftest.claim(database, now, LEASE) is None


def retry(session: Session, now: datetime, **options: Any) -> Sequence[Message]:
    defaults = {"support": "support@example.com", "references": ["INC-KX7M9Q"]}
    return backlog.retry(session, now, **defaults | options)


def stored(database: Database, message_id: int) -> Message:
    with database.read() as session:
        message = session.get_one(Message, message_id)
        assert message.attempts is not None  # loads them
        return message


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_a_claim_hands_over_the_mail_as_it_was_queued(database: Database, queue: Queue) -> None:
    message_id = queue()
    claimed = claim(database)
    assert claimed.id == message_id
    assert (claimed.kind, claimed.reference) == ("ticket", "INC-KX7M9Q")
    assert (claimed.recipient, claimed.content) == ("support@example.com", CONTENT)
    assert claimed.attempt_count == 1


def test_queueing_is_part_of_the_callers_transaction(database: Database) -> None:
    with database.write() as session:
        outbox.enqueue(session, a_mail(mime_id="<1@example.com>"), **QUEUED)
        session.rollback()
    assert nothing_due(database)


def test_the_same_message_id_is_queued_once(queue: Queue) -> None:
    queue(mime_id="<1@example.com>")
    with pytest.raises(IntegrityError):
        queue(mime_id="<1@example.com>")


def test_mails_are_claimed_in_the_order_they_are_due(database: Database, queue: Queue) -> None:
    second, first, third = queue(due_at=after(1)), queue(), queue(due_at=after(1))
    assert [claim(database, after(2)).id for _ in range(3)] == [first, second, third]


def test_a_mail_is_not_claimed_before_it_is_due(database: Database, queue: Queue) -> None:
    queue(due_at=after(10))
    assert nothing_due(database, after(9.9))
    claim(database, after(10))


def test_two_claims_never_get_the_same_mail(database: Database, queue: Queue) -> None:
    for _ in range(40):
        queue()

    def drain(_: int) -> list[int]:
        ids = []
        for _ in range(60):
            if claimed := conftest.claim(database, NOW, LEASE):
                ids.append(claimed.id)
        return ids

    with ThreadPoolExecutor(4) as pool:
        ids = [id_ for some in pool.map(drain, range(4)) for id_ in some]
    assert len(ids) == 40
    assert len(set(ids)) == 40


def test_a_mail_waits_until_the_one_before_it_was_sent(database: Database, queue: Queue) -> None:
    ticket = queue()
    follow_up = queue(after_id=ticket)
    first = claim(database)
    assert first.id == ticket
    assert nothing_due(database)
    record(database, first, [DEFERRED], NOW, jitter=0.5)
    assert nothing_due(database)
    record(database, claim(database, after(15)), [ACCEPTED], after(15), jitter=0.5)
    assert claim(database, after(15)).id == follow_up


def test_what_waits_for_a_failed_mail_keeps_waiting(database: Database, queue: Queue) -> None:
    follow_up = queue(after_id=queue())
    record(database, claim(database), [REFUSED], NOW, jitter=0.5)
    assert nothing_due(database, after(10**6))
    assert stored(database, follow_up).state == "queued"


def test_an_accepted_mail_is_sent_and_never_claimed_again(database: Database, queue: Queue) -> None:
    message_id = queue()
    assert record(database, claim(database), [ACCEPTED], after(3), jitter=0.5)
    message = stored(database, message_id)
    assert (message.state, message.sent_at, message.claimed_by) == ("sent", after(3), None)
    assert nothing_due(database, after(10**6))


@pytest.mark.parametrize(
    ("jitter", "seconds"), [(0.0, [12, 24, 48]), (0.5, [15, 30, 60]), (0.75, [16.5, 33, 66])]
)
def test_a_deferred_mail_is_due_again_after_its_backoff(
    database: Database, queue: Queue, jitter: float, seconds: list[float]
) -> None:
    message_id = queue()
    now = NOW
    for wait in seconds:
        record(database, claim(database, now), [DEFERRED], now, jitter)
        message = stored(database, message_id)
        assert (message.state, message.claimed_by) == ("queued", None)
        assert message.due_at == now + timedelta(seconds=wait)
        now = message.due_at


def test_one_deferral_among_refusals_is_tried_again(database: Database, queue: Queue) -> None:
    message_id = queue()
    record(database, claim(database), [REFUSED, DEFERRED], NOW, jitter=0.5)
    assert stored(database, message_id).state == "queued"


def test_what_every_relay_refused_has_failed_and_stays(database: Database, queue: Queue) -> None:
    message_id = queue()
    record(database, claim(database), [REFUSED, REFUSED], NOW, jitter=0.5)
    message = stored(database, message_id)
    assert (message.state, message.content) == ("failed", CONTENT)
    assert nothing_due(database, after(10**6))


def test_every_attempt_is_kept_with_what_the_relay_said(database: Database, queue: Queue) -> None:
    message_id = queue()
    record(database, claim(database), [REFUSED, ACCEPTED], after(2), jitter=0.5)
    attempts = stored(database, message_id).attempts
    assert [(a.relay, a.outcome, a.code, a.reply, a.attempted_at) for a in attempts] == [
        ("relay:25", "refused", 550, "5.1.1 no such user", after(2)),
        ("relay:25", "accepted", 250, "2.0.0 ok", after(2)),
    ]


def test_a_lease_that_ran_out_lets_another_worker_take_over(
    database: Database, queue: Queue
) -> None:
    message_id = queue()
    claim(database)
    assert nothing_due(database, after(LEASE - 0.1))
    again = claim(database, after(LEASE))
    assert (again.id, again.attempt_count) == (message_id, 2)


@pytest.mark.parametrize("late", [DEFERRED, REFUSED])
def test_who_lost_the_lease_changes_nothing(
    database: Database, queue: Queue, late: AttemptResult
) -> None:
    message_id = queue()
    first = claim(database)
    second = claim(database, after(LEASE))
    with capture_logs() as logs:
        assert not record(database, first, [late], after(LEASE + 1), jitter=0.5)
    (lost,) = logs
    assert (lost["event"], lost["reference"]) == ("lease lost", "INC-KX7M9Q")
    assert (lost["kind"], lost["sent"]) == ("ticket", False)
    message = stored(database, message_id)
    assert (message.state, message.claimed_by) == ("queued", second.token)
    assert message.due_at == after(2 * LEASE)
    assert record(database, second, [ACCEPTED], after(LEASE + 2), jitter=0.5)
    assert stored(database, message_id).sent_at == after(LEASE + 2)


@pytest.mark.parametrize("second_result", [DEFERRED, REFUSED, ACCEPTED])
def test_what_was_accepted_is_sent_though_the_lease_was_lost(
    database: Database, queue: Queue, second_result: AttemptResult
) -> None:
    message_id = queue()
    first = claim(database)
    second = claim(database, after(LEASE))
    with capture_logs() as logs:
        assert not record(database, first, [ACCEPTED], after(LEASE + 1), jitter=0.5)
    assert [entry["sent"] for entry in logs] == [True]
    assert not record(database, second, [second_result], after(LEASE + 2), jitter=0.5)
    message = stored(database, message_id)
    assert (message.state, message.sent_at) == ("sent", after(LEASE + 1))
    assert len(message.attempts) == 2


def test_what_was_accepted_is_sent_though_the_next_worker_failed(
    database: Database, queue: Queue
) -> None:
    message_id = queue()
    first = claim(database)
    second = claim(database, after(LEASE))
    assert record(database, second, [REFUSED], after(LEASE + 1), jitter=0.5)
    assert not record(database, first, [ACCEPTED], after(LEASE + 2), jitter=0.5)
    assert stored(database, message_id).state == "sent"


def test_recording_a_mail_that_was_purged_meanwhile_is_harmless(
    database: Database, queue: Queue
) -> None:
    queue()
    claimed = claim(database)
    with database.write() as session:
        session.delete(session.get_one(Message, claimed.id))
    assert not record(database, claimed, [ACCEPTED], NOW, jitter=0.5)


def test_retry_makes_failed_and_waiting_mails_due_now(database: Database, queue: Queue) -> None:
    failed, deferred, other = queue(), queue(), queue(reference="INC-A00000")
    for result in (REFUSED, DEFERRED, DEFERRED):
        record(database, claim(database), [result], NOW, jitter=0.5)
    with database.write() as session:
        assert [m.id for m in retry(session, after(5))] == [failed, deferred]
    assert [claim(database, after(5)).id for _ in range(2)] == [failed, deferred]
    assert nothing_due(database, after(5))
    assert stored(database, other).due_at == after(15)


def test_retry_leaves_what_is_sent_or_in_hand(database: Database, queue: Queue) -> None:
    queue()
    record(database, claim(database), [ACCEPTED], NOW, jitter=0.5)
    queue()
    claim(database)
    with database.write() as session:
        assert not retry(session, NOW)
    assert nothing_due(database)


@pytest.mark.parametrize("kind", ["ticket", "followup", "surge", "digest", "reminder"])
def test_retry_of_what_is_for_support_follows_its_address(
    database: Database, queue: Queue, kind: str
) -> None:
    ticket = queue(kind=kind, recipient="old@example.com")
    customers = queue(kind="acknowledgement", recipient="inigo@example.com")
    with database.write() as session:
        retry(session, NOW, support="new@example.com")
    assert stored(database, ticket).recipient == "new@example.com"
    assert stored(database, customers).recipient == "inigo@example.com"


def test_retry_to_an_address_is_of_one_recipients_mails(database: Database, queue: Queue) -> None:
    ticket, acknowledgement = queue(), queue(kind="acknowledgement", recipient="a@example.com")
    with database.write() as session:
        assert [m.id for m in retry(session, NOW, to="b@example.com")] == [ticket]
    assert stored(database, ticket).recipient == "b@example.com"
    assert stored(database, acknowledgement).recipient == "a@example.com"


def test_retry_of_all_and_of_what_failed(database: Database, queue: Queue) -> None:
    queue(reference="INC-A00000"), queue(reference="INC-B00000")
    record(database, claim(database), [REFUSED])
    with database.write() as session:
        failed = retry(session, NOW, references=[], failed=True)
        assert [message.reference for message in failed] == ["INC-A00000"]
        both = retry(session, NOW, references=[])
        assert [message.reference for message in both] == ["INC-A00000", "INC-B00000"]


def test_what_is_retried_and_fails_again_is_alarmed_again(database: Database, queue: Queue) -> None:
    message_id = queue()
    record(database, claim(database), [REFUSED])
    with database.write() as session:
        session.get_one(Message, message_id).alarm_from = None  # told
        retry(session, after(60))
    assert stored(database, message_id).alarm_from == after(60)
    record(database, claim(database, after(60)), [REFUSED], after(60))
    assert stored(database, message_id).alarm_from == outbox.AT_ONCE


def test_tickets_go_first_the_critical_ones_before_all(database: Database, queue: Queue) -> None:
    kinds = ["digest", "notice", "news", "acknowledgement", "followup"]
    queued = [queue(kind=kind, due_at=after(0)) for kind in kinds]
    minor = queue(severity=3, due_at=after(1))
    surge = queue(kind="surge", due_at=after(2))
    critical = queue(severity=1, due_at=after(3))
    claimed = [claim(database, after(4)).id for _ in range(8)]
    assert claimed == [surge, critical, minor, queued[4], queued[3], *queued[:3]]


def test_several_are_claimed_at_once_in_the_same_order(database: Database, queue: Queue) -> None:
    later, first, second = queue(kind="news"), queue(severity=1), queue(severity=2)
    assert [each.id for each in claimed_by_one(database)] == [first, second, later]


def test_no_more_are_claimed_than_were_asked_for(database: Database, queue: Queue) -> None:
    critical, *minor = queue(severity=1), *(queue(severity=3) for _ in range(3))
    with database.write() as session:
        claimed = claims.claim(session, "worker", NOW, LEASE, count=2)
    assert [each.id for each in claimed] == [critical, minor[0]]


def test_follow_ups_of_one_report_are_never_under_way_together(
    database: Database, queue: Queue
) -> None:
    """Whoever asks: a second worker finds none of them while the first has one."""
    first, second = queue(kind="followup"), queue(kind="followup")
    other = queue(kind="followup", reference="INC-A00000")
    reminder = queue(kind="reminder")
    held, *others = claimed_by_one(database)
    assert [each.id for each in (held, *others)] == [first, other, reminder]
    assert claimed_by_one(database) == []
    assert record(database, held, [ACCEPTED])
    assert [each.id for each in claimed_by_one(database)] == [second]


def test_a_follow_up_does_not_pass_by_one_that_is_just_being_taken(
    database: Database, queue: Queue
) -> None:
    """Of two workers that ask at the same moment one has the first, and the other none."""
    first, _second = queue(kind="followup"), queue(kind="followup")
    with ThreadPoolExecutor(1) as pool:
        with database.write() as session:
            mine = claims.claim(session, "worker", NOW, LEASE, count=5)
            theirs = pool.submit(claimed_by_one, database)
            if database.engine.dialect.name == "postgresql":  # SQLite has them wait for us
                assert theirs.result() == []
        assert theirs.result() == []
    assert [each.id for each in mine] == [first]


def test_a_follow_up_that_is_not_taken_holds_the_next_one_up_for_some_tries(
    database: Database, queue: Queue
) -> None:
    """What support's server dislikes in one of them does not keep the others from arriving."""
    first, second = queue(kind="followup"), queue(kind="followup")
    now = NOW
    for _ in range(claims.IN_ORDER_TRIES):
        held = claim(database, now)
        assert held.id == first
        assert nothing_due(database, now)
        record(database, held, [DEFERRED], now)
        waits = stored(database, first).due_at
        last, now = now, waits
    assert claim(database, last).id == second


def test_a_mail_queued_while_the_one_before_it_is_sent_is_not_left_blocked(
    database: Database, queue: Queue
) -> None:
    """Whoever sends waits for whoever queues, or the other way round."""
    ticket = queue()
    claimed = claim(database)

    def follow(_: int) -> int:
        return queue(kind="followup", after_id=ticket)

    with ThreadPoolExecutor(4) as pool:
        following = pool.map(follow, range(3))
        pool.submit(record, database, claimed, [ACCEPTED])
        ids = list(following)
    assert [stored(database, id_).blocked for id_ in ids] == [False] * 3


def test_one_success_wakes_what_waited_for_the_relay(database: Database, queue: Queue) -> None:
    trouble = AttemptResult("relay:25", "deferred", None, "timed out")
    waiting = [queue() for _ in range(3)]
    for _ in waiting:
        record(database, claim(database), [trouble])
    own = queue(kind="acknowledgement", recipient="a@example.com")
    own_trouble = AttemptResult("relay:25", "deferred", 452, "4.2.2 full", about="recipient")
    record(database, claim(database), [own_trouble])
    assert nothing_due(database, after(14))
    with database.write() as session:
        recovery.advance_one(session, after(14))
    record(database, claim(database, after(14)), [ACCEPTED], after(14))
    assert [stored(database, id_).due_at for id_ in waiting[1:]] == [after(14)] * 2
    assert stored(database, own).due_at == after(14)


def test_a_success_wakes_what_waits_for_that_recipient_alone(
    database: Database, queue: Queue
) -> None:
    greylisted = AttemptResult("relay:25", "deferred", 451, "4.7.1 later", about="recipient")
    first, second, other = queue(), queue(), queue(kind="news", recipient="a@example.com")
    planned = queue(due_at=after(900))
    for _ in range(3):
        record(database, claim(database), [greylisted])
    due = claim(database, after(15))
    assert due.id == first
    record(database, due, [ACCEPTED], after(15))
    assert [stored(database, id_).trouble for id_ in (second, other)] == [None, "recipient"]
    assert stored(database, planned).due_at == after(900)


def test_a_relay_that_is_well_again_wakes_all(database: Database, queue: Queue) -> None:
    greylisted = AttemptResult("relay:25", "deferred", 451, "4.7.1 later", about="recipient")
    waiting = queue(kind="news", recipient="a@example.com")
    record(database, claim(database), [greylisted])
    queue()
    recovered = AttemptResult("relay:25", "accepted", 250, "ok", recovered=True)
    record(database, claim(database, after(5)), [recovered], after(5))
    assert stored(database, waiting).due_at == after(5)


def test_what_processes_of_this_machine_held_that_are_gone_is_due(
    database: Database, queue: Queue
) -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    gone, lives = process_name(child.pid), process_name()
    child.communicate(b"\n")
    host, machine, *_ = lives.split(":")
    before = f"{host}:00000000.{machine.partition('.')[2]}:1:1"
    # A server may serve machines of the same name; a file is of this one, before it was restarted.
    free = [gone, before] if database.engine.dialect.name == "sqlite" else [gone]
    names = [gone, lives, before, "elsewhere:1:1:1"]
    with database.write() as session:
        for name in names:
            queue_in(session, name)
            claims.claim(session, name, NOW, LEASE)
        assert releases.free_gone(session, after(1)) == len(free)
        held = {each.reference: each.claimed_by for each in session.scalars(sa.select(Message))}
    assert [name for name in names if held[name] is None] == free
    assert [claim(database, after(1)).reference for _ in free] == free
    assert nothing_due(database, after(1))


def queue_in(session: Session, reference: str) -> None:
    mail = a_mail(mime_id=f"<{reference}@example.com>")
    outbox.enqueue(session, mail, **QUEUED | {"reference": reference})


def test_a_wait_that_no_wait_can_be_is_due(database: Database, queue: Queue) -> None:
    """As the clock was set back by an hour."""
    hour = timedelta(hours=1)
    sent = queue()
    record(database, claim(database), [ACCEPTED])
    deferred = queue()
    record(database, claim(database), [DEFERRED])
    held = queue()
    claim(database)
    untried = queue()
    quarter = queue(kind="news")
    with database.write() as session:
        session.get_one(Message, quarter).due_at = after(900)
    fresh = queue(due_at=NOW - hour + timedelta(seconds=900))  # made by the clock of now
    with database.write() as session:
        session.get_one(Message, fresh).created_at = NOW - hour
        assert releases.heed_moved_clock(session, NOW - hour, LEASE) == 4
    for id_ in (deferred, held, untried):
        message = stored(database, id_)
        assert (message.due_at, message.alarm_from, message.claimed_by) == (*[NOW - hour] * 2, None)
    assert stored(database, sent).due_at == after(LEASE)
    assert stored(database, quarter).due_at == NOW - hour + timedelta(seconds=900)
    assert stored(database, fresh).due_at == NOW - hour + timedelta(seconds=900)
    with database.write() as session:
        assert releases.heed_moved_clock(session, NOW - hour, LEASE) == 0


@pytest.mark.parametrize(
    ("made", "due", "moved"),
    [(90, 900, False), (91, 900, True), (3_600, 90, False), (3_600, 91, True), (3_600, -1, False)],
)
def test_clocks_that_differ_by_a_minute_and_a_half_move_nothing(
    database: Database, queue: Queue, made: int, due: int, moved: bool
) -> None:
    """And what is due by then needs no help."""
    message_id = queue()
    with database.write() as session:
        message = session.get_one(Message, message_id)
        message.created_at, message.due_at = after(made), after(due)
    with database.write() as session:
        assert releases.heed_moved_clock(session, NOW, LEASE) == moved
    message = stored(database, message_id)
    expected = (NOW, after(due - made)) if moved else (after(made), after(due))
    assert (message.created_at, message.due_at) == expected


def test_what_was_tried_waits_for_its_backoff_whenever_it_was_made(
    database: Database, queue: Queue
) -> None:
    deferred = queue()
    record(database, claim(database), [DEFERRED])
    with database.write() as session:
        assert releases.heed_moved_clock(session, after(-100), LEASE) == 0
    assert stored(database, deferred).due_at == after(15)


def test_what_waits_for_the_limit_of_its_mailbox_waits_on(database: Database, queue: Queue) -> None:
    """It was made for a time to come, whatever the clocks: else nobody would be kept from more."""
    later = after(3_600)
    limited = queue(kind="acknowledgement", mailbox="ana", due_at=later)
    with database.write() as session:
        assert releases.heed_moved_clock(session, NOW, LEASE) == 0
    message = stored(database, limited)
    assert (message.due_at, message.created_at) == (later, later)


def test_the_longest_wait_there_is_is_no_sign_of_a_moved_clock(
    database: Database, queue: Queue
) -> None:
    longest = backoff.LONGEST_SECONDS * (1 + backoff.SPREAD)
    within, beyond = queue(), queue()
    longest += 90  # by which clocks may differ
    for id_, seconds in ((within, longest), (beyond, longest + 1)):
        record(database, claim(database), [REFUSED_BY_US])
        with database.write() as session:
            session.get_one(Message, id_).due_at = after(seconds)
    with database.write() as session:
        assert releases.heed_moved_clock(session, NOW, LEASE) == 1
    assert [stored(database, id_).due_at for id_ in (within, beyond)] == [after(longest), NOW]
    # Told at once already, and so it stays.
    assert {stored(database, id_).alarm_from for id_ in (within, beyond)} == {outbox.AT_ONCE}


LONG = 3_600.0  # a lease, of patient or many relays: longer than any other wait


def test_a_lease_that_began_a_moment_ago_is_no_sign_of_a_moved_clock(
    database: Database, queue: Queue
) -> None:
    """Whoever looks may have asked for the time before it waited for its turn."""
    queue()
    with database.write() as session:
        [held] = claims.claim(session, "worker", after(1), LONG)
        assert releases.heed_moved_clock(session, NOW, LONG) == 0
    assert stored(database, held.id).claimed_by == held.token


def test_what_a_worker_has_in_hand_that_lives_is_left_to_it(
    database: Database, queue: Queue
) -> None:
    """Another one may be set up with a longer lease, as while settings are being changed."""
    queue()
    with database.write() as session:
        beats.beat(session, beats.Worker("host:1:2:3", "host", "1", NOW), NOW)
        [held] = claims.claim(session, "host:1:2:3", NOW, LONG)
        assert releases.heed_moved_clock(session, after(30), LEASE) == 0
        assert releases.heed_moved_clock(session, after(31), LEASE) == 1  # it was heard of no more
    assert stored(database, held.id).claimed_by is None


@pytest.mark.parametrize("how", ["clock", "gone"])
def test_a_mail_that_is_claimed_while_it_is_looked_at_stays_claimed(
    database: Database, queue: Queue, how: str
) -> None:
    """Else it would be sent twice: it waits far too long, or is held by a process that is gone,
    somebody has made it due meanwhile, and a worker has it."""
    host, machine, *_ = process_name().split(":")
    far = queue()
    with database.write() as session:
        claims.claim(session, f"{host}:{machine}:1:1", NOW, 2 * LONG)

    def look() -> int:
        with database.write() as session:
            if how == "clock":
                return releases.heed_moved_clock(session, NOW, LEASE)
            return releases.free_gone(session, NOW)

    with ThreadPoolExecutor(1) as pool:
        with database.write() as session:
            session.get_one(Message, far).due_at = NOW
            session.flush()
            [held] = claims.claim(session, "worker", NOW, LEASE)
            looked = pool.submit(look)
            if database.engine.dialect.name == "postgresql":  # SQLite has it wait for us
                until(lambda: is_waiting(database))
        assert looked.result() == 0
    assert stored(database, far).claimed_by == held.token


def test_a_retry_leaves_what_is_just_being_claimed(database: Database, queue: Queue) -> None:
    queue()

    def try_again() -> int:
        with database.write() as session:
            return len(retry(session, after(1)))

    with ThreadPoolExecutor(1) as pool:
        with database.write() as session:
            [held] = claims.claim(session, "worker", NOW, LEASE)
            tried = pool.submit(try_again)
            if database.engine.dialect.name == "postgresql":
                until(lambda: is_waiting(database))
        assert tried.result() == 0
    assert stored(database, held.id).due_at == after(LEASE)


@pytest.mark.parametrize("kind", ["ticket", "acknowledgement"])
def test_what_is_tried_again_waits_for_no_trouble_and_only_support_s_mails_are_told_anew(
    database: Database, queue: Queue, kind: str
) -> None:
    message_id = queue(kind=kind)
    record(database, claim(database), [DEFERRED])
    with database.write() as session:
        retry(session, after(1))
    message = stored(database, message_id)
    told = after(1) if kind == "ticket" else None
    assert (message.due_at, message.trouble, message.alarm_from) == (after(1), None, told)


def test_what_is_refused_waits_for_no_trouble(database: Database, queue: Queue) -> None:
    """Else workers would look for one that can find out whether it is over, again and again."""
    message_id = queue()
    record(database, claim(database), [REFUSED])
    message = stored(database, message_id)
    assert (message.state, message.trouble) == ("failed", None)


def test_what_one_relay_refused_waits_for_the_trouble_of_the_other(
    database: Database, queue: Queue
) -> None:
    message_id = queue()
    no = AttemptResult("relay:25", "refused", 552, "5.3.4 too large", about="mail")
    record(database, claim(database), [no, DEFERRED])
    assert stored(database, message_id).trouble == "relay"


def test_what_was_told_is_not_told_again_for_the_same_no(database: Database, queue: Queue) -> None:
    message_id = queue()
    record(database, claim(database), [REFUSED_BY_US])
    with database.write() as session:
        session.get_one(Message, message_id).alarm_from = None  # as once a channel has taken it
    record(database, claim(database, after(60)), [REFUSED_BY_US], after(60))
    assert stored(database, message_id).alarm_from is None


def is_waiting(database: Database) -> bool:
    """Whether somebody waits for a row that another transaction has."""
    waits = f"SELECT 1 FROM pg_stat_activity WHERE {OF_THIS_DATABASE} AND wait_event_type = 'Lock'"
    with database.read() as session:
        return session.scalar(sa.text(waits)) is not None


def test_what_was_not_tried_is_due_at_once_and_counts_as_no_try(
    database: Database, queue: Queue
) -> None:
    queue(), queue()
    first, second = claimed_by_one(database)
    record(database, first, [], after(3))
    back, held = stored(database, first.id), stored(database, second.id)
    assert (back.state, back.claimed_by, back.due_at) == ("queued", None, after(3))
    assert (back.attempt_count, back.attempts, back.trouble) == (0, [], None)
    assert (held.claimed_by, held.due_at, held.attempt_count) == (second.token, after(LEASE), 1)


def test_who_lost_the_lease_gives_nothing_back(database: Database, queue: Queue) -> None:
    message_id = queue()
    first = claim(database)
    second = claim(database, after(LEASE))
    with database.write() as session:
        releases.release(session, first, after(LEASE + 1))
    message = stored(database, message_id)
    assert (message.claimed_by, message.due_at) == (second.token, after(2 * LEASE))


@pytest.mark.parametrize(("about", "seconds"), [("mail", 0), ("policy", 15)])
def test_a_lesser_form_goes_on_in_place_of_what_every_relay_refused(
    database: Database, queue: Queue, about: str, seconds: int
) -> None:
    """At once, but for a filter's no, which is given time."""
    message_id = queue()
    no = AttemptResult("relay:25", "refused", 552, "5.3.4 too large", about=about)
    lesser = LesserForm(MailForm.STUB, a_mail("<1@example.com>", content=b"less"))
    assert record(database, claim(database), [no], lesser=lesser)
    message = stored(database, message_id)
    assert (message.form, message.content, message.state) == ("stub", b"less", "queued")
    assert (message.due_at, message.trouble) == (after(seconds), None)
    assert message.alarm_from == NOW


@pytest.mark.parametrize("about", [["mail", "policy"], ["policy", "mail"]])
def test_a_filter_s_no_is_never_final_though_another_relay_dislikes_the_mail(
    database: Database, queue: Queue, about: list[str]
) -> None:
    message_id = queue()
    no = [AttemptResult("relay:25", "refused", 550, "no", about=each) for each in about]
    record(database, claim(database), no, jitter=0.5)
    message = stored(database, message_id)
    assert (message.state, message.due_at) == ("queued", after(15))


@pytest.mark.parametrize(
    ("kind", "code", "alarm_from"),
    [
        ("ticket", 451, NOW),
        ("ticket", 550, outbox.AT_ONCE),
        ("acknowledgement", 451, None),
        ("acknowledgement", 550, None),
    ],
)
def test_what_somebody_has_to_mend_is_told_at_once_and_of_support_s_mails_alone(
    database: Database, queue: Queue, kind: str, code: int, alarm_from: datetime | None
) -> None:
    message_id = queue(kind=kind)
    record(database, claim(database), [AttemptResult("relay:25", "deferred", code, "no")])
    assert stored(database, message_id).alarm_from == alarm_from


def test_one_mail_finds_out_whether_a_trouble_is_over_and_it_is_the_first_that_waits(
    database: Database, queue: Queue
) -> None:
    held = queue()
    record(database, claim(database), [DEFERRED], jitter=0.0)
    conftest.claim(database, after(12), 1)  # in hand, and with a trouble still
    fine = queue(due_at=after(5))
    first, second = queue(), queue()
    record(database, claim(database), [DEFERRED], jitter=0.5)
    record(database, claim(database), [DEFERRED], jitter=0.9)
    later = stored(database, second).due_at
    with database.write() as session:
        recovery.advance_one(session, after(1))
    due = [stored(database, id_).due_at for id_ in (held, fine, first, second)]
    assert due == [after(13), after(5), after(1), later]


def test_a_mail_in_hand_keeps_its_lease_though_a_trouble_is_over(
    database: Database, queue: Queue
) -> None:
    for _ in range(2):
        queue()
        record(database, claim(database), [DEFERRED])
    held, other = claim(database, after(15)), claim(database, after(15))
    record(database, other, [ACCEPTED], after(16))
    message = stored(database, held.id)
    assert (message.claimed_by, message.due_at) == (held.token, after(15 + LEASE))
    assert stored(database, other.id).trouble is None  # nor counts as one that waits for its end


def test_a_mail_after_one_that_was_sent_waits_for_nothing(database: Database, queue: Queue) -> None:
    first = queue()
    blocked = queue(after_id=first)
    assert stored(database, blocked).blocked
    record(database, claim(database), [ACCEPTED])
    assert not stored(database, queue(after_id=first)).blocked


def test_what_is_given_back_is_due_at_once(database: Database, queue: Queue) -> None:
    message_id = queue()
    claimed = claim(database)
    with database.write() as session:
        releases.release(session, claimed, after(3))
    again = claim(database, after(3))
    assert (again.id, again.attempt_count) == (message_id, 2)
