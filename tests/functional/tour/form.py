"""The form: each step empty, wrong, opened and filled in; what may go wrong with sending it."""

from __future__ import annotations

import mailbox
import time
from collections.abc import Iterator
from contextlib import contextmanager

from factories import ANSWERS
from pages import CHANGES, CONTACT, FAILURE, TAKEN_OVER, Person
from playwright.sync_api import Route
from running import Service, Visitor
from servers import SmtpServer

from .party import ADDRESS, Party

# A page of text that is over what one request may hold.
FAR_TOO_LONG = 2 * 1024 * 1024 + 1  # characters
# The clocks of Madrid went from 3:00 back to 2:00.
TWICE = "2024-10-27T02:30"
SECRET = "pass=Xk4!pz92"  # something to point out on the review


def questions(party: Party) -> None:
    customer, look = party.customer, party.look
    customer.opens("/")
    # One that took a page over while requests fail would let them pass.
    customer.page.evaluate("navigator.serviceWorker.ready.then(() => 0)")
    customer.page.evaluate(TAKEN_OVER)
    look(customer, "start")
    customer.opens("/report/failure")
    look(customer, "failure")
    customer.fills({"summary": "502"})
    customer.reloads()
    customer.page.locator("#offer").wait_for()
    look(customer, "failure, unsent answers")
    customer.presses("#offer [value=drop]")
    customer.continues()
    look(customer, "failure, errors")
    customer.fills(FAILURE | {"error_message": SECRET})
    look(customer, "failure, filled in")
    customer.continues()
    look(customer, "timing")
    customer.continues()
    look(customer, "timing, errors")
    customer.fills({"started": "at", "pattern": "intermittent", "timezone": "Europa"})
    customer.continues()
    look(customer, "timing, errors under an answer")
    zone = {"timezone": "Europe/Madrid"}
    customer.fills(zone | {"started_at": TWICE, "frequency": ANSWERS["frequency"]})
    customer.continues()
    look(customer, "timing, twice")
    customer.fills({"started_fold": "earlier"})
    look(customer, "timing, filled in")
    customer.continues()
    look(customer, "changes")
    customer.continues()
    look(customer, "changes, errors")
    customer.fills({"changed": "yes"})
    customer.continues()
    look(customer, "changes, errors under an answer")
    customer.fills(CHANGES)
    look(customer, "changes, filled in")
    customer.continues()
    look(customer, "contact")
    customer.continues()
    look(customer, "contact, errors")
    customer.fills({"email": "nobody", "phone": "12", "email_affected": "yes"})
    customer.continues()
    look(customer, "contact, errors under an answer")
    customer.fills(CONTACT | {"phone": ANSWERS["phone"]})
    look(customer, "contact, filled in")
    customer.continues()


def review(party: Party) -> None:
    """Up to the receipt of a report that is with nobody yet."""
    customer, look = party.customer, party.look
    assert customer.path == "/report/review"
    look(customer, "review, with a secret pointed out")
    outdate(customer, "main form")
    customer.sends()
    look(customer, "review, again")
    flood(party.service)
    customer.sends_without_script()
    look(customer, "error 429")
    party.moves(70)
    customer.opens("/report/review")
    party.smtp.scripts["DATA"] = iter(lambda: "451 4.3.0 later", None)  # tried again by itself too
    customer.page.wait_for_load_state("networkidle")  # what shows the trouble is there
    held: list[Route] = []
    customer.page.route("**/*", lambda route: held.append(route))
    customer.presses()
    customer.page.locator("[aria-busy]").wait_for()
    look(customer, "review, being sent")
    customer.page.route("**/*", lambda route: route.abort())
    for route in held:
        route.abort()
    customer.presses("#trouble summary")
    look(customer, "review, without a connection")
    customer.page.unroute_all(behavior="wait")
    customer.page.wait_for_url("**/r/*")  # it goes on by itself


def flood(service: Service) -> None:
    """Asks until ADDRESS is told to wait, and for longer than it takes to look.

    When the minute that is counted began depends on who asked before.
    """
    client, end = Visitor(service), time.monotonic() + 150
    while time.monotonic() < end:
        answer = client.ask("POST", "/report/review", {}, headers={"X-Forwarded-For": ADDRESS})
        if answer.status == 429 and int(answer.headers["Retry-After"]) > 20:
            return
    raise AssertionError("nobody is ever told to wait")


def outdate(someone: Person, form: str) -> None:
    """As if the page had been open for too long."""
    page = f"document.querySelector('{form} [name=csrf_token]')"
    someone.page.evaluate(f"{page}.value = 'stale'")


def errors(party: Party) -> None:
    """Of those who report a second time."""
    customer, look = party.customer, party.look
    customer.opens("/report/failure")
    look(customer, "another report")
    outdate(customer, "main form")
    with customer.page.expect_navigation():
        customer.page.evaluate("document.querySelector('main form').submit()")
    look(customer, "failure, outdated")
    customer.opens("/offline")
    look(customer, "offline")
    customer.page.route("**/*", lambda route: route.abort())
    customer.presses()  # what is required is asked for by the script alone
    customer.page.locator("main .error").first.wait_for()
    look(customer, "offline, errors")
    customer.page.unroute_all(behavior="wait")
    customer.opens("/nowhere")
    look(customer, "error 404")
    customer.opens("/report/failure")
    customer.answers("failure")
    with without_drafts(party.service):
        customer.sends_without_script()
        look(customer, "error 503")
    customer.follows("main form button")  # send again
    assert customer.path == "/report/timing", customer.text
    customer.goes_back()
    # Unseen, as no browser lays out so much in a reasonable time.
    customer.question("affected").evaluate(
        "(area, length) => { area.style.display = 'none'; area.value = 'x'.repeat(length) }",
        FAR_TOO_LONG,
    )
    customer.continues()
    look(customer, "error 413")


def leaving(party: Party) -> None:
    """A browser that keeps nothing, at its own wish and at its owner's."""
    customer, look = party.customer, party.look
    customer.opens("/report/failure")
    customer.fills({"summary": "502"})
    customer.loses_cookies()
    customer.sends_without_script()
    look(customer, "failure, without cookies")
    customer.opens("/report/failure")
    customer.fills(FAILURE)
    customer.continues()
    customer.opens("/")
    customer.follows("form[action='/report/forget'] button")
    look(customer, "start, forgotten")


@contextmanager
def without_drafts(service: Service) -> Iterator[None]:
    """The database without one of its tables: every request that needs it fails."""
    service.sql("ALTER TABLE draft RENAME TO draft_away")
    try:
        yield
    finally:
        service.sql("ALTER TABLE draft_away RENAME TO draft")


def inbox(party: Party) -> None:
    """The demonstration's."""
    customer = party.customer
    open_inbox(customer, party.service, party.smtp)
    party.look(customer, "inbox")
    customer.follows(".mails li:last-child a")
    customer.presses("summary")
    party.look(customer, "inbox, a mail")


def open_inbox(customer: Person, service: Service, smtp: SmtpServer) -> None:
    """With what the relay has taken."""
    maildir = mailbox.Maildir(service.folder / "mailbox")
    for mail in smtp.received:
        maildir.add(mail.content)
    customer.page.context.set_extra_http_headers({})  # the inbox is for loopback alone
    customer.opens("/inbox")
