"""Two of the whole service over one database: each report once, and none lost."""

from __future__ import annotations

from itertools import repeat
from pathlib import Path

from crowd import Crowd, fate
from faults_of import LONG, Property, tell
from running import command, running
from servers import smtp_server

from reporter.demo.mailbox import LOOPBACK

RECEIPTS = 100 if LONG else 20


def test_two_services_over_one_database_send_each_ticket_once(
    tmp_path: Path, database_url: str, record_property: Property
) -> None:
    with smtp_server(answers={"DATA": repeat("SLOW 0.01")}) as smtp:
        settings = {
            "DATABASE_URL": database_url,
            "MAIL_SERVER": LOOPBACK,
            "MAIL_PORT": smtp.port,
            "RATELIMIT_ENABLED": "false",
        }
        (tmp_path / "other").mkdir()
        with (
            running(tmp_path, "serve", **settings) as service,
            running(tmp_path / "other", "serve", **settings) as other,
        ):
            third = command(tmp_path, "serve", "--port", str(service.port), **settings)
            assert third.returncode == 1
            assert f"cannot listen on {LOOPBACK}, port {service.port}" in third.stderr
            with Crowd(service, other) as crowd:
                crowd.until_more(RECEIPTS)
            found = fate(crowd, other, smtp)
            workers = service.run("status").count(":")  # each is named host:…
    tell(record_property, database_url, "two `serve` over one database", found)
    assert found.lost == found.again == 0
    assert crowd.broken == crowd.refused == 0
    assert workers
