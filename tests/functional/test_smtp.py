"""One mail against real SMTP servers: what counts as accepted, deferred and refused."""

from __future__ import annotations

import base64
import contextlib
import smtplib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import repeat
from pathlib import Path

import flask_mail
import pytest
import trustme
from conftest import CONTENT
from flask import Flask
from running import until
from servers import (
    DROP,
    HANG,
    HELD,
    IMPATIENT_SECONDS,
    PATIENCE_SECONDS,
    SmtpServer,
    drips,
    floods,
    hears,
    never_ends,
    says,
    smtp_server,
    talks,
)

from reporter.delivery import connecting, conversation, handover, lines
from reporter.delivery.health import RelayHealth
from reporter.delivery.relays import Relay
from reporter.delivery.smtp import AttemptResult, RelayConnection, RelayMail, connections, deliver

SENDER = "incident-reporter@example.com"
RECIPIENT = "support@example.com"
# A relay that answers one by one, and one that takes several commands at once (RFC 2920).
EITHER_WAY = pytest.mark.parametrize("offer", ["", "PIPELINING"])


@pytest.fixture
def app() -> Flask:
    app = Flask(__name__)
    app.config |= {"MAIL_DEFAULT_SENDER": SENDER, "MAIL_SUPPRESS_SEND": False}
    RelayMail().init_app(app)
    return app


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return path


@pytest.fixture(params=["use_tls", "use_ssl"])
def tls(request: pytest.FixtureRequest, authority: trustme.CA, ca_file: Path) -> Iterator[TLS]:
    return TLS(request.param, authority, ca_file)


class TLS:
    """A server with a certificate for *name*, by STARTTLS or from the first byte."""

    def __init__(self, way: str, authority: trustme.CA, ca_file: Path) -> None:
        self.way, self.authority, self.ca_file = way, authority, ca_file

    def server(self, name: str = "127.0.0.1", by: trustme.CA | None = None) -> dict[str, object]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        (by or self.authority).issue_cert(name).configure_cert(context)
        if self.way == "use_ssl":
            return {"ssl_context": context}
        return {"options": {"tls_context": context, "require_starttls": True}}

    def relay(self, server: SmtpServer) -> Relay:
        return replace(server.relay, ca_file=str(self.ca_file), **{self.way: True})


def attempt(app: Flask, *relays: Relay, content: bytes = CONTENT) -> tuple[AttemptResult, ...]:
    open_ = [RelayConnection(app, relay) for relay in relays]
    try:
        return deliver(open_, content, RECIPIENT)
    finally:
        for connection in open_:
            connection.close()


def outcomes(results: tuple[AttemptResult, ...]) -> list[tuple[str, int | None]]:
    return [(result.outcome, result.code) for result in results]


@EITHER_WAY
@pytest.mark.parametrize("head", [b"Subject: x", b".x: y"])
def test_accepted_mail_arrives_byte_for_byte(app: Flask, offer: str, head: bytes) -> None:
    content = head + b"\r\n\r\n.a line that starts with a dot\r\n..two\r\n.\r\n\r\nlast\r\n"
    with smtp_server(answers={"DATA": ["250 2.0.0 queued as 4F2"]}, offer=offer) as server:
        results = attempt(app, server.relay, content=content)
    name, said = server.relay.name, "2.0.0 queued as 4F2"
    assert results == (AttemptResult(name, "accepted", 250, said, recovered=True),)
    [mail] = server.received
    assert (mail.sender, mail.recipients, mail.content) == (SENDER, (RECIPIENT,), content)


def test_a_temporary_refusal_is_deferred_and_then_accepted(app: Flask) -> None:
    with smtp_server(answers={"DATA": ["451 4.3.0 later"]}) as server:
        assert outcomes(attempt(app, server.relay)) == [("deferred", 451)]
        assert outcomes(attempt(app, server.relay)) == [("accepted", 250)]


