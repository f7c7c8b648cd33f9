"""What an operator asks of the service from a shell: status, retention, people, reports, copies."""

from __future__ import annotations

import csv
import io
import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from customers import Customer
from factories import SENT_AT, SETTINGS, sqlite_url, values
from flask import Flask
from flask.testing import FlaskCliRunner
from provider import Provider, a_picture
from sqlalchemy.orm import Session

from reporter import create_app, models
from reporter.database import Database
from reporter.delivery import beats, outbox
from reporter.delivery.alarms import Alarms
from reporter.delivery.mail import Mail
from reporter.delivery.repeating import duties_of
from reporter.models import MailState, Quota
from reporter.operations import copying, figures, people, purge, terminal, traces
from reporter.operations.traces import Traces
from reporter.report import Report
from reporter.serving.migrate import upgrade

ADDRESS = "inigo@cliente.example"


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    app = make_app(RATELIMIT_ENABLED=False)
    upgrade(app)
    return app


@pytest.fixture
def cli(app: Flask) -> FlaskCliRunner:
    return app.test_cli_runner()


@pytest.fixture
def database(app: Flask) -> Database:
    found: Database = app.extensions["sqlalchemy"]
    return found


def run(cli: FlaskCliRunner, *words: str, code: int = 0) -> str:
    result = cli.invoke(args=words)
    assert result.exit_code == code, result.output
    return result.output


def a_report(app: Flask, email: str = ADDRESS, **changes: str) -> str:
    """Send one; its reference."""
    Customer(app).report(email=email, **changes)
    with app.extensions["sqlalchemy"].read() as session:
        reference: str = session.scalar(
            sa.select(models.Report.reference).order_by(models.Report.id.desc()).limit(1)
        )
    return reference


def mark_sent(database: Database, at: datetime | None = None) -> None:
    with database.write() as session:
        values = {"state": MailState.SENT, "sent_at": at or datetime.now(UTC), "blocked": False}
        session.execute(sa.update(models.Message).values(**values))


def count(database: Database, model: type[models.Base]) -> int:
    with database.read() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(model)) or 0


def everything(database: Database) -> dict[str, list[Any]]:
    """Each row of each table."""
    with database.read() as session:
        tables = models.Base.metadata.sorted_tables
        return {each.name: sorted(map(repr, session.execute(sa.select(each)))) for each in tables}


def a_worker(database: Database, now: datetime) -> None:
    with database.write() as session:
        beats.beat(session, beats.Worker.here(now), now)


def test_status_is_trouble_without_a_worker_and_well_with_one(
    cli: FlaskCliRunner, database: Database
) -> None:
    assert "no worker is running" in run(cli, "status", code=1)
    a_worker(database, datetime.now(UTC))
    assert "All is well." in run(cli, "status")


def test_status_is_json_for_a_monitor(app: Flask, cli: FlaskCliRunner, database: Database) -> None:
    a_worker(database, datetime.now(UTC))
    a_report(app)
    found = json.loads(run(cli, "status", "--json"))
    assert found["status"] == "ok"
    assert found["unsent"]["ticket"] == {"queued": 1, "failed": 0}
    assert (found["reports"], found["unseen"]) == (1, 1)
    assert len(found["workers"]) == 1
    with database.write() as session:
        session.execute(sa.update(models.Message).values(state=MailState.FAILED))
    found = json.loads(run(cli, "status", "--json", code=1))
    assert found["status"] == "trouble"
    assert "were refused" in found["troubles"][0]


def test_a_customers_address_that_does_not_exist_is_no_trouble_of_the_services(
    app: Flask, cli: FlaskCliRunner, database: Database
) -> None:
    a_worker(database, datetime.now(UTC))
    a_report(app)
    mark_sent(database)
    with database.write() as session:
        acknowledgement = models.Message.kind == "acknowledgement"
        failed = sa.update(models.Message).where(acknowledgement).values(state=MailState.FAILED)
        assert session.execute(failed).rowcount == 1
    said = run(cli, "status")
    assert "All is well." in said
    assert "0 wait, 1 failed" in said


