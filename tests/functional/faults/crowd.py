"""People who report without a pause, whatever breaks, and what became of what they were shown."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from itertools import count

from customers import Page
from factories import SLUGS, parsed, values
from faults_of import Fate
from running import BROKEN, Service, Visitor, until
from servers import SmtpServer

REPORTERS = 8
PAUSE_SECONDS = 0.1  # before somebody presses the button again


class Crowd:
    """They carry on where they were when the site is back: each presses the button again."""

    def __init__(self, *services: Service, reporters: int = REPORTERS) -> None:
        self.receipts: list[str] = []
        self.broken = 0  # requests without an answer
        self.refused = 0  # and those that were told to try again
        self.failures: list[str] = []
        self.gone = threading.Event()
        self._numbers = count(1)
        self._threads = [
            threading.Thread(target=self._report, args=(services[number % len(services)],))
            for number in range(reporters)
        ]

    def __enter__(self) -> Crowd:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.gone.set()
        for thread in self._threads:
            thread.join(60)

    def until_more(self, receipts: int, seconds: float = 120) -> None:
        """Until so many more were shown."""
        wanted = len(self.receipts) + receipts
        until(lambda: len(self.receipts) >= wanted, seconds)

    def _report(self, service: Service) -> None:
        while not self.gone.is_set():
            try:
                self._report_once(service, f"customer{next(self._numbers)}@example.com")
            except InterruptedError:
                return

    def _report_once(self, service: Service, email: str) -> None:
        visitor = Visitor(service)
        for slug in (*SLUGS, "review"):
            page = self._insist(partial(visitor.open, f"/report/{slug}"))
            answers = values(slug, email=email) if slug in SLUGS else {}
            sent = self._insist(partial(_send, visitor, page, answers))
        # This answer is the promise: the browser follows it to the receipt.
        if sent.status == 303 and sent.location.startswith("/r/"):
            self.receipts.append(sent.location)
        else:
            self.failures.append(f"{sent.status} {sent.location} {sent.text}")

    def _insist(self, action: Callable[[], Page]) -> Page:
        while not self.gone.is_set():
            try:
                page = action()
            except BROKEN:
                self.broken += 1
            else:
                if page.status < 500:
                    return page
                self.refused += 1
            self.gone.wait(PAUSE_SECONDS)
        raise InterruptedError


def _send(visitor: Visitor, page: Page, answers: dict[str, str]) -> Page:
    visitor.page = page
    return visitor.submit(follow=False, **answers)


def fate(crowd: Crowd, service: Service, smtp: SmtpServer) -> Fate:
    """Once each receipt that was shown says that its ticket is sent."""
    assert crowd.failures == []
    references = [until(partial(_sent, service, receipt), 120) for receipt in crowd.receipts]
    assert len(references) == len(set(references))
    tickets = by_reference(smtp)
    assert all(len(set(sent)) == 1 for sent in tickets.values())  # the same Message-ID and bytes
    return Fate(
        len(references),
        len(set(references) - set(tickets)),
        sum(len(sent) - 1 for sent in tickets.values()),
    )


def by_reference(smtp: SmtpServer) -> dict[str, list[bytes]]:
    """The tickets that support's server took, each as often as it came."""
    found = defaultdict(list)
    for mail in smtp.received:
        message = parsed(mail.content)
        if mail.recipients == ("support@example.com",) and not message["In-Reply-To"]:
            found[message["X-Incident-Reference"]].append(mail.content)
    return found


def _sent(service: Service, receipt: str) -> str:
    """The reference, once the ticket is sent."""
    status = Visitor(service).peek(f"{receipt}/status.json").response.json
    return status["reference"] if status["sent_at"] else ""
