"""The doctor: everything that can be wrong on a ticket's way, and what it says of each."""

from __future__ import annotations

import json
import re
import shutil
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
import sqlalchemy as sa
import time_machine
import trustme
from factories import SETTINGS, make_tables, sqlite_url
from flask import Flask
from ports import free_port
from servers import SmtpServer, alarm_server, says, smtp_server
from werkzeug.serving import make_server

from reporter import create_app
from reporter.database import Database
from reporter.database import file as database_file
from reporter.delivery import beats, clock
from reporter.delivery.clock import behind
from reporter.demo.mailbox import LOOPBACK
from reporter.operations.relay_check import CERTIFICATE_DAYS
from reporter.operations.site_check import proxy_findings
from reporter.web import uploads

SUPPORT, SENDER = "support@example.com", "incident-reporter@example.com"


@pytest.fixture
def smtp() -> Iterator[SmtpServer]:
    with smtp_server() as server:
        yield server


@pytest.fixture
def make(tmp_path: Path, smtp: SmtpServer) -> Iterator[Callable[..., Flask]]:
    """An application for which all is well, but for what the test sets."""
    apps = []

    def make(**settings: Any) -> Flask:
        defaults = {
            "DATABASE_URL": sqlite_url(tmp_path),
            "BASE_URL": f"http://{LOOPBACK}:{free_port()}",
            "MAIL_SERVER": LOOPBACK,
            "MAIL_PORT": smtp.port,
            "MAIL_TIMEOUT": 20,
            "MAIL_SUPPRESS_SEND": False,
            "MIN_FREE_BYTES": 0,
            "PRIVACY_URL": "https://example.com/privacy",
        }
        apps.append(create_app({**SETTINGS, **defaults, **settings}))
        return apps[-1]

    yield make
    for app in apps:
        app.extensions["sqlalchemy"].close()


def doctor(app: Flask, *words: str, tables: bool = True) -> str:
    """What it says, with what it exits with at the end."""
    database: Database = app.extensions["sqlalchemy"]
    if tables:
        make_tables(database.engine)
        with database.write() as session:
            now = datetime.now(UTC)
            beats.beat(session, beats.Worker.here(now), now)
    result = app.test_cli_runner().invoke(args=["check", *words])
    return f"{result.output}exit {result.exit_code}"