@pytest.mark.parametrize("seconds", [-90, 90])
def test_status_tells_of_a_worker_whose_clock_is_off(
    cli: FlaskCliRunner, database: Database, seconds: int
) -> None:
    now = datetime.now(UTC)
    a_worker(database, now)
    with database.write() as session:
        theirs = now + timedelta(seconds=seconds)
        session.execute(sa.update(models.Beat).values(clock_at=theirs, beat_at=now))
    assert f"is {seconds:+} s off" in run(cli, "status", code=1)


def test_what_takes_long_shows_how_far_it_is_on_a_terminal_alone(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert list(terminal.progress(range(3), "Copying", 3)) == [0, 1, 2]
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert list(terminal.progress(range(3), "Copying", 3, lambda item: item)) == [0, 1, 2]
    shown = capsys.readouterr()
    assert "Copying" in shown.err
    assert "100%" in shown.err
    assert shown.out == ""


def test_who_purges_or_copies_on_a_terminal_sees_how_far_it_is(
    app: Flask,
    cli: FlaskCliRunner,
    database: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("click.testing._NamedTextIOWrapper.isatty", lambda self: True)
    for _ in range(2):
        a_report(app)
    copied = run(cli, "db", "copy", "--to", f"sqlite:///{tmp_path / 'copy.db'}")
    assert "Copying" in copied
    assert "100%" in copied
    mark_sent(database)
    with database.write() as session:
        long_ago = datetime(2020, 1, 1, tzinfo=UTC)
        session.execute(sa.update(models.Report).values(saved_at=long_ago))
    purged = run(cli, "purge")
    assert "Purging" in purged
    assert "100%" in purged  # though both reports went in one step


def test_the_alerts_of_the_guide_are_of_figures_that_there_are(app: Flask) -> None:
    guide = Path(__file__).parents[1] / "docs/operations.md"
    alerts = re.findall(r"^ +expr: (.+)$", guide.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(alerts) == 3
    text = app.test_client().get("/metrics", base_url="http://127.0.0.1:8000").text
    lines = text.splitlines()
    if app.config["DATABASE_URL"].startswith("postgresql"):  # whose disk is none of ours
        lines.append("reporter_disk_free_bytes 1.0")
    for name, labels in re.findall(r"(reporter_\w+)(?:{(.+?)})?", " ".join(alerts)):
        shown = f"{name}{{{labels}" if labels else f"{name} "
        assert any(line.startswith(shown) for line in lines), shown


def test_status_tells_of_what_support_waits_for_too_long(
    app: Flask, cli: FlaskCliRunner, database: Database
) -> None:
    a_worker(database, datetime.now(UTC))
    a_report(app)
    with database.write() as session:
        earlier = datetime.now(UTC) - timedelta(seconds=301)
        session.execute(sa.update(models.Message).values(created_at=earlier))
    assert "what support waits for is 5 min old" in run(cli, "status", code=1)


def test_status_tells_at_once_of_what_somebody_has_to_mend(provider: Provider) -> None:
    """As the alarm channels are told: there is no such address as SUPPORT_EMAIL."""
    provider.report()
    provider.smtp.scripts["RCPT"] = iter(["550 5.1.1 no such user"])
    provider.work()
    to_mend = "1 to support cannot be sent as it is set: reporter outbox list"
    assert to_mend in provider.command("status", fails=True)
    Alarms([], after_seconds=300).check(provider.database, provider.now)
    assert to_mend in provider.command("status", fails=True)
    provider.command("outbox", "retry", "--all")
    provider.work()
    assert to_mend not in provider.command("status", fails=True)  # no worker is running


def test_figures_are_of_what_there_is(app: Flask, database: Database) -> None:
    a_report(app)
    a_report(app, impact="critical")
    mark_sent(database)
    client = app.test_client()
    text = client.get("/metrics", base_url="http://127.0.0.1:8000").text
    assert 'reporter_mails{kind="ticket",state="queued"} 0.0' in text
    assert 'reporter_reports_last_day{service="web-hosting",severity="critical"}' in text
    assert "reporter_unseen_reports 2.0" in text
    assert "reporter_workers 0.0" in text
    assert "reporter_database_up 1.0" in text
    assert 'reporter_sent_latency_seconds{quantile="0.95"}' in text


def test_figures_count_what_waits_what_failed_who_delivers_and_what_is_half_typed(
    provider: Provider,
) -> None:
    for number in range(2):
        provider.report(f"draft-{number}")
    provider.smtp.scripts["DATA"] = iter(["554 5.6.0 no"] * 3)  # its last form too
    provider.work()
    provider.report("late")
    provider.later(seconds=90)
    a_worker(provider.database, provider.now - timedelta(seconds=4))
    Customer(provider.app).fill("failure")
    text = provider.app.test_client().get("/metrics", base_url="http://127.0.0.1:8000").text
    found = dict(line.rsplit(" ", 1) for line in text.splitlines() if line[0] != "#")
    assert found['reporter_mails{kind="ticket",state="queued"}'] == "1.0"
    assert found['reporter_mails{kind="ticket",state="failed"}'] == "1.0"
    assert found["reporter_oldest_unsent_seconds"] == "90.0"
    assert (found["reporter_workers"], found["reporter_last_beat_seconds"]) == ("1.0", "4.0")
    assert found["reporter_drafts"] == "1.0"
    assert float(found["reporter_disk_free_bytes"]) > 0


def test_figures_are_for_this_machine_or_for_whoever_has_the_token(
    app: Flask, make_app: Callable[..., Flask]
) -> None:
    def status(app: Flask, base: str = "http://127.0.0.1:8000", **headers: str) -> int:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return app.test_client().get("/metrics", base_url=base, headers=sent).status_code

    assert status(app) == 200
    for name in ("X-Forwarded-For", "Forwarded", "Via", "X-Real-Ip", "x-client-ip", "CF-Ray"):
        assert status(app, **{name: "127.0.0.1"}) == 404
    for name in ("X-Original-Host", "X-Varnish", "WL-Proxy-Client-IP", "Surrogate-Capability"):
        assert status(app, **{name: "127.0.0.1"}) == 404
    assert status(app, User_Agent="Prometheus", X_Prometheus_Scrape_Timeout_Seconds="10") == 200
    for spelt in ("HTTP/1.0", "HTTP/1"):  # the second is granian's
        by_nginx = {"SERVER_PROTOCOL": spelt}
        assert app.test_client().get("/metrics", environ_overrides=by_nginx).status_code == 404
    assert status(app, base="http://evil.example") == 404
    closed = make_app(METRICS_TOKEN="a-token-of-the-monitor")
    assert status(closed) == 401
    assert status(closed, Authorization="Bearer another") == 401
    assert status(closed, Authorization="Bearer a-token-of-the-monitor") == 200


def test_reports_are_listed_shown_and_exported(app: Flask, cli: FlaskCliRunner) -> None:
    hostile = "La web \x1b[31mno carga"
    steering = "uno\x1b]0;título\x07 \x9b31mdos \x1b[2Jtres \u202e\u2066\x85fin"
    reference = a_report(app, summary=hostile, company="=1+1", error_message=steering)
    listed = run(cli, "report", "list")
    assert reference in listed
    shown = run(cli, "report", "show", reference.lower().removeprefix("inc-"))
    assert "La web no carga" in shown
    assert "ticket: queued" in shown
    told = [listed, shown, run(cli, "report", "export"), run(cli, "person", "export", ADDRESS)]
    told.append(run(cli, "report", "export", "--format", "json"))
    for each in told:
        assert not set(each) & {*map(chr, range(0x7F, 0xA0)), *"\x1b\x07\u202e\u2066"}, each
    assert json.loads(told[-1])[0]["answers"]["error_message"] == steering
    [row] = csv.DictReader(io.StringIO(run(cli, "report", "export")))
    assert (row["reference"], row["email"]) == (reference, ADDRESS)
    assert row["company"] == "'=1+1"
    [found] = json.loads(run(cli, "report", "export", "--format", "json"))
    assert found["answers"]["company"] == "=1+1"
    for since, until, count in (("2020-01-01", "9999-01-01", 1), ("9998-01-01", "9999-01-01", 0)):
        days = (f"--since={since}", f"--until={until}")
        assert len(json.loads(run(cli, "report", "export", "--format=json", *days))) == count
    assert json.loads(run(cli, "report", "export", "--format=json", "--until=2020-01-01")) == []
    assert "no report has the reference" in run(cli, "report", "show", "INC-NONE", code=1)


def test_what_is_older_than_the_settings_say_goes_and_nothing_else(
    app: Flask, database: Database
) -> None:
    a_report(app)
    mark_sent(database)
    Customer(app).fill("failure")
    now = datetime.now(UTC)
    kept = count(database, models.Draft)
    assert kept
    for days, drafts, reports in ((6, kept, 1), (8, 0, 1), (179, 0, 1), (181, 0, 0)):
        list(purge.purge(database, app.config, now + timedelta(days=days)))
        left = count(database, models.Draft), count(database, models.Report)
        assert left == (drafts, reports), days
    assert count(database, models.Message) == 0


def test_a_report_whose_ticket_is_unsent_is_never_purged(app: Flask, database: Database) -> None:
    a_report(app)
    later = datetime.now(UTC) + timedelta(days=10_000)
    for state in (MailState.QUEUED, MailState.FAILED):
        with database.write() as session:
            session.execute(sa.update(models.Message).values(state=state))
        list(purge.purge(database, app.config, later))
        assert count(database, models.Report) == 1


def test_what_hangs_on_no_report_has_an_end_too(app: Flask, database: Database) -> None:
    now = datetime.now(UTC)
    follower = {"kind": "confirmation", "reference": "N-7M9QK", "due_at": now}
    with database.write() as session:
        session.add(models.HeardOnce(key="answer <1@example.com>", heard_at=now))
        mail = Mail("ana@example.com", "<1@example.com>", b"Subject: x\r\n\r\n")
        followed = outbox.enqueue(session, mail, **follower)
        session.get_one(models.Message, followed).state = MailState.FAILED
    for days, left in ((179, 1), (181, 0)):
        list(purge.purge(database, app.config, now + timedelta(days=days)))
        assert count(database, models.HeardOnce) == count(database, models.Message) == left


def test_of_a_mail_that_was_sent_the_headers_stay(app: Flask, database: Database) -> None:
    a_report(app)
    mark_sent(database)
    now = datetime.now(UTC)
    list(purge.purge(database, app.config, now + timedelta(days=29)))
    with database.read() as session:
        assert all(row.cut_at is None for row in session.scalars(sa.select(models.Message)))
    list(purge.purge(database, app.config, now + timedelta(days=31)))
    with database.read() as session:
        for row in session.scalars(sa.select(models.Message)):
            assert row.content.endswith(b"\r\n\r\n") or row.content.endswith(b"\n\n")
            assert b"Message-ID: " in row.content
            assert b"reference: " not in row.content
    assert list(purge.purge(database, app.config, now + timedelta(days=31))) == []


def test_what_is_large_goes_a_little_at_a_time(
    app: Flask, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that whoever writes meanwhile waits for a few megabytes, whatever is old."""
    for _ in range(3):
        a_report(app)
    mark_sent(database)
    now = datetime.now(UTC)
    with database.read() as session:
        size = sa.func.length(models.Message.content)
        sizes = session.scalars(sa.select(size)).all()
        of_a_report = max(
            session.scalars(sa.select(sa.func.sum(size)).group_by(models.Message.report_id))
        )
    monkeypatch.setattr(purge, "BATCH_BYTES", max(sizes))
    steps = list(purge.purge(database, app.config, now + timedelta(days=31)))
    cut = [number for name, number in steps if name == "contents of sent mails"]
    assert (sum(cut), max(cut) < len(sizes), len(cut) > 1) == (len(sizes), True, True)
    monkeypatch.setattr(purge, "BATCH_BYTES", of_a_report // 100)
    steps = list(purge.purge(database, app.config, now + timedelta(days=181)))
    assert [number for name, number in steps if name == "reports"] == [1, 1, 1]


def test_a_dry_run_takes_nothing(app: Flask, cli: FlaskCliRunner, database: Database) -> None:
    a_report(app)
    mark_sent(database)
    with database.write() as session:
        long_ago = datetime(2020, 1, 1, tzinfo=UTC)
        session.execute(sa.update(models.Report).values(saved_at=long_ago))
    before = everything(database)
    assert "  1 reports\n" in run(cli, "purge", "--dry-run")
    assert everything(database) == before
    assert "  1 reports\n" in run(cli, "purge")
    assert count(database, models.Report) == 0
    assert "nothing is old enough" in run(cli, "purge")


def test_the_worker_purges_once_a_day(
    app: Flask, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[datetime] = []

    def noted(database: Database, config: object, now: datetime) -> Iterator[tuple[str, int]]:
        done.append(now)
        return iter(())

    monkeypatch.setattr(purge, "purge", noted)
    now = datetime.now(UTC)
    for hours in (0, 1, 23, 24, 25, 48):
        for _worker in range(2):
            purge.daily(app, now + timedelta(hours=hours))
    assert done == [now, now + timedelta(hours=24), now + timedelta(hours=48)]
    purge.daily(app, now)  # by a clock that was set right since
    assert done[3:] == [now]


def test_a_worker_has_that_among_its_duties(app: Flask, database: Database) -> None:
    a_report(app)
    mark_sent(database)
    long_ago = datetime.now(UTC) - timedelta(days=400)
    with database.write() as session:
        session.execute(sa.update(models.Report).values(saved_at=long_ago))
        session.execute(sa.update(models.Tally).values(minute=long_ago))
        tally = {"quota": Quota.REPORTS, "client": "0123456789abcdef", "count": 1}
        for hours in (25, 23):
            at = datetime.now(UTC) - timedelta(hours=hours)
            session.add(models.Tally(minute=at.replace(second=0, microsecond=0), **tally))
    [duty] = [each for each in duties_of(app).repeated if each.name == "purge"]
    with app.app_context():
        duty.act()
    assert count(database, models.Report) == 0
    assert count(database, models.Tally) == 1


def test_a_person_is_exported_whole_and_erased_everywhere(
    app: Flask, cli: FlaskCliRunner, database: Database
) -> None:
    reference = a_report(app)
    other = a_report(app, email="otra@cliente.example")
    draft = Customer(app)
    draft.fill_all(email=ADDRESS)  # one of theirs
    draft.open("/report/failure")
    draft.submit(files=[("captura.png", a_picture())], **values("failure"))
    details = Customer(app)
    details.open(f"{details.report(email=ADDRESS.upper()).path}/details/evidence")
    details.submit(hypothesis="El proxy de la oficina")  # typed, and not sent
    mark_sent(database)
    with database.write() as session:
        ticket = session.scalars(sa.select(models.Message).order_by(models.Message.id)).first()
        assert ticket
        tried = {"relay": "a:25", "outcome": "refused", "code": 550, "attempted_at": SENT_AT}
        ticket.attempts.append(models.Attempt(reply=f"550 {ADDRESS}", **tried))
    found = json.loads(run(cli, "person", "export", ADDRESS.upper()))
    assert [each["reference"] for each in found["reports"]][:1] == [reference]
    assert (len(found["reports"]), len(found["drafts"])) == (2, 2)
    assert found["mails"]
    assert [file["name"] for each in found["drafts"] for file in each["files"]] == ["captura.png"]
    tried = [mail["attempts"] for each in found["reports"] for mail in each["mails"]]
    assert [each["reply"] for attempts in tried for each in attempts] == [f"550 {ADDRESS}"]
    assert "token" not in json.dumps([list(each) for each in found["reports"]])
    run(cli, "person", "erase", ADDRESS)
    with database.read() as session:
        assert people.export(session, ADDRESS) == {
            "address": ADDRESS, "reports": [], "drafts": [], "followed": [], "mails": [],
        }  # fmt: skip
        [row] = session.scalars(sa.select(models.Report))
        assert row.reference == other
        assert session.scalars(sa.select(models.Draft.id)).all() == []
        assert session.scalars(sa.select(models.Attachment.id)).all() == []
        for (content,) in session.execute(sa.select(models.Message.content)):
            assert ADDRESS.encode() not in content


def test_nobody_who_writes_waits_while_a_person_is_looked_for(
    app: Flask,
    cli: FlaskCliRunner,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    a_report(app)
    mark_sent(database)
    with database.write() as session:  # of what came a moment ago there is little
        hour_ago = datetime.now(UTC) - timedelta(hours=1)
        session.execute(sa.update(models.Report).values(saved_at=hour_ago))
    from_json, looked = traces.Report.from_json, []

    def read(content: dict[str, Any]) -> Report:
        url = database.engine.url
        if url.get_backend_name() == "sqlite":
            with closing(sqlite3.connect(url.database or "", timeout=0)) as other:
                other.execute("BEGIN IMMEDIATE")
                other.execute("ROLLBACK")
        else:
            with sa.create_engine(url, poolclass=sa.NullPool).connect() as somebody:
                somebody.execute(sa.text("SET lock_timeout = '10ms'"))
                somebody.execute(sa.select(models.Report.id).with_for_update())
        looked.append(content)
        return from_json(content)

    monkeypatch.setattr(traces.Report, "from_json", read)
    run(cli, "person", "erase", ADDRESS)
    assert looked
    assert count(database, models.Report) == 0


def test_a_report_that_comes_while_a_person_is_erased_goes_too(
    app: Flask, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_report(app)
    look = traces.look

    def looked(session: Session, address: str, since: Traces | None = None) -> Traces:
        kept = look(session, address, since)
        if since is None:
            a_report(app)
            mark_sent(database)
        return kept

    monkeypatch.setattr(traces, "look", looked)
    assert people.erase(database, ADDRESS)["reports"] == 2
    assert count(database, models.Report) == 0


def test_who_is_erased_while_the_ticket_waits_goes_once_it_was_sent(
    app: Flask, cli: FlaskCliRunner, database: Database
) -> None:
    a_report(app)
    mails = count(database, models.Message)
    assert "1 reports that go once their ticket is sent" in run(cli, "person", "erase", ADDRESS)
    list(purge.purge(database, app.config, datetime.now(UTC)))
    assert (count(database, models.Report), count(database, models.Message)) == (1, mails)
    assert mails > 1
    mark_sent(database)
    list(purge.purge(database, app.config, datetime.now(UTC)))
    assert count(database, models.Report) == 0


def test_no_command_makes_a_database_by_standing_in_the_wrong_folder(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'elsewhere' / 'reporter.db'}"
    app = create_app({**SETTINGS, "DATABASE_URL": url})
    cli = app.test_cli_runner()
    for words in (("outbox", "list"), ("report", "list"), ("status",), ("purge",), ("worker",)):
        result = cli.invoke(args=words)
        assert result.exit_code == 1, words
    assert list(tmp_path.iterdir()) == []


def test_everything_is_copied_to_another_database_and_proved(
    tmp_path: Path, make_app: Callable[..., Flask], database_url: str
) -> None:
    source_url = sqlite_url(tmp_path / "source")
    source = make_app(DATABASE_URL=source_url, RATELIMIT_ENABLED=False)
    upgrade(source)
    a_report(source)
    a_report(source, email="otra@cliente.example", summary="ñandú \U0001f600")
    if database_url.startswith("sqlite"):
        database_url = f"sqlite:///{tmp_path / 'target.db'}"
    else:  # which asks for none, and takes any
        with_password = sa.make_url(database_url).set(password="word")
        database_url = with_password.render_as_string(hide_password=False)
    output = run(source.test_cli_runner(), "db", "copy", "--to", database_url)
    assert "each the same" in output
    assert ":word@" not in output
    target = make_app(DATABASE_URL=database_url, RATELIMIT_ENABLED=False)
    one, other = source.extensions["sqlalchemy"], target.extensions["sqlalchemy"]
    with one.read() as left, other.read() as right:
        for table in copying.tables():
            assert copying.digest(left, table) == copying.digest(right, table), table.name
    a_report(target)  # numbers go on behind those that were copied
    assert count(other, models.Report) == 3
    refused = run(source.test_cli_runner(), "db", "copy", "--to", database_url, code=1)
    assert "is not empty" in refused


def test_a_copy_that_is_not_the_same_is_none(
    tmp_path: Path, app: Flask, cli: FlaskCliRunner, make_app: Callable[..., Flask]
) -> None:
    """Whatever changes it on its way: here a trigger that somebody has left there."""
    a_report(app)
    url = f"sqlite:///{tmp_path / 'other.db'}"
    target = make_app(DATABASE_URL=url)
    upgrade(target)
    other = target.extensions["sqlalchemy"]
    with other.write() as session:
        change = "UPDATE report SET summary = upper(summary) WHERE id = NEW.id"
        words = f"CREATE TRIGGER changes AFTER INSERT ON report BEGIN {change}; END"
        session.execute(sa.text(words))
    told = run(cli, "db", "copy", "--to", url, code=1)
    assert "report is not the same in the other database" in told
    assert count(other, models.Report) == count(other, models.Message) == 0


def test_nothing_is_copied_while_a_worker_is_running(
    tmp_path: Path, cli: FlaskCliRunner, database: Database
) -> None:
    a_worker(database, datetime.now(UTC))
    url = f"sqlite:///{tmp_path / 'target.db'}"
    assert "stop web and worker first" in run(cli, "db", "copy", "--to", url, code=1)
    assert not (tmp_path / "target.db").exists()


def test_a_copy_to_a_database_that_is_away_names_that_one(cli: FlaskCliRunner) -> None:
    to = "postgresql://reporter:sesame@127.0.0.1:1/reports"
    said = run(cli, "db", "copy", "--to", to, code=1)
    assert said.startswith("Error: the database postgresql://127.0.0.1:1/reports: ")
    assert "sesame" not in said


def test_counting_does_not_read_what_was_sent_long_ago(app: Flask, database: Database) -> None:
    """The plans name the indexes that are as large as what waits."""
    if database.engine.dialect.name != "sqlite":
        return
    with database.read() as session:
        for query, index in (
            ("SELECT kind FROM message WHERE message.state <> 'sent'", "ix_message_unsent"),
            (
                "SELECT id FROM report WHERE seen_at IS NULL AND solved_at IS NULL",
                "ix_report_solved_at",
            ),
            (f"SELECT id FROM message WHERE {models.WHOLE}", "ix_message_whole"),
        ):
            plan = str(session.execute(sa.text(f"EXPLAIN QUERY PLAN {query}")).all())
            assert index in plan, plan
    assert figures.UNSENT.text == "message.state <> 'sent'"
