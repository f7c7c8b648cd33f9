"""An outage that hits three hundred customers within twenty minutes: what support receives."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from customers import Customer, Page
from factories import parsed
from provider import SUPPORT, Provider, a_provider, block_of, link, text_of
from servers import AlarmServer, alarm_server
from test_known_incident import offered, sends

from reporter.models import Follower, Message, Report, Surge

CUSTOMERS = 300
LASTS = timedelta(minutes=20)
BEGINS_AT = datetime(2026, 11, 23, 9, 4, tzinfo=UTC)
# Support needs so long from the mail about the surge to telling customers.
SUPPORT_TAKES = timedelta(minutes=2)
WORKER_RUNS = timedelta(seconds=30)
# Of those who arrive once the known incident is shown.
FOLLOW = 0.7


class Outage:
    """The day as it goes: customers arrive, a worker runs, somebody of support reads the mail."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self.dice = random.Random(20261123)
        self.mails: list[EmailMessage] = []
        self.key = ""
        self.reports: list[str] = []
        self.followers = 0
        self.updates = 0
        # What the board showed while it was open, and what there was: reports in the last hour,
        # lines on its first page, and by the known incident reports and followers.
        self.board: list[tuple[tuple[int, ...], tuple[int, ...]]] = []
        self.linked: list[tuple[int, int]] = []  # offered in one press, and linked by it
        self.support = self.provider.support()

    def happen(self) -> None:
        self.arrivals = sorted(
            self.dice.uniform(0, LASTS.total_seconds()) for _ in range(CUSTOMERS)
        )
        arrivals = [BEGINS_AT + timedelta(seconds=seconds) for seconds in self.arrivals]
        moment = BEGINS_AT
        while moment <= BEGINS_AT + LASTS:
            moment += WORKER_RUNS
            while arrivals and arrivals[0] < moment:
                self.provider.at(arrivals.pop(0))
                self.arrive()
            self.provider.at(moment)
            self.mails += self.provider.work()
            self.support_reads_its_mail(moment)
            self.board.append((self.shown(), self.there_is()))
        self.tell("Cambiamos la pieza; quedan diez minutos")
        self.support.open(f"/desk/notices/{self.key}")
        self.links("link", action="link")
        self.board.append((self.shown(), self.there_is()))
        self.provider.later(minutes=10)
        self.tell("Era la fuente de alimentación del nodo 7", close=True)
        self.provider.later(minutes=15)
        self.mails += self.provider.work()

    def arrive(self) -> None:
        """A customer comes to the first page, and does what that page suggests, or not."""
        number = len(self.reports) + self.followers
        customer = Customer(self.provider.app)
        notices = [path for path in customer.open("/").links if path.startswith("/notices/")]
        if notices and self.dice.random() < FOLLOW:
            customer.open(notices[0])
            contact = (
                f"c{number}@example.com" if self.dice.random() < 0.8 else f"600 000 {number:03}"
            )
            assert customer.submit(name=f"Cliente {number}", contact=contact).status == 200
            if "@" in contact:  # and confirms it, as the mail asks
                (asked,) = self.provider.waiting(kind="confirmation", recipient=contact)
                customer.open(link(parsed(asked.content), "/notices/f/"))
                assert customer.submit(confirm="yes").status == 200
            self.followers += 1
            return
        token = self.provider.report(
            f"draft{number}", email=f"c{number}@example.com", started="just_now"
        )
        self.reports.append(token)
        if self.dice.random() < 0.2:  # and has something to add, twice
            for kind in ("info", "worse"):
                self.provider.customer(token).submit("update", kind=kind, text="Sigue igual")
                self.updates += 1

    def support_reads_its_mail(self, now: datetime) -> None:
        surges = [mail for mail in self.mails if "SURGE-" in mail["Message-ID"]]
        if self.key or not surges or now < surges[0]["Date"].datetime + SUPPORT_TAKES:
            return
        self.support.open(link(surges[0], "/desk/notices/"))
        page = self.links(text="Cae el nodo 7: lo estamos cambiando", next_news_at="10:30")
        (public,) = [path for path in page.links if path.startswith("/notices/")]
        self.key = public.rpartition("/")[2]

    def links(self, form: str = "", **said: str) -> Page:
        """One press, with every box as it is offered."""
        before, boxes = self.count_linked(), offered(self.support.page)
        page = sends(self.support, form, **said)
        self.linked.append((len(boxes), self.count_linked() - before))
        return page

    def count_linked(self) -> int:
        with self.provider.database.read() as session:
            query = sa.select(sa.func.count()).where(Report.notice_id.is_not(None))
            return session.scalar(query) or 0

    def shown(self) -> tuple[int, ...]:
        """By the board, as it is read."""
        page = self.support.open("/desk")
        total = re.search(r'<th scope="row">[^<]+</th>((?:<td>\d+</td>)+)', page.html)
        hour = re.findall(r"\d+", total[1]) if total else []
        hangs = re.findall(r"avisos: (\d+), seguidores: (\d+)", page.html)
        assert page.html.count("<svg") == bool(hour)
        return sum(map(int, hour)), page.html.count("data-report="), *map(int, sum(hangs, ()))

    def there_is(self) -> tuple[int, ...]:
        reports = len(self.reports)
        hangs = (self.count_linked(), self.followers) if self.key else ()
        return reports, min(reports, 50), *hangs

    def tell(self, text: str, *, close: bool = False) -> None:
        self.provider.command("notice", "close" if close else "update", self.key, "--text", text)
        self.mails += self.provider.work()

    def to_support(self) -> list[EmailMessage]:
        return [mail for mail in self.mails if mail["To"] == SUPPORT]

    def count(self, kind: str) -> int:
        with self.provider.database.read() as session:
            query = sa.select(sa.func.count()).where(Message.kind == kind, Message.state == "sent")
            return session.scalar(query) or 0


