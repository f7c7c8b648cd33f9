"""Two workers and a relay in a bad mood: a report's mails arrive in their order."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from faults_of import Delivery, Property, tell
from running import until
from servers import DROP, SmtpServer, smtp_server

from reporter.database import Database
from reporter.delivery.claims import IN_ORDER_TRIES
from reporter.models import Message

REPORTS = 30
FOLLOWUPS = 3


def moods(seed: int, *answers: str) -> Iterator[str]:
    dice = random.Random(seed)
    while True:
        yield dice.choice([*answers, *["250 ok"] * 9])


@pytest.mark.timeout(460)
def test_no_follow_up_overtakes_its_ticket_or_another(
    tmp_path: Path, database: Database, database_url: str, record_property: Property
) -> None:
    delivery = Delivery(tmp_path, database, database_url)
    delivery.queue(REPORTS, FOLLOWUPS)
    answers = {
        "MAIL": moods(1, "421 4.3.2 closing"),
        "RCPT": moods(2, "451 4.2.1 later"),
        "DATA": moods(3, DROP, "SLOW 0.3"),
    }
    with (
        smtp_server(answers=answers) as server,
        delivery.worker(server.relay, MAIL_TIMEOUT=2),
        delivery.worker(server.relay, MAIL_TIMEOUT=2),
    ):
        until(lambda: not delivery.unsent(), 400)
    found = delivery.fate(server)
    tell(record_property, database_url, "relay in a bad mood, two workers", found)
    assert found.lost == 0
    assert overtaken(server, patiently_sent(database)) == []


def patiently_sent(database: Database) -> set[bytes]:
    """Those that are not let pass by, as another was tried so often."""
    with database.read() as session:
        return set(
            session.scalars(
                sa.select(Message.content).where(Message.attempt_count < IN_ORDER_TRIES)
            )
        )


def overtaken(server: SmtpServer, patient: set[bytes]) -> list[str]:
    """Reports whose mails did not come first in the order in which they were made."""
    came: defaultdict[str, list[int]] = defaultdict(list)
    for mail in dict.fromkeys(each.content for each in server.received):
        report, _dot, number = mail.partition(b"<")[2].partition(b"@")[0].partition(b".")
        if mail in patient or number == b"0":
            came[report.decode()].append(int(number))
    assert len(came) == REPORTS
    return [
        f"{report}: {numbers}" for report, numbers in came.items() if numbers != sorted(numbers)
    ]
