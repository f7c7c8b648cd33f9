"""A known incident, and customers who say that it is theirs."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from customers import Customer, Page
from factories import parsed
from provider import Provider, link

from reporter.models import MailState, Message, Notice

TEXT = "Cae el nodo 7: lo estamos cambiando"
ENGLISH = "Node 7 is down: we are replacing it"


def opened(provider: Provider, *options: str, service: str = "web-hosting") -> str:
    """Open a known incident; its key."""
    words = ("notice", "open", "--service", service, "--text", TEXT)
    return provider.command(*words, *options).strip()


def follow(
    provider: Provider,
    key: str,
    contact: str = "ana@example.com",
    name: str = "Ana",
    language: str = "es",
) -> tuple[Customer, Page]:
    """Say that it is one's own, and confirm the address as the mail asks; the page then."""
    customer = Customer(provider.app, language)
    customer.open(f"/notices/{key}")
    page = customer.submit(name=name, contact=contact)
    if asked := rows(provider, Message, kind="confirmation", state="queued"):
        (message,) = asked
        with provider.database.write() as session:  # it is read
            session.get_one(Message, message.id).state = MailState.SENT
        customer.open(link(parsed(message.content), "/notices/f/"))
        page = customer.submit(confirm="yes")
    return customer, page


def rows(provider: Provider, table: type[Any], **columns: Any) -> list[Any]:
    with provider.database.read() as session:
        return list(session.scalars(sa.select(table).filter_by(**columns).order_by(table.id)))


def digests(provider: Provider, key: str) -> list[Message]:
    return rows(provider, Message, kind="digest", reference=key)


# From the desk


def from_desk(provider: Provider, token: str) -> str:
    links = provider.desk(token).page.links
    (found,) = [path for path, text in links.items() if "Abrir una incidencia" in text]
    return found.removeprefix("https://incidents.example.com")


def entries(provider: Provider) -> list[Any]:
    (row,) = rows(provider, Notice)
    return [entry["text"] for entry in row.entries]