@pytest.fixture(scope="module")
def alarms() -> Iterator[AlarmServer]:
    with alarm_server() as alarms:
        yield alarms


@pytest.fixture(scope="module")
def outage(tmp_path_factory: pytest.TempPathFactory, alarms: AlarmServer) -> Iterator[Outage]:
    folder: Path = tmp_path_factory.mktemp("outage")
    with a_provider(folder, at=BEGINS_AT, ALARM_URLS=[alarms.url]) as provider:
        outage = Outage(provider)
        outage.happen()
        yield outage


def test_what_support_receives_is_what_there_is_to_know(
    outage: Outage, alarms: AlarmServer, record_property: Callable[[str, str], None]
) -> None:
    told = {
        "customers": CUSTOMERS,
        "who report": len(outage.reports),
        "who say that theirs is the known incident": outage.followers,
        "tickets": outage.count("ticket"),
        "follow-ups": outage.count("followup"),
        "mails about the surge": outage.count("surge"),
        "digests": outage.count("digest"),
        "mails to support in all": len(outage.to_support()),
        "alarms": len(alarms.taken),
        "acknowledgements to customers": outage.count("acknowledgement"),
        "news to followers": outage.count("notice"),
    }
    table = "\n".join(f"  {number:>4}  {name}" for name, number in told.items())
    record_property(f"An outage of {CUSTOMERS} customers in {LASTS}", table)
    assert len(outage.reports) + outage.followers == CUSTOMERS
    assert told["tickets"] == told["acknowledgements to customers"] == len(outage.reports)
    assert told["follow-ups"] == outage.updates / 2  # both of a customer's are in one mail
    assert told["mails about the surge"] == told["alarms"] == 1
    assert 1 <= told["digests"] <= 1 + LASTS / timedelta(minutes=10)
    assert told["mails to support in all"] == sum(
        told[name] for name in ("tickets", "follow-ups", "mails about the surge", "digests")
    )
    # A look at one page spared support a ticket from most of those who came after it.
    assert told["mails to support in all"] < CUSTOMERS * 3 / 4


def test_the_board_that_is_open_shows_what_there_is_at_every_moment(outage: Outage) -> None:
    shown, there_is = zip(*outage.board, strict=True)
    assert shown == there_is
    assert len(shown) > 40
    assert shown[-1] == (len(outage.reports), 50, len(outage.reports), outage.followers)


def test_every_report_of_the_outage_is_linked_in_two_presses(outage: Outage) -> None:
    """When it is opened those there are, and at its end those that came after it."""
    assert [offered == linked for offered, linked in outage.linked] == [True, True]
    assert sum(linked for _, linked in outage.linked) == len(outage.reports)
    for token in (outage.reports[0], outage.reports[-1]):
        assert "Hemos vinculado su aviso" in outage.provider.customer(token).page.text or (
            "Era la fuente" in outage.provider.customer(token).page.text
        )


