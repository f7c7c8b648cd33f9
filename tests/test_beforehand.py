"""Mails are composed, and pages rendered, while nobody waits: no lock is held meanwhile."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from graphlib import TopologicalSorter
from itertools import combinations
from typing import Any

import pytest
import sqlalchemy as sa
from customers import Customer
from factories import ANSWERS, SENT_AT, parsed
from flask import Flask, Response, before_render_template, request, request_finished
from provider import Provider, a_picture, a_provider_made_by, link
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from reporter import models
from reporter.database import Database, RehearsalOver
from reporter.delivery import beforehand
from reporter.delivery.beforehand import KeepsChanging, composed
from reporter.delivery.mail import Mail
from reporter.desk import overdue, promises
from reporter.inbound.lmtp import TAKEN, Ear

BOUNCE = """\
From: mailer-daemon@example.com
To: support@example.com
Message-ID: <bounce@example.com>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=x

--x
Content-Type: message/delivery-status

Final-Recipient: rfc822; inigo@example.com
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 no such user

--x
Content-Type: message/rfc822

Message-ID: {mime_id}
To: inigo@example.com

--x--
"""


class Watch:
    """Which of the threads has a transaction open that writes, and what it makes meanwhile."""

    def __init__(self, app: Flask, patch: pytest.MonkeyPatch) -> None:
        self.open = threading.local()
        self.made: Counter[str] = Counter()
        self.under_the_lock: list[str] = []
        engine = app.extensions["sqlalchemy"].engine
        sa.event.listen(engine, "begin", self._begin)
        sa.event.listen(engine, "commit", self._end)
        sa.event.listen(engine, "rollback", self._end)
        before_render_template.connect(self._render, app)
        make = EmailMessage.__init__

        def made(mail: EmailMessage, *args: Any, **kwargs: Any) -> None:
            self.note("a mail")
            make(mail, *args, **kwargs)

        patch.setattr(EmailMessage, "__init__", made)

    def _begin(self, connection: Connection) -> None:
        if not connection.get_execution_options().get("read_only"):
            self.open.count = getattr(self.open, "count", 0) + 1

    def _end(self, connection: Connection) -> None:
        if not connection.get_execution_options().get("read_only"):
            self.open.count -= 1

    def _render(self, _app: Flask, template: Any, **_: Any) -> None:
        self.note(str(template.name))

    def note(self, what: str) -> None:
        self.made[what] += 1
        if getattr(self.open, "count", 0):
            self.under_the_lock.append(what)


@pytest.fixture
def provider(make_app: Callable[..., Flask]) -> Iterator[Provider]:
    with a_provider_made_by(make_app, HOOK_SECRET="hook" * 10) as provider:
        yield provider


def post(somebody: Customer, path: str, **fields: Any) -> str:
    """Send a form, with what our pages put into each; where that leads to."""
    token = somebody.peek("/report/token").response.json
    answer = somebody.ask("POST", path, {**token, **fields})
    assert answer.status < 400, (path, answer.text)
    return answer.location


def rows(provider: Provider, table: type[Any], **columns: Any) -> list[Any]:
    with provider.database.read() as session:
        return list(session.scalars(sa.select(table).filter_by(**columns).order_by(table.id)))


def bounce(provider: Provider, kind: str, report_id: int) -> None:
    """The mail of that kind comes back."""
    first = rows(provider, models.Message, kind=kind, report_id=report_id)[0]
    assert Ear(provider.app).hear(BOUNCE.format(mime_id=first.mime_id).encode(), []) == TAKEN


def send_everything(provider: Provider) -> None:
    """Whatever can be sent to us, and what workers and commands do of themselves."""
    app = provider.app
    customer = Customer(app)
    customer.report()
    key = "-".join("12345")
    post(customer, "/report/whole", **ANSWERS, draft_key=key)
    post(customer, "/report/forget")

    token = provider.report("receipt", wants_root_cause="yes")
    provider.work()
    receipt, found = f"/r/{token}", provider.receipt(token)
    visitor = provider.customer(token)
    post(visitor, f"{receipt}/updates", kind="worse", text="Va peor")
    post(visitor, f"{receipt}/updates", kind="info", text="Y el panel")
    visitor.open(f"{receipt}/details/evidence")
    visitor.submit(files=[("uno.png", a_picture())], tests_done="ping")
    visitor.open(f"{receipt}/details/review")
    visitor.submit()
    bounce(provider, "acknowledgement", found.report_id)
    post(visitor, f"{receipt}/news", wanted="yes")

    support, desk = provider.support(), f"/desk/{found.report.reference}"
    post(support, desk, action="acknowledge")
    post(support, desk, action="message", text="Lo miramos", next_news_at="03:28")
    provider.later(minutes=2)
    with app.app_context():
        promises.remind()
    post(support, desk, action="solve", text="Era un disco")
    post(support, desk, action="reopen", text="No lo era", next_news_at="05:00")
    provider.work()

    others = {name: provider.report(name) for name in ("other", "third", "fourth")}
    for each in others.values():
        post(provider.customer(each), f"/r/{each}/news", wanted="yes")
    references = {n: provider.receipt(each).report.reference for n, each in others.items()}
    new = "/desk/notices/new?service=web-hosting&since=2026-11-23T01:00Z"
    known = post(support, new, started_at="03:00", text="Cae", report=references["other"])
    notice = known.rpartition("/")[2]
    post(support, known, action="link", report=references["third"])
    post(support, desk, action="link_notice", notice=notice)
    provider.later(seconds=1)
    post(support, desk, action="contact", email="otro@example.com", phone="+34600000001")
    provider.later(seconds=1)
    post(visitor, f"/r/{others['fourth']}/notice", notice=notice, news="yes")
    post(Customer(app), f"/notices/{notice}", name="Ana", contact="ana@example.com")
    assert provider.followers_confirm()
    post(support, known, action="update", text="Casi", next_news_at="03:40")
    provider.command("notice", "update", notice, "--text", "Ya casi")
    provider.at(datetime(2026, 11, 23, 2, 36, tzinfo=UTC))
    with app.app_context():
        promises.remind()
        overdue.watch_promises()
        overdue.watch_unseen()
    stop = rows(provider, models.Message, kind="notice")[0]
    post(Customer(app), link(parsed(stop.content), "/notices/f/") + "/stop",
         **{"List-Unsubscribe": "One-Click"})  # fmt: skip
    post(support, known, action="close", text="Era un disco")
    with app.app_context():
        promises.tell_causes()

    post(visitor, f"{receipt}/replace")
    call = {"event": "solved", "reference": references["third"]}
    hook = {"Authorization": f"Bearer {'hook' * 10}"}
    assert app.test_client().post("/hooks/helpdesk", json=call, headers=hook).status_code == 202
    post(support, "/desk/call")
    post(support, "/desk/call/end")
    said = provider.command("staff", "link", "Ana")
    welcome = re.search(r"/desk/welcome/\S+", said)
    assert welcome
    password = "correcto-caballo-pila-grapa"
    newcomer = Customer(app)
    post(newcomer, welcome[0], password=password, again=password)
    post(newcomer, "/desk/sign-out")
    post(newcomer, "/desk/sign-in", email="ana@example.com", password=password)
    provider.later(hours=1)
    provider.work()


def test_nothing_is_composed_or_rendered_while_others_cannot_write(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = Watch(provider.app, monkeypatch)
    taken: set[str] = set()

    def note(_app: Flask, response: Response, **_: Any) -> None:
        if request.method == "POST" and response.status_code < 400:
            taken.add(request.endpoint or "")

    with request_finished.connected_to(note, provider.app):
        send_everything(provider)
    assert watch.under_the_lock == []
    assert watch.made["a mail"] > 30
    missing = {
        rule.endpoint
        for rule in provider.app.url_map.iter_rules()
        if "POST" in (rule.methods or ())
    } - taken
    assert missing == set()


class Locks:
    """What each transaction locks of what others lock too, in its order, as (kind, which)."""

    def __init__(self, engine: sa.Engine) -> None:
        self.held: dict[Connection, list[tuple[str, str]]] = {}
        self.transactions: list[list[tuple[str, str]]] = []
        sa.event.listen(engine, "begin", self._begin)
        sa.event.listen(engine, "before_cursor_execute", self._execute)

    def _begin(self, connection: Connection) -> None:
        self.held[connection] = []
        self.transactions.append(self.held[connection])

    def _execute(
        self, connection: Connection, _cursor: Any, statement: str, values: Any, *_: Any
    ) -> None:
        for each in values if isinstance(values, list) else [values]:
            if "pg_advisory_xact_lock" in statement:
                (name,) = each.values()
                self._note(connection, *name.split(" ", 1))
            elif statement.startswith("UPDATE report SET") and "report_id" in each:
                self._note(connection, "report", str(each["report_id"]))

    def _note(self, connection: Connection, kind: str, which: str) -> None:
        if (kind, which) not in self.held[connection]:
            self.held[connection].append((kind, which))


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_no_two_changes_wait_for_each_other(provider: Provider) -> None:
    """Whoever locks several things does it in one order, reports by their id."""
    locks = Locks(provider.database.engine)
    send_everything(provider)
    pairs = [pair for held in locks.transactions for pair in combinations(held, 2)]
    behind = {(one, other) for (one, _), (other, _) in pairs if one != other}
    assert ("report", "notice") in behind
    TopologicalSorter(
        {one: {x for each, x in behind if each == one} for one, _ in behind}
    ).prepare()
    for held in locks.transactions:
        reports = [int(which) for kind, which in held if kind == "report"]
        assert reports == sorted(reports)


def a_mail(*words: str) -> Mail:
    return Mail("support@example.com", "<1@example.com>", " ".join(words).encode())


def services(session: Session) -> list[str]:
    return list(session.scalars(sa.select(models.Surge.service).order_by(models.Surge.id)))


def surge(service: str) -> models.Surge:
    return models.Surge(service=service, since=SENT_AT, last_at=SENT_AT, normal=0.0)


def test_what_was_composed_of_what_has_changed_is_composed_anew(database: Database) -> None:
    """Somebody else is faster, once."""
    made: list[tuple[str, ...]] = []

    def compose(*words: str) -> Mail:
        made.append(words)
        if len(made) == 1:
            with database.write() as session:
                session.add(surge("theirs"))
        return a_mail(*words)

    def change(session: Session) -> bytes:
        mail = composed(session, compose, *services(session), "ours")
        session.add(surge("ours"))
        return mail.content

    assert beforehand.write(database, change) == b"theirs ours"
    assert made == [("ours",), ("theirs", "ours")]
    with database.read() as session:
        assert services(session) == ["theirs", "ours"]


def test_whoever_is_overtaken_again_and_again_is_told_so(database: Database) -> None:
    def compose(count: int) -> Mail:
        with database.write() as session:
            session.add(surge("theirs"))
        return a_mail(str(count))

    with pytest.raises(KeepsChanging):
        beforehand.write(
            database, lambda session: composed(session, compose, len(services(session)))
        )


def test_a_rehearsal_keeps_nothing(database: Database) -> None:
    with database.rehearse() as session:
        session.add(surge("ours"))
        assert services(session) == []
        with pytest.raises(RehearsalOver):
            session.execute(sa.delete(models.Surge))
    with database.read() as session:
        assert services(session) == []


def test_a_rehearsal_writes_by_no_way(provider: Provider) -> None:
    draft = models.Draft.__table__
    for statement in (sa.delete(draft), sa.update(models.Draft).values(flags=[])):
        with provider.database.rehearse() as session, pytest.raises(RehearsalOver):
            session.connection().execute(statement)
