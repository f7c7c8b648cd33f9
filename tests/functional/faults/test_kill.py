"""The hardest promise: a receipt that was shown ends with its ticket, whatever dies meanwhile."""

from __future__ import annotations

from itertools import repeat
from pathlib import Path

import pytest
from crowd import Crowd, fate
from faults_of import LONG, Property, tell
from running import Service, kill_all, until
from servers import smtp_server

from reporter.demo.mailbox import LOOPBACK

KILLS = 6 if LONG else 2
# Receipts shown between two kills.
RECEIPTS = 20


@pytest.mark.timeout(480)
def test_every_receipt_shown_has_its_ticket_over_kills_of_everything(
    tmp_path: Path, database_url: str, record_property: Property
) -> None:
    """Web, worker and what started them get kill -9, in the middle of all they do.

    What a killed worker held the next one finds when it starts.
    """
    settings = {
        "DATABASE_URL": database_url,
        "MAIL_SERVER": LOOPBACK,
        "RATELIMIT_ENABLED": "false",
    }
    with smtp_server(answers={"DATA": repeat("SLOW 0.01")}) as smtp:
        service = Service(tmp_path, "serve", **settings, MAIL_PORT=smtp.port)
        try:
            service.start()
            until(service.is_ready)
            with Crowd(service) as crowd:
                for _ in range(KILLS):
                    crowd.until_more(RECEIPTS)
                    service.kill_all()
                    service.start()
                    until(service.is_ready)
            found = fate(crowd, service, smtp)
            assert service.end() == 0
        finally:
            kill_all(service.tree())
    tell(record_property, database_url, f"kill -9 of everything, {KILLS} times", found)
    assert found.lost == 0
    assert found.promised >= KILLS * RECEIPTS
    assert crowd.broken > 0
