"""A service that runs, with one report in it, for helpdesks to tell what becomes of its ticket.

Whoever drives the helpdesk asks for a step of STEPS by HTTP once it has done it there, and has the
answer only when the receipt was looked at.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple

TESTS = Path(__file__).resolve().parents[1]
sys.path += [str(TESTS), str(TESTS / "functional")]

from factories import parsed  # noqa: E402
from running import Service, Visitor, running, until  # noqa: E402
from servers import SmtpServer, smtp_server  # noqa: E402

from reporter.demo.mailbox import LOOPBACK  # noqa: E402

SECRET = "hook-secret-of-the-trials"
ADDRESS = "https://incidents.example.com/hooks/helpdesk"  # as the pages have it
# A person of support answers, solves and reopens. Between the two the customer says that it works
# again, whose mail is the answer to "works": many a helpdesk opens a ticket again by itself then.
STEPS = ("created", "answered", "solved", "works", "heard", "reopened")


class Looked(NamedTuple):
    """What the receipt says, and what the desk knows the ticket by."""

    is_seen: bool
    is_solved: bool
    number: str


@dataclass(frozen=True)
class Live:
    """The ticket of the report, as it left; the service's hook; and where to ask for a step."""

    ticket: bytes
    url: str
    look: str
    service: Service
    smtp: SmtpServer
    customer: Visitor
    receipt: str
    reference: str
    looked: dict[str, Looked] = field(default_factory=dict)

    def example(self, page: Path, language: str) -> str:
        """The page's own example of the hook, in *language*, but for address and secret."""
        blocks = re.findall(
            rf"^( *)```{language}\n(.*?)\n *```$",
            page.read_text(encoding="utf-8"),
            re.DOTALL | re.MULTILINE,
        )
        (text,) = [text for _indent, text in blocks if ADDRESS in text]
        return str(text).replace(ADDRESS, self.url).replace("Bearer …", f"Bearer {SECRET}")

    def step(self, name: str) -> bytes:
        if name == "works":
            return self._works_again()
        told = json.loads(self.customer.peek(f"{self.receipt}/status.json").html)
        row = self.service.run("report", "show", self.reference)
        number = re.search(r"ticket (\S.*) in the helpdesk", row)
        self.looked[name] = Looked(
            bool(told["seen_at"]), bool(told["solved_at"]), number[1] if number else ""
        )
        return b""

    def told(self, numbered: bool) -> list[str]:
        """What the hook was seen to tell. *numbered*: later subjects bear the number."""
        none = Looked(False, False, "")
        created, answered, solved, heard, reopened = (
            self.looked.get(step, none) for step in STEPS if step != "works"
        )
        subject = str(parsed(self.smtp.received[-1].content)["Subject"])
        found = {
            "created": created.number and (not numbered or subject.endswith(f"{created.number}]")),
            "answered": answered.is_seen and not created.is_seen,
            "solved": solved.is_solved and not answered.is_solved,
            "reopened": solved.is_solved and heard.is_solved and not reopened.is_solved,
        }
        return [event for event, was in found.items() if was]

    def _works_again(self) -> bytes:
        before = len(self.smtp.received)
        self.customer.open(self.receipt)
        self.customer.submit("update", kind="solved", text="")
        self.service.run("outbox", "retry", self.reference)  # which is in no hurry
        return until(lambda: next((m.content for m in self.smtp.received[before:]), b""))


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
        reference = json.loads(customer.peek(f"{receipt}/status.json").html)["reference"]
        with looking() as server:
            found = Live(
                ticket,
                f"{service.url}/hooks/helpdesk",
                f"http://{LOOPBACK}:{server.server_port}",
                service,
                smtp,
                customer,
                receipt,
                reference,
            )
            server.step = found.step
            yield found


class Looking(HTTPServer):
    step: Any


class _Answers(BaseHTTPRequestHandler):
    server: Looking

    def do_GET(self) -> None:
        content = self.server.step(self.path.strip("/"))
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_words: object) -> None:
        pass


@contextmanager
def looking() -> Iterator[Looking]:
    server = Looking((LOOPBACK, 0), _Answers)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