@EITHER_WAY
@pytest.mark.parametrize(
    ("command", "answer", "outcome", "about"),
    [
        ("MAIL", "451 4.3.0 later", "deferred", "relay"),
        ("MAIL", "550 5.7.1 not you", "deferred", "relay"),
        ("RCPT", "450 4.2.0 greylisted", "deferred", "recipient"),
        ("RCPT", "550 5.7.1 relay access denied", "deferred", "recipient"),
        ("RCPT", "550 5.1.1 no such user", "refused", "recipient"),
        ("BODY", "451 later", "deferred", "recipient"),
        ("BODY", "250 odd", "deferred", "recipient"),
        ("BODY", "550 5.6.1 not this", "refused", "mail"),
        ("DATA", "451 later", "deferred", "recipient"),
        ("DATA", "550 5.7.60 not you", "deferred", "relay"),
        ("DATA", "554 5.6.0 not this", "refused", "mail"),
    ],
)
def test_what_an_answer_means_depends_on_where_it_comes(
    app: Flask, offer: str, command: str, answer: str, outcome: str, about: str
) -> None:
    code, _, reply = answer.partition(" ")
    with (
        smtp_server(answers={command: [answer]}, offer=offer) as server,
        RelayConnection(app, server.relay) as connection,
    ):
        results = deliver([connection], CONTENT, RECIPIENT)
        name = server.relay.name
        assert results == (AttemptResult(name, outcome, int(code), reply, about=about),)
        # Nothing of it is left in the way of the next one.
        assert outcomes(deliver([connection], CONTENT, RECIPIENT)) == [("accepted", 250)]
        assert [mail.content for mail in server.received if mail.content][-1] == CONTENT
        assert server.connections == 1


def test_a_bad_address_of_the_operators_is_no_refusal(app: Flask) -> None:
    with (
        smtp_server(answers={"RCPT": ["550 5.1.1 no such user"]}) as server,
        RelayConnection(app, server.relay) as connection,
    ):
        [result] = deliver([connection], CONTENT, RECIPIENT, operators=True)
    assert (result.outcome, result.is_permanent) == ("deferred", True)


def test_many_different_mails_refused_in_a_row_are_the_relays_trouble(app: Flask) -> None:
    answers = {"DATA": [*["554 5.6.0 not this"] * 5, "250 ok", "554 5.6.0 not this"]}
    with (
        smtp_server(answers=answers) as server,
        RelayConnection(app, server.relay) as connection,
    ):
        results = [
            deliver([connection], CONTENT, RECIPIENT, message_id=id_)[0]
            for id_ in (1, 1, 2, 3, 4, 4, 5)
        ]
        assert not connection.health.is_paused
    refused, deferred = "refused", "deferred"
    outcomes = [refused, refused, refused, deferred, deferred, "accepted", refused]
    assert [result.outcome for result in results] == outcomes
    assert [result.recovered for result in results].index(True) == 5


@pytest.mark.parametrize(
    ("command", "answer", "third", "is_paused"),
    [
        ("RCPT", "550 5.1.1 no such user", ("refused", "recipient"), False),
        ("RCPT", "550 no such user", ("deferred", "relay"), True),
        ("RCPT", "450 4.2.0 greylisted", ("deferred", "recipient"), True),
        ("MAIL", "451 4.3.0 later", ("deferred", "relay"), True),
    ],
)
def test_what_three_mails_in_a_row_are_told_says_something_of_the_relay(
    app: Flask, command: str, answer: str, third: tuple[str, str], is_paused: bool
) -> None:
    """But of an address that does not exist, of which it says so."""
    with (
        smtp_server(answers={command: [answer] * 3}) as server,
        RelayConnection(app, server.relay) as connection,
    ):
        for id_ in (1, 2, 3):
            [result] = deliver([connection], CONTENT, RECIPIENT, message_id=id_)
        assert (result.outcome, result.about) == third
        assert connection.health.is_paused == is_paused


@EITHER_WAY
@pytest.mark.parametrize("command", ["MAIL", "RCPT", "BODY", "DATA"])
def test_421_anywhere_ends_the_connection_and_is_the_relays_trouble(
    app: Flask, offer: str, command: str
) -> None:
    with smtp_server(answers={command: ["421 4.3.2 shutting down"]}, offer=offer) as server:
        with RelayConnection(app, server.relay) as connection:
            [result] = deliver([connection], CONTENT, RECIPIENT)
            assert (result.outcome, result.code, result.about) == ("deferred", 421, "relay")
            assert (connection.host, connection.health.is_paused) == (None, True)
            assert outcomes(deliver([connection], CONTENT, RECIPIENT)) == [("accepted", 250)]
        assert server.connections == 2


def test_what_is_larger_than_the_relay_takes_is_not_sent_there(app: Flask) -> None:
    content = CONTENT + b"x" * (handover.LEAST_SIZE - len(CONTENT) - 1) + b"\r\n"
    with smtp_server(options={"data_size_limit": handover.LEAST_SIZE}) as server:
        [result] = attempt(app, server.relay, content=content)
    assert (result.outcome, result.code, result.about) == ("refused", 552, "mail")
    assert (server.commands, server.received) == (["QUIT"], [])


@pytest.mark.parametrize("said", ["1", "65535", "-5", "huge", "9" * 21, "9" * 5_000])
def test_a_size_that_no_relay_can_mean_is_no_limit(app: Flask, said: str) -> None:
    """Each has to take 64 kB (RFC 5321, section 4.5.3.1.7): else every mail would be refused."""
    with smtp_server(hide="SIZE", offer=f"SIZE {said}") as server:
        assert outcomes(attempt(app, server.relay)) == [("accepted", 250)]


