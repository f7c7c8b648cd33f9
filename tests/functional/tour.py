"""Every page and state that somebody can see, one after the other."""

from __future__ import annotations

import mailbox
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import repeat
from pathlib import Path

from pages import Person
from running import Service, Visitor, running, until
from servers import SmtpServer, smtp_server

# Over what one address may ask of one page in a minute.
FLOOD = 601
# A page of text that is over what one request may hold.
FAR_TOO_LONG = 2 * 1024 * 1024 + 1  # characters
# The clocks of Madrid went from 3:00 back to 2:00.
TWICE = "2024-10-27T02:30"


@contextmanager
def toured(folder: Path) -> Iterator[tuple[Service, SmtpServer]]:
    """A service that can be brought into every state, and the relay it sends to."""
    with (
        smtp_server() as smtp,
        running(
            folder,
            "serve",
            MAIL_SERVER="127.0.0.1",
            MAIL_PORT=smtp.port,
            WEB_PROCESSES=1,
            TRUSTED_PROXIES=1,
            DEMO_MAILBOX=folder / "mailbox",
        ) as service,
    ):
        yield service, smtp


def tour(customer: Person, service: Service, smtp: SmtpServer, address: str) -> Iterator[str]:
    """Walks from page to page, and says the name of each when it is there.

    *address* is where the customer's requests come from; it will have reached its limits.
    """
    already = len(smtp.received)
    customer.opens("/")
    yield "start"
    yield from _steps(customer)
    yield from _review(customer, address)
    yield from _receipt(customer, service, smtp)
    yield from _errors(customer, service)
    open_inbox(customer, service, smtp, already)
    yield "inbox"
    customer.follows(".mails li:last-child a")
    customer.page.locator("summary").click()
    yield "inbox-mail"


def open_inbox(customer: Person, service: Service, smtp: SmtpServer, already: int = 0) -> None:
    """The demonstration's inbox, with what the relay has taken after the first mails."""
    maildir = mailbox.Maildir(service.folder / "mailbox")
    for mail in smtp.received[already:]:
        maildir.add(mail.content)
    customer.page.context.set_extra_http_headers({})  # the inbox is for loopback alone
    customer.opens("/inbox")


def _steps(customer: Person) -> Iterator[str]:
    customer.opens("/report/failure")
    yield "failure"
    customer.fills({"summary": "502"})
    customer.reloads()
    customer.page.locator("#offer").wait_for()
    yield "failure, unsent answers"
    customer.page.locator("#offer [value=drop]").click()
    customer.continues()
    yield "failure-errors"
    # Something to point out on the review.
    customer.answers_and_continues("failure", error_message="login: pass=Xk4!pz92\n502")
    yield "timing"
    customer.fills({"started": "at", "pattern": "intermittent"})
    customer.fills({"timezone": "Europa"})
    customer.continues()
    yield "timing-errors"
    customer.fills({"started_at": TWICE, "timezone": "Europe/Madrid", "frequency": "a veces"})
    customer.continues()
    yield "timing-twice"
    customer.fills({"started_fold": "earlier"})
    customer.continues()
    yield "changes"
    customer.fills({"changed": "yes"})
    customer.continues()
    yield "changes-errors"
    customer.answers_and_continues("changes")
    yield "contact"
    customer.fills({"email": "nobody", "phone": "12", "email_affected": "yes"})
    customer.continues()
    yield "contact-errors"
    customer.answers("contact")
    customer.page.route("**/*", lambda route: route.abort())
    customer.page.locator("main button.primary").click()
    customer.page.locator("#trouble summary").click()
    yield "contact, without a connection"
    customer.page.unroute_all(behavior="wait")
    customer.page.wait_for_url("**/report/review")  # it goes on by itself


def _review(customer: Person, address: str) -> Iterator[str]:
    assert customer.path == "/report/review"
    yield "review"
    customer.page.evaluate("document.querySelector('[name=csrf_token]').value = 'stale'")
    customer.sends()
    yield "review-again"
    client = Visitor(customer.service)
    for _ in range(FLOOD):
        client.ask("POST", "/report/review", {}, headers={"X-Forwarded-For": address})
    customer.sends_without_script()
    yield "error-429"
    customer.page.context.set_extra_http_headers({"X-Forwarded-For": f"{address}0"})


def _receipt(customer: Person, service: Service, smtp: SmtpServer) -> Iterator[str]:
    smtp.scripts["DATA"] = repeat("451 4.3.0 later")  # it is tried again by itself too
    customer.follows("main form button")  # send again
    reference = customer.reference
    until(lambda: "451" in service.run("outbox", "show", reference))
    customer.reloads()
    yield "receipt-waiting"
    # Refused in every form; how that comes about is shown in test_smtp.
    with _database(service) as connection:
        connection.execute("UPDATE message SET state = 'failed' WHERE kind = 'ticket'")
    until(lambda: customer.reloads() or customer.page.locator(".states .late").count())
    yield "receipt-late"
    del smtp.scripts["DATA"]
    service.run("outbox", "retry", reference)
    until(lambda: customer.reloads() or len(customer.states) == 2)
    yield "receipt-sent"


def _errors(customer: Person, service: Service) -> Iterator[str]:
    customer.opens("/offline")
    yield "offline"
    customer.opens("/nowhere")
    yield "error-404"
    customer.opens("/report/failure")
    customer.answers("failure")
    with _without_drafts(service):
        customer.sends_without_script()
        yield "error-503"
    customer.follows("main form button")  # send again
    assert customer.path == "/report/timing", customer.text
    customer.goes_back()
    # Unseen, as no browser lays out so much in a reasonable time.
    customer.question("affected").evaluate(
        "(area, length) => { area.style.display = 'none'; area.value = 'x'.repeat(length) }",
        FAR_TOO_LONG,
    )
    customer.continues()
    yield "error-413"


@contextmanager
def _without_drafts(service: Service) -> Iterator[None]:
    """The database without one of its tables: every request that needs it fails."""
    with _database(service) as connection:
        connection.execute("ALTER TABLE draft RENAME TO draft_away")
        try:
            yield
        finally:
            connection.execute("ALTER TABLE draft_away RENAME TO draft")


@contextmanager
def _database(service: Service) -> Iterator[sqlite3.Connection]:
    """The service's, beside it: each statement is a transaction of its own."""
    connection = sqlite3.connect(service.folder / "instance" / "reporter.db", isolation_level=None)
    try:
        yield connection
    finally:
        connection.close()
