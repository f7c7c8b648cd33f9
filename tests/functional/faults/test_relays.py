"""Each fault of a relay at each stage, and the relay well again: every mail arrives."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest
from faults_of import LONG, Delivery, arrived, content
from running import until
from servers import DROP, HANG, smtp_server

from reporter.database import Database

FAULTS = {
    "hangs": HANG,
    "drops": DROP,
    "421": "421 4.3.2 closing",
    "451": "451 4.7.1 later",
    "550": "550 5.7.1 not you",
    "bare": "554 no",
}
ALL = list(product(("MAIL", "RCPT", "DATA"), FAULTS))
SHORT = [("MAIL", "421"), ("DATA", "drops")]
MAILS = 5


@pytest.fixture
def delivery(tmp_path: Path, database: Database, database_url: str) -> Delivery:
    return Delivery(tmp_path, database, database_url)


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("stage", "fault"), ALL if LONG else SHORT)
def test_every_mail_arrives_once_the_fault_is_over(
    delivery: Delivery, stage: str, fault: str
) -> None:
    delivery.queue(MAILS)
    with (
        smtp_server(answers={stage: [FAULTS[fault]] * 3}) as server,
        delivery.worker(server.relay, MAIL_TIMEOUT=1),
    ):
        until(lambda: not delivery.unsent(), 120)
    lost = {content(number) for number in range(MAILS)} - arrived(server)
    print(f"{stage} {fault}: {len(lost)} lost, {len(server.received) - MAILS} twice")
    assert not lost