def test_we_say_the_name_and_the_sender_that_are_set(app: Flask) -> None:
    app.config["MAIL_ENVELOPE_FROM"] = "bounces@example.com"
    with smtp_server() as server:
        relay = replace(server.relay, ehlo_name="incidents.example.com")
        assert outcomes(attempt(app, relay)) == [("accepted", 250)]
    assert server.names == ["incidents.example.com"]
    assert server.received[0].sender == "bounces@example.com"


@pytest.mark.parametrize("talk", [drips, never_ends, floods])
def test_a_relay_that_talks_without_end_is_deferred(
    app: Flask, talk: Callable[[socket.socket], None]
) -> None:
    with talks(talk) as relay:
        impatient = replace(relay, timeout=IMPATIENT_SECONDS)
        assert outcomes(attempt(app, impatient)) == [("deferred", None)]


def says_nothing(connection: socket.socket) -> None:
    while connection.recv(1024):
        pass


def drips_a_handshake(connection: socket.socket) -> None:
    """The head of a TLS record of 16 kB (RFC 8446, 5.1), and its bytes one by one."""
    connection.sendall(b"\x16\x03\x03\x40\x00")
    while True:
        connection.sendall(b"\x02")
        time.sleep(0.02)


def promises_tls(talk: Callable[[socket.socket], None]) -> Callable[[socket.socket], None]:
    def starts(connection: socket.socket) -> None:
        connection.sendall(b"220 hello\r\n")
        hears(connection)
        connection.sendall(b"250-hello\r\n250 STARTTLS\r\n")
        hears(connection)
        connection.sendall(b"220 go on\r\n")
        talk(connection)

    return starts


@pytest.mark.parametrize("how", ["use_ssl", "use_tls"])
@pytest.mark.parametrize("talk", [says_nothing, drips_a_handshake])
def test_a_handshake_without_an_end_is_deferred(
    app: Flask, talk: Callable[[socket.socket], None], how: str
) -> None:
    with talks(promises_tls(talk) if how == "use_tls" else talk) as relay:
        impatient = replace(relay, timeout=IMPATIENT_SECONDS, **{how: True})
        assert outcomes(attempt(app, impatient)) == [("deferred", None)]


