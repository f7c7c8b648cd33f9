"""A new SECRET_KEY in the middle of everything: no link breaks, no thread is torn."""

from __future__ import annotations

import re
from email.message import EmailMessage

import sqlalchemy as sa
from customers import Customer
from factories import values
from provider import Provider, link, text_of, to_customers, to_support

from reporter.models import Follower, Message, Report


def rotate(provider: Provider) -> None:
    config = provider.app.config
    config["SECRET_KEY_FALLBACKS"] = [config["SECRET_KEY"], *config["SECRET_KEY_FALLBACKS"]]
    config["SECRET_KEY"] = "another" * 6


def last(provider: Provider, kind: str) -> EmailMessage:
    """The last mail of that kind to have been queued, which is then sent."""
    provider.later(minutes=2)
    sent = provider.work()
    query = sa.select(Message.mime_id).where(Message.kind == kind).order_by(Message.id.desc())
    with provider.database.read() as session:
        named = session.scalars(query.limit(1)).one()
    (mail,) = [mail for mail in sent if mail["Message-ID"] == named]
    return mail


def count(provider: Provider, table: type[Report] | type[Follower]) -> int:
    with provider.database.read() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def test_a_report_goes_on_as_it_was(provider: Provider) -> None:
    token = provider.report()
    (ticket,) = to_support(provider.work())
    (acknowledgement,) = to_customers(provider.mails_of(token))
    root = ticket["Message-ID"]
    assert acknowledgement["References"] == root
    desk = provider.support()
    rotate(provider)
    path = link(acknowledgement, "/r/")
    customer = Customer(provider.app)
    assert customer.open(path).status == 200

    customer.submit("update", kind="worse", text="Ahora tampoco entra el panel")
    update = last(provider, "followup")
    assert update["References"] == update["In-Reply-To"] == root

    customer.open(f"{path}/details/evidence")
    customer.submit(hypothesis="El proxy")
    customer.open(f"{path}/details/review")
    assert customer.submit().status == 200
    details = last(provider, "followup")
    assert "El proxy" in text_of(details)
    assert details["References"] == details["In-Reply-To"] == root

    customer.open(path)
    customer.submit("news", wanted="yes")
    assert desk.open(f"/desk/{ticket['X-Incident-Reference']}").status == 200  # signed in still
    desk.submit(action="message", text="Estamos en ello")
    news = last(provider, "news")
    assert news["References"] == root
    assert link(news, "/r/") == path


def test_a_page_that_is_open_can_be_sent_and_sending_twice_is_one_report(
    provider: Provider,
) -> None:
    customer = Customer(provider.app)
    for slug in ("failure", "timing", "changes"):
        customer.fill(slug)
    customer.open("/report/contact")
    rotate(provider)
    page = customer.submit(**values("contact"))
    if page.status == 422:  # a fresh token, and everything typed
        page = customer.submit()
    review = page
    receipt = customer.submit().path
    rotate(provider)
    customer.page = review
    again = customer.submit()
    assert again.status == 200
    assert again.path == receipt
    assert count(provider, Report) == 1


def test_pages_that_are_open_are_of_use_still(provider: Provider) -> None:
    """The receipt's, with what was typed, the desk's, and a one-time link."""
    token = provider.report()
    customer, desk = provider.customer(token), provider.support()
    (reference,) = [mail["X-Incident-Reference"] for mail in to_support(provider.work())]
    desk.open(f"/desk/{reference}")
    said = provider.command("staff", "add", "Eva", "eva@example.com")
    rotate(provider)
    page = customer.submit("update", kind="worse", text="Va a peor")
    if page.status != 200:  # a fresh token, and everything typed
        page = customer.submit("update")
    assert page.status == 200
    page = desk.submit(action="solve", text="Hecho")
    if page.status != 200:
        page = desk.submit(action="solve")
    assert page.status == 200
    receipt = customer.open(f"/r/{token}")  # anew: nothing is there that was only typed
    assert "Va a peor" in receipt.text
    assert "Hecho" in receipt.text
    other = Customer(provider.app)
    (welcome,) = re.findall(r"/desk/welcome/[\w-]+", said)
    assert other.open(welcome).status == 200
    other.submit(password="una frase larga y propia")
    assert other.open("/desk").path == "/desk"


def test_who_follows_a_known_incident_is_followed_by_one_conversation(provider: Provider) -> None:
    opened = ("notice", "open", "--service", "web-hosting", "--text", "Lo vemos")
    key = provider.command(*opened).strip()
    customer = Customer(provider.app)
    customer.open(f"/notices/{key}")
    customer.submit(name="Ana", contact="ana@example.com")
    asked = last(provider, "confirmation")
    rotate(provider)
    customer.open(link(asked, "/notices/f/"))
    customer.submit(confirm="yes")
    provider.command("notice", "update", key, "--text", "Casi")
    told = last(provider, "notice")
    assert told["References"] == asked["References"]

    customer.open(f"/notices/{key}")
    assert customer.submit(name="Ana", contact="Ana@example.com").status == 200
    assert count(provider, Follower) == 1  # twice is once

    stop = str(told["List-Unsubscribe"])[1:-1].removeprefix("https://incidents.example.com")
    client = provider.app.test_client()
    assert client.post(stop, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    assert count(provider, Follower) == 0
