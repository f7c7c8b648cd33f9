"""The hardest promise: a receipt that was shown ends with its ticket, whatever dies meanwhile."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from itertools import count, repeat
from pathlib import Path
from typing import TypeVar

import pytest
import sqlalchemy as sa
from factories import SLUGS, parsed
from faults_of import LONG
from running import BROKEN, HttpClient, Service, Visitor, kill_all, until
from servers import SmtpServer, smtp_server

from reporter.database import Database
from reporter.demo.mailbox import LOOPBACK
from reporter.models import Message

T = TypeVar("T")

KILLS = 6 if LONG else 3
REPORTERS = 8
# Receipts shown between two kills.
RECEIPTS = 20


class Crowd:
    """People who report without a pause, and carry on where they were when all is back."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.numbers = count(1)
        self.receipts: list[str] = []
        self.broken = 0
        self.failures: list[str] = []
        self.gone = threading.Event()
        self.threads = [threading.Thread(target=self._report) for _ in range(REPORTERS)]

    def __enter__(self) -> Crowd:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.gone.set()
        for thread in self.threads:
            thread.join(30)

    def _report(self) -> None:
        while not self.gone.is_set():
            try:
                self._report_once(f"customer{next(self.numbers)}@example.com")
            except InterruptedError:
                return

    def _report_once(self, email: str) -> None:
        visitor = Visitor(self.service)
        for slug in SLUGS:
            self._insist(partial(visitor.fill, slug, follow=False, email=email))
        self._insist(partial(visitor.open, "/report/review"))
        sent = self._insist(partial(visitor.submit, follow=False))
        # This answer is the promise: the browser follows it to the receipt.
        if sent.status == 303 and sent.location.startswith("/r/"):
            self.receipts.append(sent.location)
        else:
            self.failures.append(f"{sent.status} {sent.location} {sent.text}")

    def _insist(self, action: Callable[[], T]) -> T:
        """What somebody does whose browser cannot reach the site: try again."""
        while not self.gone.is_set():
            try:
                return action()
            except BROKEN:
                self.broken += 1
                self.gone.wait(0.05)
        raise InterruptedError


@pytest.mark.timeout(480)
def test_every_receipt_shown_has_its_ticket_over_kills_of_everything(
    tmp_path: Path, database_url: str
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
                    shown = len(crowd.receipts)
                    until(lambda shown=shown: len(crowd.receipts) >= shown + RECEIPTS, 60)
                    service.kill_all()
                    service.start()
                    until(service.is_ready)
            deliver_the_rest(Database(database_url))
            tickets = by_reference(smtp)
            references = [reference(service, receipt) for receipt in crowd.receipts]
            assert service.end() == 0
        finally:
            kill_all(service.tree())
    again = sum(len(sent) - 1 for sent in tickets.values())
    print(
        f"{len(references)} receipts, {len(tickets)} tickets, {again} sent again, "
        f"{crowd.broken} requests broken off"
    )
    assert crowd.failures == []
    assert len(references) == len(set(references)) >= KILLS * RECEIPTS
    assert set(references) <= set(tickets)
    assert all(len(set(sent)) == 1 for sent in tickets.values())  # the same Message-ID and bytes
    assert crowd.broken > 0


def deliver_the_rest(database: Database) -> None:
    """Wait until all is sent."""
    unsent = sa.select(Message.state, Message.due_at, Message.claimed_by)
    end = time.monotonic() + 60
    while True:
        with database.read() as session:
            waiting = session.execute(unsent.where(Message.state != "sent")).all()
        if not waiting:
            break
        assert time.monotonic() < end, waiting
        time.sleep(0.1)
    database.close()


def by_reference(smtp: SmtpServer) -> dict[str, list[bytes]]:
    """The tickets that support's server took, each as often as it came."""
    found = defaultdict(list)
    for mail in smtp.received:
        message = parsed(mail.content)
        if mail.recipients == ("support@example.com",):
            found[message["X-Incident-Reference"]].append(mail.content)
    return found


def reference(service: Service, receipt: str) -> str:
    """What a receipt that was shown says now. Its ticket is sent, and it says so."""
    status = HttpClient(service.port).open(f"{receipt}/status.json").get_json()
    assert status["sent_at"]
    return status["reference"]
