"""The customer after "send": the receipt in each of its states, details, known incidents."""

from __future__ import annotations

from arrived import confirmation
from factories import ANSWERS
from pages import Person
from playwright.sync_api import expect
from provider import a_picture
from running import Sent, until

from .form import SECRET, outdate
from .party import Party

UPDATE = "form[action$='#add'] button"
LONG_NAME = f"captura-{'larga-' * 12}.png"


def on_its_way(party: Party) -> Sent:
    """From "saved" to "sent", as the relay takes its time."""
    customer, service, look = party.customer, party.service, party.look
    sent = Sent(customer.path, customer.reference)
    until(lambda: "451" in service.run("outbox", "show", sent.reference))
    customer.reloads()
    look(customer, "receipt, waiting")
    service.refuses("ticket", sent.reference)  # how that comes about is shown in test_smtp
    until(lambda: customer.reloads() or customer.page.locator(".states .late").count())
    look(customer, "receipt, late")
    del party.smtp.scripts["DATA"]
    service.run("outbox", "retry", sent.reference)
    until(lambda: customer.reloads() or len(customer.states) == 2)
    look(customer, "receipt, sent")
    for folded in customer.page.locator("main summary:visible").all():
        folded.click()
    look(customer, "receipt, unfolded")
    return sent


def details(party: Party, sent: Sent) -> None:
    customer, look = party.customer, party.look
    customer.opens(f"{sent.receipt}/details/review")
    look(customer, "details review, empty")
    customer.opens(f"{sent.receipt}/details/evidence")
    look(customer, "evidence")
    customer.fills({"last_worked_at": "2199-01-01T00:00", "tests_done": SECRET})
    customer.picks((LONG_NAME, a_picture("PNG", "blue")), ("todo.zip", b"PK\x03\x04\x00"))
    customer.page.locator("main .error").first.wait_for()
    expect(customer.kept_files).to_have_count(1)
    look(customer, "evidence, a file kept and one refused")
    customer.continues()
    look(customer, "evidence, errors and files")
    customer.fills({"last_worked_at": ""})
    customer.continues()
    look(customer, "impact")
    customer.fills({"users_affected": "x" * 201, "workaround": "yes"})
    customer.continues()
    look(customer, "impact, errors")
    customer.fills({"users_affected": "40", "workaround_description": "a" * 300})
    customer.continues()
    look(customer, "authorisation")
    customer.fills({"authorised_by": "x" * 201, "security_suspected": "unknown"})
    customer.continues()
    look(customer, "authorisation, errors")
    customer.fills({"authorised_by": ANSWERS["name"]})
    customer.continues()
    look(customer, "details review")
    outdate(customer, "#send")
    customer.continues()
    look(customer, "details review, again")
    customer.continues()
    look(customer, "receipt, details sent")
    customer.follows(UPDATE)
    look(customer, "receipt, errors")


def known_incident(party: Party) -> None:
    """An outage as customers see it, and those who follow it without reporting."""
    customer, service, look = party.customer, party.service, party.look
    party.moves(71)
    customer.opens("/")
    look(customer, "start, with a notice")
    customer.opens("/report/failure")
    look(customer, "failure, with a notice")
    customer.opens("/")
    customer.follows(".notice:first-of-type a")
    look(customer, "notice")
    notice = party.notice = customer.path
    customer.fills({"contact": "nobody"})
    customer.continues()
    look(customer, "notice, errors")
    _follows(customer, notice, "ana@example.com")
    look(customer, "follower, counted")
    path = confirmation(party.smtp, service, "ana@example.com")
    customer.opens(path)
    look(customer, "follower, to confirm")
    customer.follows("[name=confirm]")
    look(customer, "follower, confirmed")
    _follows(customer, notice, "ana@example.com")
    look(customer, "follower, again")
    customer.opens(path)
    customer.follows("main form button")
    look(customer, "follower, no more")
    party.moves(72)
    _follows(customer, notice, "eva@example.com")  # who is mailed what comes
    customer.opens(confirmation(party.smtp, service, "eva@example.com"))
    customer.follows("[name=confirm]")
    customer.opens(path)
    look(customer, "follower, gone")
    customer.has_reported()
    look(customer, "receipt, with a notice")
    customer.follows("[name=notice]")
    look(customer, "receipt, with their notice")
    service.run("notice", "close", notice.rpartition("/")[2], "--text", "Era un disco lleno.")
    customer.opens(notice)
    look(customer, "notice, closed")


def _follows(customer: Person, notice: str, contact: str) -> None:
    customer.opens(notice)
    customer.fills({"name": ANSWERS["name"], "contact": contact})
    customer.continues()
