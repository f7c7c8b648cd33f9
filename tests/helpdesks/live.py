"""A service that runs, with one report in it, for helpdesks to tell what becomes of its ticket."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TESTS = Path(__file__).resolve().parents[1]
sys.path += [str(TESTS), str(TESTS / "functional")]

from running import Visitor, running, until  # noqa: E402
from servers import smtp_server  # noqa: E402

from reporter.demo.mailbox import LOOPBACK  # noqa: E402

SECRET = "hook-secret-of-the-trials"
ADDRESS = "https://incidents.example.com/hooks/helpdesk"  # as the pages have it
TOLD = {
    "seen": "El equipo de soporte le ha respondido",
    "solved": "El equipo de soporte dice que está solucionada",
}


@dataclass(frozen=True)
class Live:
    """The ticket of the report, as it left; and the service's hook."""

    ticket: bytes
    url: str
    customer: Visitor
    receipt: str

    def example(self, page: Path, language: str) -> str:
        """The page's own example of the hook, in *language*, but for address and secret."""
        blocks = re.findall(
            rf"^( *)```{language}\n(.*?)\n *```$",
            page.read_text(encoding="utf-8"),
            re.DOTALL | re.MULTILINE,
        )
        (text,) = [text for _indent, text in blocks if ADDRESS in text]
        return str(text).replace(ADDRESS, self.url).replace("Bearer …", f"Bearer {SECRET}")

    def says(self) -> set[str]:
        """What the customer's receipt says that support did."""
        text = " ".join(self.customer.open(self.receipt).text.split())
        return {name for name, words in TOLD.items() if words in text}


@contextmanager
def live(folder: Path, profile: str, **settings: Any) -> Iterator[Live]:
    with (
        smtp_server() as smtp,
        running(
            folder,
            "serve",
            MAIL_SERVER=LOOPBACK,
            MAIL_PORT=smtp.port,
            RATELIMIT_ENABLED="false",
            WEB_PROCESSES=1,
            HOOK_SECRET=SECRET,
            HELPDESK_PROFILE=profile,
            SEND_ACKNOWLEDGEMENT="false",
            **settings,
        ) as service,
    ):
        customer = Visitor(service)
        receipt = customer.report(started="just_now").path
        ticket = until(lambda: next((mail.content for mail in smtp.received), None))
        yield Live(ticket, f"{service.url}/hooks/helpdesk", customer, receipt)