def test_how_it_went_is_drawn_listed_and_exported(outage: Outage) -> None:
    page = outage.support.open(f"/desk/notices/{outage.key}")
    exported = outage.support.peek(f"/desk/notices/{outage.key}/export.json").response.json
    assert exported is not None
    assert (exported["reports"], exported["followers"]) == (len(outage.reports), outage.followers)
    happened = [each["what"] for each in exported["timeline"]]
    assert {"first_report", "surge", "opened", "seen", "message", "closed"} <= {*happened}
    assert happened[-1] == "closed"
    assert page.html.count("<circle") == page.html.count('<li class="done">') == len(happened)
    times = [each["at"] for each in exported["timeline"]]
    assert times == sorted(times)
    table = outage.support.peek(f"/desk/notices/{outage.key}/export.csv").html
    assert [row.split(",")[1] for row in table.splitlines()[1:]] == happened


def test_nothing_is_lost_and_nothing_is_left(outage: Outage) -> None:
    with outage.provider.database.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Report)) == len(outage.reports)
        assert session.scalar(sa.select(sa.func.count()).select_from(Follower)) == outage.followers
    assert outage.provider.waiting() == []
    identities = Counter(mail["Message-ID"] for mail in outage.mails)
    assert set(identities.values()) == {1}


def test_the_fourth_report_is_the_one_that_tells(outage: Outage) -> None:
    tickets = [mail for mail in outage.to_support() if block(mail).get("update") == "0"]
    similar = [block(mail).get("similar") for mail in tickets]
    began = tickets[0]["Date"].datetime.astimezone(ZoneInfo("Europe/Madrid"))
    assert similar[:4] == [None, None, None, f"4 in 20 min since {began:%H:%M}"]
    assert None not in similar[3:]
    with outage.provider.database.read() as session:
        (surge,) = session.scalars(sa.select(Surge))
    assert surge.since.replace(microsecond=0) == began


def test_every_ticket_is_a_thread_of_its_own(outage: Outage) -> None:
    tickets = [mail for mail in outage.to_support() if block(mail).get("update") == "0"]
    assert len({mail["X-Incident-Reference"] for mail in tickets}) == len(outage.reports)
    assert not any(mail["In-Reply-To"] for mail in tickets)
    roots = {mail["Message-ID"] for mail in tickets}
    followups = [mail for mail in outage.to_support() if mail["In-Reply-To"]]
    assert followups
    assert {mail["In-Reply-To"] for mail in followups} <= roots


def test_digests_name_each_follower_once(outage: Outage) -> None:
    digests = [mail for mail in outage.to_support() if ".digest-" in mail["Message-ID"]]
    lines = [line for mail in digests for line in text_of(mail).splitlines()]
    named = Counter(line for line in lines if line.startswith("| Cliente "))
    assert len(named) == outage.followers
    assert set(named.values()) == {1}
    assert f": {outage.followers} " in digests[-1]["Subject"]


def test_each_follower_with_an_address_has_each_news_once(outage: Outage) -> None:
    news = [mail for mail in outage.mails if str(mail["Subject"]).startswith(outage.key)]
    news = [mail for mail in news if mail["List-Unsubscribe"]]  # not those that ask to confirm
    with outage.provider.database.read() as session:
        contacts = set(session.scalars(sa.select(Follower.contact)))
    addresses = {contact for contact in contacts if "@" in contact}
    assert 0 < len(addresses) < outage.followers
    assert Counter(str(mail["To"]) for mail in news) == dict.fromkeys(addresses, 2)


def test_those_who_reported_see_what_it_was(outage: Outage) -> None:
    """While it is open, on every receipt; it is closed now, and the page of it stays."""
    page = Customer(outage.provider.app).open(f"/notices/{outage.key}")
    assert "Era la fuente de alimentación del nodo 7" in page.text
    assert outage.provider.customer(outage.reports[0]).page.status == 200


def block(mail: EmailMessage) -> dict[str, str]:
    """The key block of a ticket or a follow-up; empty for the other mails."""
    return block_of(mail) if mail["X-Incident-Reference"] else {}
