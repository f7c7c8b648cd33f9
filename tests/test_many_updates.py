"""Somebody who adds to a report again and again makes neither a page, nor a press, nor a mail cost
more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import sqlalchemy as sa
from factories import SENT_AT
from provider import Provider, to_support

from reporter.models import Author, Message, Update, UpdateKind

FEW, MANY = 150, 1_500
MARK = "Otra vez: "
TEXT = MARK + "sigue igual. " * 380  # about what one may hold


def told(provider: Provider, token: str, count: int) -> None:
    """Tell support *count* times, each with a mail of its own that was sent."""
    report_id = provider.receipt(token).report_id
    with provider.database.write() as session:
        already = session.scalar(sa.select(sa.func.max(Update.number))) or 0
        session.execute(
            sa.insert(Update),
            [
                {
                    "report_id": report_id,
                    "author": Author.CUSTOMER,
                    "kind": UpdateKind.INFO,
                    "created_at": SENT_AT + timedelta(seconds=number),
                    "number": already + number + 1,
                    "content": {"text": TEXT},
                }
                for number in range(count)
            ],
        )


@contextmanager
def loaded() -> Iterator[list[int]]:
    """The ids of the updates that are read meanwhile."""
    seen: list[int] = []

    def note(update: Update, _context: object) -> None:
        seen.append(update.id)

    sa.event.listen(Update, "load", note)
    try:
        yield seen
    finally:
        sa.event.remove(Update, "load", note)


def cost(provider: Provider, token: str) -> dict[str, tuple[int, int]]:
    """What each press or page reads of what was said, and how long what it makes is."""
    found = {}
    customer, desk = provider.customer(token), provider.support()
    with loaded() as seen:
        found["receipt"] = len(seen), len(customer.open(f"/r/{token}").html) // 1000
    with loaded() as seen:
        customer.submit("update", kind="info", text="Algo más")
        found["update"] = len(seen), len(last_mail(provider)) // 1000
    customer.open(f"/r/{token}/details/evidence")
    customer.submit(hypothesis=f"El proxy, a las {provider.now}")
    customer.open(f"/r/{token}/details/review")
    with loaded() as seen:
        customer.submit()
        found["details"] = len(seen), len(last_mail(provider)) // 1000
    with loaded() as seen:
        page = desk.open(f"/desk/{provider.row(token).reference}")
        found["desk"] = len(seen), len(page.html) // 1000
    with loaded() as seen:
        desk.submit(action="message", text=f"Lo vemos, a las {provider.now}")
        found["message"] = len(seen), 0
    return found


def last_mail(provider: Provider) -> bytes:
    with provider.database.read() as session:
        query = sa.select(Message.content).where(Message.kind == "followup")
        return session.scalars(query.order_by(Message.id.desc()).limit(1)).one()


def test_what_was_said_before_costs_nothing(provider: Provider) -> None:
    token = provider.report()
    provider.work()
    told(provider, token, FEW)
    few = cost(provider, token)
    provider.later(minutes=5)
    provider.work()
    told(provider, token, MANY - FEW)
    many = cost(provider, token)
    for name, (read, size) in many.items():
        assert read <= few[name][0] + 5, name
        assert size <= few[name][1] + 5, name
    assert many["update"][0] <= 2 * 105  # rehearsed and made, with what the JSON repeats
    assert many["update"][1] < 200  # kB
    assert many["desk"][1] < 400


def test_the_json_repeats_what_was_said_last(provider: Provider) -> None:
    token = provider.report()
    provider.work()
    told(provider, token, 30)
    provider.customer(token).submit("update", kind="worse", text="Ahora tampoco el panel")
    provider.later(minutes=2)
    (mail,) = to_support(provider.work())
    (twin,) = [part.get_content() for part in mail.walk() if part.get_filename()]
    assert "Ahora tampoco el panel" in twin.decode()
    assert twin.decode().count(MARK) == 10  # of 30


def test_the_desk_shows_the_last_and_the_rest_behind_a_link(provider: Provider) -> None:
    token = provider.report()
    told(provider, token, 60)
    path = f"/desk/{provider.row(token).reference}"
    page = provider.support().open(path)
    assert page.text.count(MARK) == 50
    assert f"{path}?earlier=1" in page.links
    page = provider.support().open(f"{path}?earlier=1")
    assert page.text.count(MARK) == 60
