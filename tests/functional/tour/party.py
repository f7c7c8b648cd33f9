"""Who walks, and who looks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pages import Person
from running import Service
from servers import SmtpServer

ADDRESS = "203.0.113.7"  # which will have reached its limits; the customer goes on from others


@dataclass
class Party:
    look: Callable[[Person, str], None]
    customer: Person
    support: Person
    service: Service
    smtp: SmtpServer
    notice: str = ""  # the page of the known incident, once there is one

    def moves(self, number: int) -> None:
        """The customer has another address from here on."""
        elsewhere = {"X-Forwarded-For": f"203.0.113.{number}"}
        self.customer.page.context.set_extra_http_headers(elsewhere)