def test_all_the_addresses_of_a_relay_share_one_limit(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is tried, though all the ones before it are dead."""
    with says(None) as silent, full(silent) as address, smtp_server() as server:
        relay = LimitedRelay("127.0.0.1", server.port, timeout=20, limit=6)
        dead = (socket.AF_INET, socket.SOCK_STREAM, 6, "", address)
        works = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", server.port))
        monkeypatch.setattr(connecting, "_look_up", lambda *_: [*[dead] * 9, works])
        assert outcomes(attempt(app, relay)) == [("accepted", 250)]


@contextlib.contextmanager
def full(relay: Relay) -> Iterator[tuple[str, int]]:
    """The address of a server that takes no further connection."""
    address = ("127.0.0.1", relay.port)
    with contextlib.ExitStack() as stack:
        for _ in range(600):  # over the backlog
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(address)
        yield address


def test_a_look_up_that_hangs_is_deferred(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: over.wait(30))
    try:
        [result] = attempt(app, Relay("relay.example.com", timeout=0.2))
    finally:
        over.set()
    assert (result.outcome, "took too long" in result.reply) == ("deferred", True)


def test_refused_by_one_relay_the_next_is_tried(app: Flask) -> None:
    with smtp_server(answers={"RCPT": ["550 no"]}) as first, smtp_server() as second:
        results = attempt(app, first.relay, second.relay)
    assert outcomes(results) == [("refused", 550), ("accepted", 250)]


def test_every_relay_may_refuse_or_defer(app: Flask) -> None:
    with (
        smtp_server(answers={"RCPT": repeat("550 no")}) as refusing,
        smtp_server(answers={"RCPT": repeat("451 later")}) as deferring,
    ):
        assert outcomes(attempt(app, refusing.relay, refusing.relay)) == [("refused", 550)] * 2
        mixed = attempt(app, refusing.relay, deferring.relay)
        assert outcomes(mixed) == [("refused", 550), ("deferred", 451)]


def test_an_unreachable_relay_is_deferred_and_the_fallback_takes_the_mail(app: Flask) -> None:
    with smtp_server() as gone:
        pass
    with smtp_server() as fallback:
        results = attempt(app, gone.relay, fallback.relay)
    assert outcomes(results) == [("deferred", None), ("accepted", 250)]
    assert "refused" in results[0].reply


def test_an_unreachable_relay_is_tried_last_for_a_while(app: Flask) -> None:
    with says(None) as silent, smtp_server() as fallback:
        open_ = [RelayConnection(app, silent), RelayConnection(app, fallback.relay)]
        assert len(deliver(open_, CONTENT, RECIPIENT)) == 2
        assert [r.relay for r in deliver(open_, CONTENT, RECIPIENT)] == [fallback.relay.name]
        open_[0].health = RelayHealth()  # the pause is over
        assert len(deliver(open_, CONTENT, RECIPIENT)) == 2
        open_[1].close()


def test_an_unknown_host_is_deferred(app: Flask) -> None:
    assert outcomes(attempt(app, Relay("relay.invalid", 25, timeout=2))) == [("deferred", None)]


@pytest.mark.parametrize(
    ("greeting", "code"),
    [(b"554 5.3.2 go away\r\n", 554), (b"421 busy\r\n", 421), (b"hello\r\n", -1), (b"", None)],
)
def test_a_bad_greeting_is_the_relays_trouble(app: Flask, greeting: bytes, code: int) -> None:
    with says(greeting) as relay:
        assert outcomes(attempt(app, relay)) == [("deferred", code)]


def test_a_silent_relay_costs_one_timeout(app: Flask) -> None:
    """Not all that an attempt may take: nothing more is said to it, whose answer would be waited
    for, and it is not dialled again."""
    heard: list[bytes] = []
    with talks(lambda connection: heard.append(hears(connection))) as relay:
        impatient = LimitedRelay(relay.server, relay.port, timeout=IMPATIENT_SECONDS, limit=10_000)
        assert outcomes(attempt(app, impatient)) == [("deferred", None)]
        until(lambda: heard)
    assert heard == [b""]


@EITHER_WAY
@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
def test_a_relay_that_hangs_is_deferred(app: Flask, offer: str, command: str) -> None:
    with smtp_server(answers={command: [HANG]}, offer=offer) as server:
        relay = replace(server.relay, timeout=0.2)
        assert outcomes(attempt(app, relay)) == [("deferred", None)]


def test_a_relay_may_think_longer_about_the_final_dot(app: Flask) -> None:
    with smtp_server(answers={"DATA": ["SLOW 1.5"]}) as server:
        relay = replace(server.relay, timeout=1)
        assert outcomes(attempt(app, relay)) == [("accepted", 250)]


@pytest.mark.parametrize("limit", [7.9, 10_000])
def test_a_mail_may_take_longer_on_its_way_than_any_answer(app: Flask, limit: float) -> None:
    def reads_late(connection: socket.socket) -> None:
        connection.sendall(b"220 hello\r\n")
        for answer in (b"250 ok\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go on\r\n"):
            hears(connection)
            connection.sendall(answer)
        time.sleep(1.5)
        for _ in iter(lambda: connection.recv(2**20)[-3:] == b".\r\n", True):
            pass
        connection.sendall(b"250 taken\r\n")

    with talks(reads_late) as relay:
        impatient = LimitedRelay(relay.server, relay.port, timeout=1, limit=limit)
        content = b"Subject: x\r\n\r\n" + b"x" * 32 * 2**20
        assert outcomes(attempt(app, impatient, content=content)) == [("accepted", 250)]


@pytest.mark.parametrize("before", [None, 0.1, 2.0, 2.005, 30.0, 10_000.0])
def test_a_socket_waits_for_no_longer_than_it_is_told(before: float | None) -> None:
    with socket.socket() as waiting:
        waiting.settimeout(before)
        lines.wait_at_most(waiting, 2.0)
        assert 2.0 / 8 <= (waiting.gettimeout() or 0.0) <= 2.0 + lines.NEAR_SECONDS


def test_an_attempt_ends_by_its_limit_however_slow_each_answer_is(app: Flask) -> None:
    with smtp_server(answers={c: ["SLOW 0.8"] for c in ("MAIL", "RCPT", "DATA")}) as server:
        relay = LimitedRelay("127.0.0.1", server.port, timeout=20, limit=0.9)
        assert outcomes(attempt(app, relay)) == [("deferred", None)]
    assert "DATA" not in server.commands


@dataclass(frozen=True)
class LimitedRelay(Relay):
    limit: float = 0.0

    @property
    def limit_seconds(self) -> float:
        return self.limit


@EITHER_WAY
@pytest.mark.parametrize("moment", ["MAIL", "RCPT", "BODY", "DATA"])
def test_a_lost_connection_is_deferred(app: Flask, offer: str, moment: str) -> None:
    """After the final dot, too: nobody knows, so the same Message-ID is sent again."""
    with smtp_server(answers={moment: [DROP]}, offer=offer) as server:
        assert outcomes(attempt(app, server.relay)) == [("deferred", None)]
        assert outcomes(attempt(app, server.relay)) == [("accepted", 250)]
    assert len(server.received) == (2 if moment == "DATA" else 1)


@pytest.mark.parametrize("answer", ["421 4.4.2 bye", "500 what", DROP, HANG])
def test_a_failing_quit_does_not_undo_acceptance(app: Flask, answer: str) -> None:
    with smtp_server(answers={"QUIT": [answer]}) as server:
        relay = replace(server.relay, timeout=1) if answer == HANG else server.relay
        assert outcomes(attempt(app, relay)) == [("accepted", 250)]
    assert len(server.received) == 1


def test_a_relay_that_takes_several_commands_at_once_is_asked_once(app: Flask) -> None:
    heard: list[bytes] = []

    def talk(connection: socket.socket) -> None:
        connection.sendall(b"220 hello\r\n")
        hears(connection)
        connection.sendall(b"250-relay\r\n250 PIPELINING\r\n")
        for end, answer in (
            (b"DATA\r\n", b"250 ok\r\n250 ok\r\n354 go on\r\n"),
            (b"\r\n.\r\n", b"250 taken\r\n"),
            (b"quit\r\n", b"221 bye\r\n"),
        ):
            heard.append(hears(connection, end))
            connection.sendall(answer)

    with talks(talk) as relay:
        assert outcomes(attempt(app, relay)) == [("accepted", 250)]
        until(lambda: len(heard) == 3)
    envelope = f"MAIL FROM:<{SENDER}>\r\nRCPT TO:<{RECIPIENT}>\r\nDATA\r\n"
    assert heard == [envelope.encode(), CONTENT + b".\r\n", b"quit\r\n"]


@EITHER_WAY
@pytest.mark.parametrize("early", [b"250 taken\r\n", b"354 go on\r\n", b"421 bye\r\n"])
def test_what_is_said_before_the_mail_is_no_answer_to_it(
    app: Flask, early: bytes, offer: str
) -> None:
    """Else a mail would be sent that nobody has."""

    def talk(connection: socket.socket) -> None:
        connection.sendall(b"220 hello\r\n")
        hears(connection)
        connection.sendall(f"250-relay\r\n250 {offer or 'HELP'}\r\n".encode())
        if not offer:
            for _ in range(2):
                hears(connection)
                connection.sendall(b"250 ok\r\n")
        hears(connection, b"DATA\r\n")
        connection.sendall((b"250 ok\r\n" * 2 if offer else b"") + b"354 go on\r\n" + early)
        hears(connection, b"never")

    with talks(talk) as relay:
        [result] = attempt(app, relay)
    assert (result.outcome, result.code) == ("deferred", None)


def test_a_relay_that_answers_twice_is_left_before_it_is_out_of_step(app: Flask) -> None:
    with smtp_server(answers={"DATA": ["250 ok\r\n250 ok"]}) as server:
        with RelayConnection(app, server.relay) as connection:
            for _ in range(2):
                assert outcomes(deliver([connection], CONTENT, RECIPIENT)) == [("accepted", 250)]
        assert server.connections == 2


def test_a_relay_that_loses_all_but_the_first_of_several_commands_is_told_one_by_one(
    app: Flask,
) -> None:
    """From the next connection on, of this conversation and all others with it."""
    heard: list[bytes] = []

    def talk(connection: socket.socket) -> None:
        connection.sendall(b"220 hello\r\n")
        while line := connection.recv(65536).partition(b"\r\n")[0]:
            heard.append(line.split()[0])
            answers = {b"ehlo": b"250-relay\r\n250 PIPELINING", b"DATA": b"354 go on"}
            connection.sendall(answers.get(heard[-1], b"250 ok") + b"\r\n")

    health = RelayHealth()
    with talks(talk) as relay:
        for seconds in (IMPATIENT_SECONDS, 2.0, PATIENCE_SECONDS):
            if health.takes_together:  # a busy machine may be slower than that
                with RelayConnection(app, replace(relay, timeout=seconds), health) as connection:
                    result = deliver([connection], CONTENT, RECIPIENT)
                    assert outcomes(result) == [("deferred", None)]
        heard.clear()
        with RelayConnection(app, relay, health) as connection:
            for _ in range(2):
                assert outcomes(deliver([connection], CONTENT, RECIPIENT)) == [("accepted", 250)]
    assert heard[1:5] == [b"rset", b"MAIL", b"RCPT", b"DATA"]


@pytest.mark.parametrize("command", ["MAIL", "RCPT"])
def test_a_relay_that_waits_for_a_mail_it_has_refused_is_given_none(
    app: Flask, command: str
) -> None:
    with smtp_server(answers={command: ["550 5.1.1 no"]}, offer="PIPELINING") as server:
        [result] = attempt(app, server.relay)
    assert (result.code, result.reply) == (550, "5.1.1 no")
    assert [mail.content for mail in server.received] == [b""]


@pytest.mark.parametrize("after", [b"", b"421 4.3.2 bye\r\n", b"250 ok\r\n"])
def test_a_refusal_counts_though_the_relay_hangs_up_before_it_has_answered_the_rest(
    app: Flask, after: bytes
) -> None:
    def talk(connection: socket.socket) -> None:
        connection.sendall(b"220 hello\r\n")
        hears(connection)
        connection.sendall(b"250-relay\r\n250 PIPELINING\r\n")
        hears(connection, b"DATA\r\n")
        connection.sendall(b"250 ok\r\n550 5.1.1 no such user\r\n" + after)

    with talks(talk) as relay:
        assert outcomes(attempt(app, relay)) == [("refused", 550)]


def test_a_relay_without_extensions_takes_the_mail(app: Flask) -> None:
    with smtp_server(hide="8BITMIME") as plain, smtp_server(hide="SIZE") as older:
        assert outcomes(attempt(app, plain.relay)) == [("accepted", 250)]
        assert outcomes(attempt(app, older.relay)) == [("accepted", 250)]
    assert plain.mail_options == [[f"SIZE={len(CONTENT)}"]]
    assert older.mail_options == [[]]


def test_a_trusted_certificate_is_accepted(app: Flask, tls: TLS) -> None:
    with smtp_server(**tls.server()) as server:
        assert outcomes(attempt(app, tls.relay(server))) == [("accepted", 250)]


def test_a_certificate_for_another_host_is_deferred(app: Flask, tls: TLS) -> None:
    with smtp_server(**tls.server(name="mail.example.com")) as server:
        [result] = attempt(app, tls.relay(server))
    assert (result.outcome, server.received) == ("deferred", [])
    assert "certificate" in result.reply.lower()


def test_a_certificate_of_an_unknown_authority_is_deferred(app: Flask, tls: TLS) -> None:
    with smtp_server(**tls.server(by=trustme.CA())) as server:
        ours = attempt(app, tls.relay(server))
        systems = attempt(app, replace(tls.relay(server), ca_file=""))
    for [result] in (ours, systems):
        assert result.outcome == "deferred"
        assert "certificate" in result.reply.lower()
    assert server.received == []


def test_without_starttls_nothing_is_sent_in_the_clear(app: Flask) -> None:
    with smtp_server() as server:
        relay = replace(server.relay, use_tls=True)
        assert outcomes(attempt(app, relay)) == [("deferred", None)]
    assert server.received == []


@pytest.mark.parametrize(
    ("password", "outcome"),
    [("contraseña", ("accepted", 250)), ("wrong", ("deferred", 535)), ("ñ", ("deferred", 535))],
)
@pytest.mark.parametrize("hidden", [(), ("PLAIN",)])
def test_a_wrong_login_is_the_relays_trouble(
    app: Flask, password: str, outcome: tuple[str, int], hidden: tuple[str, ...]
) -> None:
    """By PLAIN, and by LOGIN where a relay has nothing else; a password is UTF-8."""
    options = {"auth_require_tls": False, "auth_exclude_mechanism": hidden}
    with smtp_server(password="contraseña", options=options) as server:
        relay = replace(server.relay, username="reporter", password=password)
        assert outcomes(attempt(app, relay)) == [outcome]


def test_a_login_by_cram_md5_says_what_its_rfc_does(app: Flask) -> None:
    """The example of RFC 2195, section 2. No password is said."""
    heard: list[bytes] = []
    challenge = b"<1896.697170952@postoffice.reston.mci.net>"

    def asks(connection: socket.socket) -> None:
        connection.sendall(b"220 hello\r\n")
        hears(connection)
        connection.sendall(b"250-hello\r\n250 AUTH PLAIN CRAM-MD5\r\n")
        heard.append(hears(connection))
        connection.sendall(b"334 " + base64.b64encode(challenge) + b"\r\n")
        heard.append(base64.b64decode(hears(connection)))
        connection.sendall(b"535 5.7.8 who\r\n")

    with talks(asks) as relay:
        tim = replace(relay, username="tim", password="tanstaaftanstaaf")
        attempt(app, tim)
    assert heard[:2] == [b"AUTH CRAM-MD5\r\n", b"tim b913a602c7eda7a495b4e6e7334d3890"]


def test_mails_in_a_row_share_a_connection(app: Flask) -> None:
    with smtp_server(answers={"RCPT": ["250 ok", "550 no"]}) as server:
        with RelayConnection(app, server.relay) as connection:
            results = [deliver([connection], CONTENT, RECIPIENT) for _ in range(3)]
            assert server.open_connections == 1
        assert server.connections == 1
    assert [r.outcome for [r] in results] == ["accepted", "refused", "accepted"]


def test_a_relay_that_does_not_begin_again_is_dialled_anew(app: Flask) -> None:
    with smtp_server(answers={"RCPT": ["550 5.1.1 no"], "RSET": ["500 what"]}) as server:
        with RelayConnection(app, server.relay) as connection:
            results = [deliver([connection], CONTENT, RECIPIENT) for _ in range(2)]
        assert server.connections == 2
    assert [r.outcome for [r] in results] == ["refused", "accepted"]


def test_a_relay_that_was_asked_whether_it_is_there_has_its_time_for_the_mail(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation, "COURTESY_SECONDS", 1.0)
    answers = {"RCPT": ["550 5.1.1 no"], "MAIL": ["250 ok", "SLOW 1.5"]}
    with smtp_server(answers=answers) as server, RelayConnection(app, server.relay) as connection:
        results = [deliver([connection], CONTENT, RECIPIENT) for _ in range(2)]
    assert [r.outcome for [r] in results] == ["refused", "accepted"]


def test_an_answer_has_a_bound_and_all_of_a_connection_together_have_none(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "REPLY_BYTES", 250)
    with smtp_server() as server, RelayConnection(app, server.relay) as connection:
        for _ in range(20):
            assert outcomes(deliver([connection], CONTENT, RECIPIENT)) == [("accepted", 250)]
    assert server.connections == 1


def test_a_connection_lost_between_mails_is_opened_again(app: Flask) -> None:
    with smtp_server() as server, RelayConnection(app, server.relay) as connection:
        assert outcomes(deliver([connection], CONTENT, RECIPIENT)) == [("accepted", 250)]
        server.hang_up()
        assert outcomes(deliver([connection], CONTENT, RECIPIENT)) == [("accepted", 250)]
        assert server.connections == 2


@pytest.mark.parametrize(
    "recipient", ["íñigo@example.com", "a@example.com\r\nRCPT TO:<b@x.com>", "A <a@x.com>"]
)
def test_an_address_that_smtp_cannot_carry_is_refused(app: Flask, recipient: str) -> None:
    with smtp_server() as server, RelayConnection(app, server.relay) as connection:
        [result] = deliver([connection], CONTENT, recipient)
    assert (result.outcome, result.code, server.received) == ("refused", None, [])


@pytest.mark.parametrize(
    "address",
    [
        "a@example.com",
        "A.b+c_d-e@sub.example.com",
        "o'neil@example.com",
        "a@[192.0.2.1]",
        "a..b.@b.c",
    ],
)
def test_an_address_is_said_as_smtplib_says_it(address: str) -> None:
    assert handover._quoted(address) == smtplib.quoteaddr(address)


def test_no_address_becomes_another_command(app: Flask) -> None:
    app.extensions["mail"].default_sender = "a@example.com>\r\nRCPT TO:<b@example.com"
    with smtp_server(offer="PIPELINING") as server:
        assert outcomes(attempt(app, server.relay)) == [("deferred", None)]
    assert server.commands == []


def test_replies_are_stored_without_control_characters(app: Flask) -> None:
    with says(b"554-no\x00\x1b[31m\xf1\r\n554 " + b"x" * 2000 + b"\r\n") as relay:
        [result] = attempt(app, relay)
    first, second = result.reply.splitlines()
    assert first == "no??[31m\ufffd"
    assert set(second) == {"x"}
    assert len(result.reply) == 1000


def test_accepted_mails_are_recorded_by_flask_mail(app: Flask) -> None:
    with (
        smtp_server(answers={"DATA": ["451 later"]}) as server,
        RelayMail().record_messages() as outbox,
    ):
        attempt(app, server.relay)
        assert outbox == []
        attempt(app, server.relay)
    [message] = outbox
    assert isinstance(message, flask_mail.Message)
    assert (message.subject, message.msgId) == ("INC-KX7M9Q", "<1@example.com>")
    assert (message.send_to, message.as_bytes()) == ({RECIPIENT}, CONTENT)


def test_suppressed_mail_is_recorded_and_not_sent() -> None:
    app = Flask(__name__)
    app.config |= {"MAIL_DEFAULT_SENDER": SENDER, "TESTING": True}
    RelayMail().init_app(app)
    with smtp_server() as server, RelayMail().record_messages() as outbox:
        assert outcomes(attempt(app, server.relay)) == [("accepted", None)]
    assert (len(outbox), server.connections) == (1, 0)


def test_relays_are_read_from_the_settings(app: Flask) -> None:
    app.config |= {
        "MAIL_SERVER": "mail.example.com",
        "MAIL_PORT": 587,
        "MAIL_USE_TLS": True,
        "MAIL_USE_SSL": False,
        "MAIL_USERNAME": "reporter",
        "MAIL_PASSWORD": "secret",
        "MAIL_CA_FILE": "/ca.pem",
        "MAIL_TIMEOUT": 20,
        "MAIL_EHLO_NAME": "incidents.example.com",
        "FALLBACK_RELAYS": [{"server": "other.example.com", "port": 465, "use_ssl": True}],
    }
    first, fallback = [connection.relay for connection in connections(app)]
    shared = {"timeout": 20, "ehlo_name": "incidents.example.com"}
    assert first == Relay(
        "mail.example.com", 587, True, False, "reporter", "secret", "/ca.pem", **shared
    )
    assert fallback == Relay("other.example.com", 465, use_ssl=True, **shared)
    assert "secret" not in repr(first)


def test_flask_mails_own_messages_take_the_same_way(app: Flask) -> None:
    with smtp_server() as server, app.app_context():
        app.config.from_mapping(MAIL_SERVER="127.0.0.1", MAIL_PORT=server.port, MAIL_TIMEOUT=20)
        app.config.from_mapping(MAIL_USE_TLS=True, MAIL_USE_SSL=False, FALLBACK_RELAYS=[])
        app.config.from_mapping(MAIL_EHLO_NAME="incidents.example.com")
        app.config.from_mapping(MAIL_USERNAME="", MAIL_PASSWORD="", MAIL_CA_FILE="")
        with pytest.raises(OSError, match="STARTTLS"):
            RelayMail(app).send_message("x", [RECIPIENT], "y")
        app.config["MAIL_USE_TLS"] = False
        RelayMail(app).send_message("x", [RECIPIENT], "y")
    assert len(server.received) == 1


@pytest.mark.parametrize("end", [DROP, "421 4.7.0 too many mails on one connection"])
def test_a_connection_that_ends_between_two_mails_costs_neither(app: Flask, end: str) -> None:
    with smtp_server(answers={"MAIL": ["250 ok", end]}) as server:
        with RelayConnection(app, server.relay) as connection:
            results = [deliver([connection], CONTENT, RECIPIENT) for _ in range(3)]
            assert not connection.health.is_paused
        assert server.connections == 2
    assert [r.outcome for [r] in results] == ["accepted"] * 3
    assert len(server.received) == 3


@EITHER_WAY
@pytest.mark.parametrize(
    ("moment", "what"), [("RCPT", DROP), ("BODY", DROP), ("DATA", DROP), ("MAIL", HANG)]
)
def test_what_ends_within_the_second_mail_defers_it_and_says_it_to_nobody_twice(
    app: Flask, offer: str, moment: str, what: str
) -> None:
    with smtp_server(answers={moment: ["250 ok", what]}, offer=offer) as server:
        relay = replace(server.relay, timeout=1) if what == HANG else server.relay
        with RelayConnection(app, relay) as connection:
            results = [deliver([connection], CONTENT, RECIPIENT) for _ in range(2)]
        assert server.connections == 1
    assert [r.outcome for [r] in results] == ["accepted", "deferred"]
    assert len(server.received) == (2 if moment == "DATA" else 1)


def test_what_is_cut_off_within_the_second_mail_is_not_dialled_anew(app: Flask) -> None:
    """A worker that ends gives it back, and another one may have it."""
    results: list[AttemptResult] = []
    with smtp_server(answers={"MAIL": ["250 ok", HANG]}) as server:
        with RelayConnection(app, server.relay) as connection:
            deliver([connection], CONTENT, RECIPIENT)
            second = threading.Thread(
                target=lambda: results.extend(deliver([connection], CONTENT, RECIPIENT))
            )
            second.start()
            until(lambda: server.commands.count("MAIL") == 2)
            connection.cut()
            second.join()
        assert server.connections == 1
    assert outcomes(tuple(results)) == [("deferred", None)]


def test_what_is_cut_off_while_it_is_dialled_is_sent_to_nobody(app: Flask) -> None:
    results: list[AttemptResult] = []
    with smtp_server(answers={"EHLO": [HELD]}) as server:
        connection = RelayConnection(app, server.relay)
        only = threading.Thread(
            target=lambda: results.extend(deliver([connection], CONTENT, RECIPIENT))
        )
        only.start()
        until(lambda: "EHLO" in server.commands)
        connection.cut()
        server.let_go.set()
        only.join()
    assert outcomes(tuple(results)) == [("deferred", None)]
    assert server.received == []