@contextmanager
def served(app: Flask, front: Callable[[Any], Any] | None = None) -> Iterator[None]:
    """The application at its BASE_URL, behind what stands in front of it."""
    port = int(app.config["BASE_URL"].rpartition(":")[2])
    server = make_server(LOOPBACK, port, front(app) if front else app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def proxy(**headers: str | None) -> Callable[[Any], Any]:
    """A reverse proxy on this machine that sets these headers, or takes them out."""

    def front(app: Any) -> Any:
        def through(environ: dict[str, Any], start: Any) -> Any:
            for name, value in headers.items():
                if value is None:
                    environ.pop(f"HTTP_{name}", None)
                else:
                    environ[f"HTTP_{name}"] = value
            return app(environ, start)

        return through

    return front


def test_where_all_is_well_it_says_so(make: Callable[..., Flask], smtp: SmtpServer) -> None:
    app = make()
    with served(app):
        said = doctor(app)
    assert "MEND" not in said
    assert f"ok    relay {LOOPBACK}:{smtp.port}: takes mail from {SENDER} to {SUPPORT}" in said
    assert (
        f"ok    BASE_URL: {app.config['BASE_URL']} answers, and knows who its clients are" in said
    )
    assert said.endswith("Nothing to mend.\nexit 0")
    assert smtp.received == []


class TestSettings:
    def test_what_is_worth_knowing_is_noted_and_no_trouble(
        self, make: Callable[..., Flask]
    ) -> None:
        said = doctor(make(PRIVACY_URL="", METRICS_TOKEN="short", HOOK_SECRET="short"))
        assert "note  PRIVACY_URL: not set: customers are asked for personal data" in said
        assert "note  METRICS_TOKEN: shorter than 20 characters" in said
        assert "note  HOOK_SECRET: shorter than 20 characters" in said
        assert "note  ALARM_URLS: not set: trouble is told in the log alone" in said
        assert said.endswith("exit 0")

    def test_customers_words_in_clear_are_noted(self, make: Callable[..., Flask]) -> None:
        said = doctor(make(BASE_URL="http://incidents.invalid"))
        assert "note  BASE_URL: customers' words travel in clear: use https://" in said

    @pytest.mark.parametrize("profile", ["zammad", "znuny", "django-helpdesk"])
    def test_what_a_helpdesk_needs_is_named(self, make: Callable[..., Flask], profile: str) -> None:
        said = doctor(make(HELPDESK_PROFILE=profile))
        assert f"note  helpdesk {profile}: " in said
        assert "(docs/helpdesks)" in said

    def test_answers_that_can_never_count_are_to_mend(self, make: Callable[..., Flask]) -> None:
        said = doctor(make(INBOUND_LISTEN="127.0.0.1:8024"))
        assert "MEND  INBOUND_LISTEN: no answer of support's will count" in said
        assert said.endswith("exit 1")

    def test_limits_that_are_counted_where_nothing_answers(
        self, make: Callable[..., Flask]
    ) -> None:
        refuses = b"-WRONGPASS invalid username-password pair or user is disabled.\r\n"
        with says(None) as silent, says(refuses) as closed:
            for where, why in (
                ("127.0.0.1:1", "Connection refused"),
                (silent.name, "Timeout"),
                (closed.name, "invalid username-password pair"),
            ):
                said = doctor(make(RATELIMIT_STORAGE_URI=f"redis://:sesame@{where}"))
                [line] = [each for each in said.splitlines() if "RATELIMIT_STORAGE_URI" in each]
                assert line.startswith("note  RATELIMIT_STORAGE_URI: does not answer (")
                assert line.endswith("): limits are counted in memory, by each process alone")
                assert why in line
                assert "sesame" not in said


class TestDatabase:
    def test_one_that_is_not_there(self, make: Callable[..., Flask], tmp_path: Path) -> None:
        app = make()
        (tmp_path / "reporter.db").unlink()
        said = doctor(app, tables=False)
        assert "MEND  database: " in said
        assert "does not exist. To make it: reporter db upgrade" in said
        assert not (tmp_path / "reporter.db").exists()

    def test_migrations_that_are_left(self, make: Callable[..., Flask]) -> None:
        said = doctor(make(), tables=False)
        assert "has not the tables of this version: reporter db upgrade" in said
        assert said.endswith("exit 1")

    def test_little_room(self, make: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(database_file, "free_bytes", lambda url: 150_000_000)
        said = doctor(make(MIN_FREE_BYTES=200_000_000))
        assert "MEND  disk: 150 MB are free: no file is taken any more" in said

    def test_little_room_where_files_arrive(
        self, make: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A disk of its own, as a tmpfs, is as small as it likes, and never filled."""
        megabyte = 1_000_000
        disk = {"total": 2_000 * megabyte, "free": 190 * megabyte}
        monkeypatch.setattr(shutil, "disk_usage", lambda _folder: SimpleNamespace(**disk))
        assert not uploads.has_room(200 * megabyte)
        disk |= {"total": 400 * megabyte}
        assert uploads.has_room(200 * megabyte)
        app = make(MIN_FREE_BYTES=200 * megabyte)
        assert "temporary files" not in doctor(app)
        disk |= {"free": 99 * megabyte}
        assert not uploads.has_room(200 * megabyte)
        said = doctor(app)
        assert "MEND  temporary files: " in said
        assert "has 99 MB free: large ones are declined" in said

    def test_no_room_for_a_report(
        self, make: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(database_file, "free_bytes", lambda url: 19_000_000)
        assert "its disk has 19 MB left, too few for a report" in doctor(make())

    def test_a_page_that_is_damaged(
        self, make: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Database, "examine", lambda self: "Tree 5 page 9: btreeInitPage()")
        assert "MEND  database: it is damaged, restore a backup: Tree 5 page 9" in doctor(make())

    def test_no_worker(self, make: Callable[..., Flask]) -> None:
        app = make()
        doctor(app)
        with app.extensions["sqlalchemy"].write() as session:
            session.execute(sa.text("DELETE FROM beat"))
        result = app.test_cli_runner().invoke(args=["check"])
        assert "note  worker: none is running: nothing is sent" in result.output


def test_a_clock_that_is_off_from_the_databases(
    make: Callable[..., Flask],
    database: Database,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """SQLite has none of its own."""
    monkeypatch.setattr(clock, "behind", behind)
    app = make(DATABASE_URL=database_url)
    with time_machine.travel(datetime.now(UTC) - timedelta(seconds=90)):
        said = app.test_cli_runner().invoke(args=["check"]).output
    assert "ok    database: " in said
    told = re.search(r"MEND  clock: PostgreSQL's is \+(89|90|91) s off from this one \(NTP\)", said)
    assert bool(told) == (database.engine.dialect.name == "postgresql")


class TestRelay:
    def test_one_that_is_not_there(self, make: Callable[..., Flask]) -> None:
        said = doctor(make(MAIL_PORT=1))
        assert f"MEND  relay {LOOPBACK}:1: no connection: " in said
        assert said.endswith("exit 1")

    def test_one_that_is_no_relay(self, make: Callable[..., Flask]) -> None:
        with says(b"HTTP/1.1 400 Bad Request\r\n") as relay:
            said = doctor(make(MAIL_PORT=relay.port))
        assert f"MEND  relay {relay.name}: " in said

    @pytest.mark.parametrize(
        ("answers", "line"),
        [
            (
                {"MAIL": ["550 5.7.60 not\x1b[2J \x1b]0;x\x07you"]},
                f"MEND  %s: it refused the sender {SENDER}: 550 5.7.60 not?[2J ?]0;x?you\n",
            ),
            ({"RCPT": ["550 5.1.1 nobody"]}, f"MEND  %s: it refused mail to {SUPPORT}: 550 5.1.1"),
            ({"RCPT": ["451 4.7.1 greylisted"]}, f"note  %s: it defers mail to {SUPPORT}: 451"),
            (
                {"RCPT": ["250 ok", "550 5.1.1 nobody"]},
                f"note  %s: bounces would be lost: it refused mail to {SENDER}: 550 5.1.1",
            ),
        ],
    )
    def test_one_that_does_not_take_our_addresses(
        self, make: Callable[..., Flask], answers: dict[str, list[str]], line: str
    ) -> None:
        with smtp_server(answers=answers) as server:
            said = doctor(make(MAIL_PORT=server.port))
        assert line % f"relay {server.relay.name}" in said
        assert said.endswith(f"exit {int(line.startswith('MEND'))}")
        assert server.received == []

    def test_every_relay_is_tried(self, make: Callable[..., Flask]) -> None:
        with smtp_server(answers={"RCPT": ["550 no"]}) as other:
            said = doctor(make(FALLBACK_RELAYS=[{"server": LOOPBACK, "port": other.port}]))
        assert f"MEND  relay {other.relay.name}: it refused mail to {SUPPORT}" in said


class TestRelayOverTLS:
    @pytest.fixture
    def authority(self, tmp_path: Path) -> trustme.CA:
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
        return authority

    def relay(
        self, make: Callable[..., Flask], tmp_path: Path, server: SmtpServer, **settings: Any
    ) -> Flask:
        return make(
            MAIL_PORT=server.port,
            MAIL_USE_SSL=True,
            MAIL_CA_FILE=str(tmp_path / "authority.pem"),
            **settings,
        )

    @contextmanager
    def server(self, certificate: trustme.LeafCert, **options: Any) -> Iterator[SmtpServer]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        with smtp_server(ssl_context=context, **options) as server:
            yield server

    def test_a_good_certificate(
        self, make: Callable[..., Flask], tmp_path: Path, authority: trustme.CA
    ) -> None:
        with self.server(authority.issue_cert(LOOPBACK)) as server:
            said = doctor(self.relay(make, tmp_path, server))
        assert "takes mail" in said
        assert "its certificate" not in said

    def test_one_that_ends_soon(
        self, make: Callable[..., Flask], tmp_path: Path, authority: trustme.CA
    ) -> None:
        ends_at = datetime.now(UTC) + timedelta(days=CERTIFICATE_DAYS - 1)
        certificate = authority.issue_cert(LOOPBACK, not_after=ends_at)
        with self.server(certificate) as server:
            said = doctor(self.relay(make, tmp_path, server))
        assert f"note  relay {server.relay.name}: its certificate ends on {ends_at:%F}" in said

    def test_one_that_has_ended(
        self, make: Callable[..., Flask], tmp_path: Path, authority: trustme.CA
    ) -> None:
        ended_at = datetime.now(UTC) - timedelta(days=1)
        certificate = authority.issue_cert(LOOPBACK, not_after=ended_at)
        with self.server(certificate) as server:
            said = doctor(self.relay(make, tmp_path, server))
        assert "its certificate is not good: certificate has expired" in said

    def test_one_of_another_host_and_one_of_nobody_we_trust(
        self, make: Callable[..., Flask], tmp_path: Path, authority: trustme.CA
    ) -> None:
        for certificate, words in (
            (authority.issue_cert("other.example"), "IP address mismatch"),
            (trustme.CA().issue_cert(LOOPBACK), "unable to get local issuer certificate"),
        ):
            with self.server(certificate) as server:
                said = doctor(self.relay(make, tmp_path, server))
            assert f"MEND  relay {server.relay.name}: its certificate is not good: " in said
            assert words in said

    def test_a_login_that_is_refused(
        self, make: Callable[..., Flask], tmp_path: Path, authority: trustme.CA
    ) -> None:
        login = {"MAIL_USERNAME": "reporter", "MAIL_PASSWORD": "wr0ng-sesame"}
        certificate = authority.issue_cert(LOOPBACK)
        with self.server(certificate, options={"auth_require_tls": False}, password="x") as server:
            said = doctor(self.relay(make, tmp_path, server, **login))
        assert f"MEND  relay {server.relay.name}: it refused the login: 535" in said
        assert "wr0ng" not in said


class TestProxy:
    """The service asked as a customer reaches it, with what a stranger might forge."""

    TOLD: ClassVar = {"X_FORWARDED_FOR": "198.51.100.7", "X_FORWARDED_PROTO": "http"}

    def said(self, app: Flask, **headers: str | None) -> str:
        with served(app, proxy(**headers)):
            return doctor(app)

    def test_one_that_asks_for_another_name(self) -> None:
        """Everybody then seems to ask from this machine for what is this machine's."""
        seen = {
            "client_is_forged": False,
            "client_is_peer": False,
            "forwarded": "",
            "host": "[::1]:80",
        }
        seen |= {"scheme": "https", "staff_is_forged": False}
        config = {"TRUSTED_PROXIES": 0, "BASE_URL": "https://incidents.example.com"}
        (found,) = proxy_findings(seen, config)
        assert "it asks for ::1 and not for the name that was asked for" in str(found)
        assert not [*proxy_findings(seen | {"host": "incidents.example.com"}, config)]

    def test_one_that_says_who_asks(self, make: Callable[..., Flask]) -> None:
        assert "knows who its clients are" in self.said(make(TRUSTED_PROXIES=1), **self.TOLD)

    @pytest.mark.parametrize("told", ["127.0.0.1", "203.0.113.99, 127.0.0.1"])
    def test_one_on_this_very_machine(self, make: Callable[..., Flask], told: str) -> None:
        """Which sets the header, or puts the address behind what the client has sent."""
        said = self.said(make(TRUSTED_PROXIES=1), **{**self.TOLD, "X_FORWARDED_FOR": told})
        assert "knows who its clients are" in said

    @pytest.mark.parametrize(
        ("trusted", "told"), [(1, "198.51.100.7, 127.0.0.1"), (2, "198.51.100.7")]
    )
    def test_one_of_another_number(
        self, make: Callable[..., Flask], trusted: int, told: str
    ) -> None:
        said = self.said(make(TRUSTED_PROXIES=trusted), **{**self.TOLD, "X_FORWARDED_FOR": told})
        words = f"TRUSTED_PROXIES must be the number of proxies, not {trusted}"
        assert f"all customers count as one: {words}" in said

    def test_one_through_which_a_client_forges_its_address(
        self, make: Callable[..., Flask]
    ) -> None:
        said = self.said(make(TRUSTED_PROXIES=1))  # what the client sent comes through
        assert "MEND  reverse proxy: a client can forge its address (X-Forwarded-For)" in said
        assert said.endswith("exit 1")

    def test_one_that_is_not_trusted(self, make: Callable[..., Flask]) -> None:
        said = self.said(make(TRUSTED_PROXIES=0), **self.TOLD)
        assert "MEND  reverse proxy: all customers count as one: TRUSTED_PROXIES must be" in said

    def test_one_that_does_not_say_who_asks(self, make: Callable[..., Flask]) -> None:
        said = self.said(make(TRUSTED_PROXIES=1), X_FORWARDED_FOR=None)
        assert "it sends no X-Forwarded-For: all customers count as one" in said

    def test_one_that_does_not_say_how_it_was_asked(self, make: Callable[..., Flask]) -> None:
        app = make(TRUSTED_PROXIES=1)
        told = {**self.TOLD, "X_FORWARDED_PROTO": "https"}
        said = self.said(app, **told)
        assert "it does not say X-Forwarded-Proto, or TRUSTED_PROXIES is too small" in said

    def test_one_that_lets_a_forged_login_through(self, make: Callable[..., Flask]) -> None:
        app = make(TRUSTED_PROXIES=1, STAFF_HEADER="X-Forwarded-Email")
        said = self.said(app, **self.TOLD)
        assert "MEND  STAFF_HEADER: anybody can sign in: the proxy lets a client's own" in said
        assert "STAFF_HEADER" not in self.said(app, **self.TOLD, X_FORWARDED_EMAIL=None)

    def test_a_forged_login_from_a_proxy_that_a_socket_for_both_protocols_names(
        self, make: Callable[..., Flask]
    ) -> None:
        app = make(TRUSTED_PROXIES=1, STAFF_HEADER="X-Forwarded-Email")

        def front(app: Any) -> Any:
            through = proxy(**self.TOLD)(app)
            return lambda environ, start: through(
                {**environ, "REMOTE_ADDR": "::ffff:127.0.0.1"}, start
            )

        with served(app, front):
            assert "MEND  STAFF_HEADER: anybody can sign in" in doctor(app)

    def test_a_forged_login_that_is_believed_from_elsewhere_only(
        self, make: Callable[..., Flask]
    ) -> None:
        app = make(
            TRUSTED_PROXIES=1, STAFF_HEADER="X-Forwarded-Email", STAFF_HEADER_FROM=["10.0.0.1"]
        )
        assert "STAFF_HEADER" not in self.said(app, **self.TOLD)

    def test_nobody_else_is_told_how_a_request_looks(self, make: Callable[..., Flask]) -> None:
        client = make().test_client()
        for proof in ("", "probe", "x.y.z"):
            answer = client.get("/healthz", headers={"X-Reporter-Check": proof})
            assert answer.json == {"status": "ok"}

    def test_a_site_that_does_not_answer(self, make: Callable[..., Flask]) -> None:
        app = make()
        said = doctor(app)
        assert f"note  BASE_URL: nothing answers at {app.config['BASE_URL']}" in said

    def test_a_site_that_is_another(self, make: Callable[..., Flask]) -> None:
        app = make()
        with served(app, lambda app: create_app({**app.config, "SECRET_KEY": "another" * 8})):
            said = doctor(app)
        assert "is answered by a service with another SECRET_KEY" in said

    @pytest.mark.parametrize(
        ("status", "line"),
        [
            (404, "MEND  BASE_URL: %s/healthz answers 404: is it ours?"),
            (503, "MEND  BASE_URL: %s/healthz answers 503: is the service started?"),
            (200, "MEND  BASE_URL: %s is answered by a service"),
        ],
    )
    def test_a_site_that_is_something_else(
        self, make: Callable[..., Flask], status: int, line: str
    ) -> None:
        app = make()

        class Other(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response_only(status)
                self.end_headers()
                self.wfile.write(json.dumps({"status": "ok"}).encode())

            def log_message(self, *_: Any) -> None:
                pass

        port = int(app.config["BASE_URL"].rpartition(":")[2])
        with ThreadingHTTPServer((LOOPBACK, port), Other) as server:
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
            thread.start()
            said = doctor(app)
            server.shutdown()
            thread.join()
        assert line % app.config["BASE_URL"] in said


class TestSending:
    def test_a_test_ticket_and_a_test_alarm_go_where_real_ones_go(
        self, make: Callable[..., Flask], smtp: SmtpServer
    ) -> None:
        with alarm_server() as alarms:
            said = doctor(make(ALARM_URLS=[alarms.url]), "--send")
        assert "ok    alarm channel 1: took a test alarm: see that it arrived" in said
        assert "took it: see that it became a ticket" in said
        [mail] = smtp.received
        assert mail.recipients == (SUPPORT,)
        assert b"Nothing is wrong" in mail.content
        [alarm] = alarms.taken
        assert "nothing is wrong" in alarm["message"]

    def test_what_is_not_taken_is_to_mend(self, make: Callable[..., Flask]) -> None:
        answers = {"RCPT": ["250 ok", "250 ok", "550 5.1.1 no"]}
        with alarm_server(status=500) as alarms, smtp_server(answers=answers) as server:
            app = make(ALARM_URLS=[alarms.url], MAIL_PORT=server.port)
            said = doctor(app, "--send")
        assert "MEND  alarm channel 1: did not take a test alarm" in said
        assert "MEND  test ticket: no relay took it: " in said
        assert said.endswith("exit 1")

    def test_nothing_is_sent_without_being_asked(
        self, make: Callable[..., Flask], smtp: SmtpServer
    ) -> None:
        with alarm_server() as alarms:
            said = doctor(make(ALARM_URLS=[alarms.url]))
        assert "ok    ALARM_URLS: 1 of a known form; --send tries them" in said
        assert (alarms.taken, smtp.received) == ([], [])
