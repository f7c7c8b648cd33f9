"""Answering the questions of the second stage."""

from __future__ import annotations

from email.message import EmailMessage
from typing import Any

from customers import Customer, Page
from provider import Provider, to_support


def answer(customer: Customer, token: str, slug: str, **answers: Any) -> Page:
    """Open a step, fill in *answers* and press the button; the next page."""
    customer.open(f"/r/{token}/details/{slug}")
    return customer.submit(**answers)


def send(customer: Customer, token: str) -> Page:
    customer.open(f"/r/{token}/details/review")
    return customer.submit()


def followups(provider: Provider, token: str) -> list[EmailMessage]:
    return [mail for mail in to_support(provider.mails_of(token)) if mail["In-Reply-To"]]
