"""TERM and kill -9 with a relay that hangs anywhere: nothing is lost, and the next goes on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from faults_of import LONG, Delivery, Property, hanging, on_sqlite, tell
from running import until
from servers import smtp_server

ALL = ("silent", "drips", "never ends", "EHLO", "MAIL", "RCPT", "BODY", "DATA")
MAILS = 3
OBEYED_SECONDS = 40  # what whoever stops the service has to wait for at most


@pytest.fixture
def delivery(tmp_path: Path) -> Iterator[Delivery]:
    with on_sqlite(tmp_path) as delivery:
        yield delivery


@pytest.mark.parametrize("where", ALL if LONG else ("DATA",))
@pytest.mark.parametrize("how", ["term", "kill"])
def test_a_worker_that_is_stopped_before_a_hung_relay_loses_nothing(
    delivery: Delivery, where: str, how: str, record_property: Property
) -> None:
    delivery.queue(MAILS)
    with hanging(where) as relay, delivery.worker(relay, MAIL_TIMEOUT=300) as service:
        until(delivery.in_hand)
        if how == "term":
            assert service.end(seconds=OBEYED_SECONDS) == 0
            assert delivery.in_hand() == 0
        else:
            service.kill_all()
            assert delivery.in_hand() > 0
    with smtp_server() as server, delivery.worker(server.relay, MAIL_TIMEOUT=20):
        until(lambda: not delivery.unsent(), 30)
    found = delivery.fate(server)
    tell(
        record_property,
        delivery.url,
        f"{'TERM' if how == 'term' else 'kill -9'}, relay hangs: {where}",
        found,
    )
    assert found == (2 * MAILS, 0, 0)
