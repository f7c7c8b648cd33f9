"""Each fault of a relay at each stage, and the relay well again: every mail arrives."""

from __future__ import annotations

from contextlib import ExitStack
from itertools import product
from pathlib import Path

import pytest
from faults_of import GREETINGS, LONG, Delivery, Property, greets, tell
from running import until
from servers import DROP, HANG, smtp_server

from reporter.database import Database

ANSWERS = {
    "hangs": HANG,
    "drops": DROP,
    "421": "421 4.3.2 closing",
    "451": "451 4.7.1 later",
    "550": "550 5.7.1 not you",
    "554": "554 no",
}
# What sounds final, and is about us or the relay: seen in the wild, each where it comes.
ABOUT_US = {
    ("MAIL", "530"): "530 5.7.0 authentication required",
    ("RCPT", "550 5.4.5"): "550 5.4.5 daily quota exceeded",
    ("RCPT", "552 5.2.2"): "552 5.2.2 mailbox full",
    ("RCPT", "550 relaying"): "550 relaying denied",
    ("BODY", "550 5.7.60"): "550 5.7.60 client does not have permission to send as this sender",
    ("DATA", "550 5.7.60"): "550 5.7.60 client does not have permission to send as this sender",
}
# What no relay should say, and some do: for a mail or two, as it would be long for all of them.
ODD = {
    ("EHLO", "502"): "502 no",
    ("EHLO", "20 000 lines"): "250-x\r\n" * 20_000 + "250 y",
    ("EHLO", "an answer to HTTP"): "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n",
    ("EHLO", "SIZE 1"): "250-relay\r\n250 SIZE 1",
    ("MAIL", "codes that differ"): "250-ok\r\n550 no",
    ("MAIL", "099"): "099 ok",
    ("RCPT", "no number"): "OK",
    ("RCPT", "9 000 letters"): "250 " + "x" * 9_000,
    ("RCPT", "452 4.5.3"): "452 4.5.3 too many",
    ("RCPT", "550 5.2.1"): "550 5.2.1 disabled",
    ("RCPT", "556"): "556 5.1.10 null MX",
    ("RCPT", "571"): "571 delivery not authorized",
    ("BODY", "250"): "250 go on",
    ("BODY", "354 twice"): "354 go on\r\n354 go on",
    ("BODY", "250 before the mail"): "354 go on\r\n250 taken",
    ("BODY", "530"): "530 5.7.0 log in",
    ("DATA", "250 twice"): "250 ok\r\n250 ok",
    ("DATA", "half an answer"): "250-half",
    ("DATA", "an empty line"): "",
    ("DATA", "no number"): "OK",
    ("DATA", "220"): "220 ok",
    ("DATA", "354"): "354 go on",
    ("DATA", "999"): "999 ok",
    ("DATA", "250, then 421"): "250 ok\r\n421 bye",
    ("DATA", "550 5.7.26"): "550 5.7.26 unauthenticated",
}
STAGES = ("EHLO", "MAIL", "RCPT", "BODY", "DATA", "QUIT")
EACH = {(stage, name): ANSWERS[name] for stage, name in product(STAGES, ANSWERS)} | ABOUT_US | ODD
SHORT = [("sqlite", "DATA", "drops")]
# On the other engine the same code decides; what claims and keeps is another's.
ON_POSTGRESQL = [
    ("EHLO", "hangs"),
    ("MAIL", "421"),
    ("RCPT", "451"),
    ("RCPT", "552 5.2.2"),
    ("BODY", "hangs"),
    ("DATA", "drops"),
    ("DATA", "550 5.7.60"),
    ("QUIT", "drops"),
]
FAULTS = [("sqlite", *each) for each in EACH] + [("postgresql", *each) for each in ON_POSTGRESQL]
HOW = [*product(["sqlite"], [*GREETINGS, "nobody"]), *product(["postgresql"], ["drips", "nobody"])]
TIMES, ODD_TIMES = 4, 2
MAILS = 4


@pytest.fixture
def delivery(tmp_path: Path, database: Database, database_url: str) -> Delivery:
    return Delivery(tmp_path, database, database_url)


@pytest.mark.parametrize(
    ("database_url", "stage", "fault"), FAULTS if LONG else SHORT, indirect=["database_url"]
)
def test_every_mail_arrives_once_the_fault_is_over(
    delivery: Delivery, stage: str, fault: str, record_property: Property
) -> None:
    delivery.queue(MAILS)
    times = ODD_TIMES if (stage, fault) in ODD else TIMES
    with (
        smtp_server(answers={stage: [EACH[stage, fault]] * times}) as server,
        delivery.worker(server.relay, MAIL_TIMEOUT=1),
    ):
        until(lambda: not delivery.unsent(), 200)
    found = delivery.fate(server)
    tell(record_property, delivery.url, f"relay: {fault} at {stage}", found)
    assert found[:2] == (2 * MAILS, 0)


@pytest.mark.parametrize(
    ("database_url", "how"),
    HOW if LONG else [("sqlite", "never ends")],
    indirect=["database_url"],
)
def test_a_relay_that_was_no_relay_for_a_while_is_found_again(
    delivery: Delivery, how: str, record_property: Property
) -> None:
    """The worker is the same one throughout: none of these has it stuck."""
    delivery.queue(MAILS)
    with ExitStack() as bad:
        relay = bad.enter_context(greets(how))
        with delivery.worker(relay, MAIL_TIMEOUT=1) as service:
            until(lambda: delivery.attempts() >= 2, 60)
            bad.close()
            with smtp_server(port=relay.port) as server:
                until(lambda: not delivery.unsent(), 200)
                assert service.process.poll() is None
    found = delivery.fate(server)
    tell(record_property, delivery.url, f"relay: {how}", found)
    assert found == (2 * MAILS, 0, 0)
