"""Every page in every state that somebody can see: a customer's, support's, a follower's.

One walk, which whoever looks at all pages takes along: for barriers, for words, for pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pages import Person
from running import Service, serving
from servers import SmtpServer, smtp_server

from . import desk, form, receipt
from .party import ADDRESS, Party

__all__ = ["ADDRESS", "STATES", "tour", "toured"]

STATES = 100


@contextmanager
def toured(folder: Path, **settings: Any) -> Iterator[tuple[Service, SmtpServer]]:
    """A service that nobody has used, and that can be brought into every state; and its relay."""
    demonstration = {"DEMO_MAILBOX": folder / "mailbox"}
    limits = {"RATELIMIT_ENABLED": "true", "TRUSTED_PROXIES": 1}
    with (
        smtp_server() as smtp,
        serving(folder, smtp, **limits | demonstration | settings) as service,
    ):
        yield service, smtp


def tour(
    look: Callable[[Person, str], None],
    customer: Person,
    support: Person,
    service: Service,
    smtp: SmtpServer,
) -> None:
    """Walks from page to page, and has *look* take in each of STATES when it is there.

    The *customer*'s requests come from ADDRESS.
    """
    party = Party(look, customer, support, service, smtp)
    desk.signing_in(party)
    form.questions(party)
    form.review(party)
    sent = receipt.on_its_way(party)
    form.errors(party)
    receipt.details(party, sent)
    desk.one_report(party, desk.board(party))
    desk.outage(party, sent)
    receipt.known_incident(party)
    desk.over(party)
    desk.a_call(party, sent)
    form.leaving(party)
    form.inbox(party)
