"""What a customer adds to a report: one mail a minute, in the ticket's thread to the letter."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from email.message import EmailMessage
from itertools import repeat
from pathlib import Path

import pytest
import sqlalchemy as sa
from customers import Customer
from factories import SENT_AT
from provider import (
    Provider,
    a_provider,
    block_of,
    text_of,
    to_support,
)

from reporter.models import Update
from reporter.reports.updates import KINDS, add_update


def followups(provider: Provider, token: str) -> list[EmailMessage]:
    return [mail for mail in to_support(provider.mails_of(token)) if mail["In-Reply-To"]]


def news_of(mail: EmailMessage) -> list[str]:
    """What the customer said, with the line above it that says what it is."""
    behind = text_of(mail).split("\n\n")[2:-1]
    return [line for part in behind for line in part.splitlines() if "desk" not in line]


def words_of(mail: EmailMessage) -> list[str]:
    """What the customer said."""
    return [line for line in news_of(mail) if line.startswith("| ")]


SAID = [
    ("info", "Más información", "MÁS INFORMACIÓN"),
    ("worse", "Va peor", "VA PEOR"),
    ("better", "Va mejor", "VA MEJOR"),
    ("solved", "Ya funciona", "FUNCIONA DE NUEVO, según el cliente"),
]


@pytest.mark.parametrize(("kind", "words", "aloud"), SAID)
def test_every_kind_reaches_support_and_stays_on_the_receipt(
    provider: Provider, kind: str, words: str, aloud: str
) -> None:
    token = provider.report()
    provider.work()
    customer = provider.customer(token)
    page = customer.submit("update", kind=kind, text="Ahora sale error 504")
    assert "Lo hemos guardado y va camino del equipo de soporte." in page.text
    assert words in page.text
    assert "Ahora sale error 504" in page.text
    provider.later(minutes=1)
    (mail,) = provider.work()
    assert mail["To"] == "support@example.com"
    assert block_of(mail)["news"] == kind
    assert text_of(mail).splitlines()[0] == (
        f"{aloud}: Ahora sale error 504 (actualización 1 de {mail['X-Incident-Reference']})"
    )
    assert news_of(mail) == [f"{aloud} · 23 nov 2026 03:22", "| Ahora sale error 504"]


def test_the_form_offers_the_kinds_of_the_contract(provider: Provider) -> None:
    page = provider.customer(provider.report()).page
    assert page.form("update").action.split("#")[0].endswith("/updates")
    offered = re.findall(r'name="kind" value="(\w+)"', page.html)
    assert offered == [kind for kind, _words, _aloud in SAID]


def test_a_follow_up_is_in_the_thread_of_its_ticket_to_the_letter(provider: Provider) -> None:
    token = provider.report()
    (ticket,) = to_support(provider.work())
    customer = provider.customer(token)
    for number in (1, 2):
        customer.submit("update", kind="info", text="Más")
        provider.later(minutes=1)
        (mail,) = provider.work()
        root = ticket["Message-ID"]
        reference = ticket["X-Incident-Reference"]
        proof = mail["Message-ID"].removeprefix(f"<{reference}.{number}.").partition("@")[0]
        assert len(proof) == 16
        assert mail["Message-ID"] == f"<{reference}.{number}.{proof}@example.com>"
        assert mail["In-Reply-To"] == root
        assert mail["References"] == root
        assert mail["Subject"] == f"Re: {ticket['Subject']}"
        for same in ("From", "Reply-To", "To", "Importance", "X-Priority"):
            assert mail[same] == ticket[same]
        assert block_of(mail)["update"] == str(number)
        assert mail["Cc"] is None
        for never in ("Auto-Submitted", "Precedence", "X-Auto-Response-Suppress", "Sender"):
            assert never not in mail
        attachments = [part.get_filename() for part in mail.iter_attachments()]
        assert attachments == [f"{reference}.{number}.json"]


def test_the_headers_of_a_helpdesk_are_in_the_first_mail_only(tmp_path: Path) -> None:
    with a_provider(tmp_path, HELPDESK_PROFILE="zammad") as provider:
        token = provider.report()
        (ticket,) = to_support(provider.work())
        assert ticket["X-Zammad-Ticket-Priority"] == "3 high"
        provider.customer(token).submit("update", kind="info", text="Más")
        (mail,) = followups(provider, token)
        assert "X-Zammad-Ticket-Priority" not in mail


def test_a_follow_up_is_in_its_thread_after_the_key_was_changed(provider: Provider) -> None:
    token = provider.report()
    (ticket,) = to_support(provider.work())
    report_id = provider.receipt(token).report_id
    config = provider.app.config
    config["SECRET_KEY_FALLBACKS"] = [config["SECRET_KEY"]]
    config["SECRET_KEY"] = "another" * 6
    with provider.app.test_request_context():
        add_update(report_id, "worse", "", SENT_AT)
    provider.later(minutes=1)
    (mail,) = provider.work()
    assert mail["In-Reply-To"] == mail["References"] == ticket["Message-ID"]


def test_a_long_subject_is_identical_in_the_follow_up(provider: Provider) -> None:
    token = provider.report(summary="La página de pago de la tienda no carga – " * 3)
    (ticket,) = to_support(provider.work())
    provider.customer(token).submit("update", kind="worse", text="")
    (mail,) = followups(provider, token)
    assert mail["Subject"] == f"Re: {ticket['Subject']}"
    assert "… | web-hosting | INC-" in ticket["Subject"]


def test_several_within_a_minute_join_one_mail(provider: Provider) -> None:
    token = provider.report()
    provider.work()
    customer = provider.customer(token)
    customer.submit("update", kind="info", text="uno")
    provider.later(seconds=30)
    customer.submit("update", kind="worse", text="dos")
    provider.later(seconds=29)
    assert provider.work() == []
    customer.submit("update", kind="info", text="tres")
    provider.later(seconds=1)
    (mail,) = provider.work()
    assert block_of(mail)["news"] == "info, worse, info"
    assert words_of(mail) == ["| uno", "| dos", "| tres"]
    assert text_of(mail).startswith("VA PEOR: dos; y 2 más (actualización 1 de INC-")
    provider.later(minutes=10)
    assert provider.work() == []


def test_what_a_form_does_not_ask_for_changes_nothing(provider: Provider) -> None:
    token = provider.report()
    before = provider.row(token)
    customer = provider.customer(token)
    forged = {
        "author": "support",
        "name": "Ana",
        "seen_at": "2026-11-23",
        "email": "eva@example.com",
    }
    forged |= {"severity": "4", "solved_at": "2026-11-23", "news_wanted": "yes", "number": "99"}
    customer.forge("update", kind="worse", text="Va a peor", **forged)
    with provider.database.read() as session:
        (told,) = session.scalars(sa.select(Update))
        assert (told.author, told.number, told.content) == ("customer", 1, {"text": "Va a peor"})
    after = provider.row(token)
    for name in ("seen_at", "solved_at", "email", "severity", "news_wanted", "content", "customer"):
        assert getattr(after, name) == getattr(before, name), name


def test_what_is_sent_twice_is_one(provider: Provider) -> None:
    """By a double click, or after an answer of ours was lost."""
    token = provider.report()
    provider.work()
    customer = provider.customer(token)
    form = customer.page
    for text in ("uno", "uno", "dos"):
        customer.page = form
        page = customer.submit("update", kind="info", text=text)
        assert "Lo hemos guardado y va camino del equipo de soporte." in page.text
    provider.later(seconds=59)
    customer.submit("update", kind="info", text="dos")
    customer.submit("update", kind="worse", text="dos")
    provider.later(seconds=1)
    (mail,) = provider.work()
    assert block_of(mail)["news"] == "info, info, worse"
    assert [update.text for update in provider.receipt(token).updates] == ["dos", "dos", "uno"]


def test_the_same_words_a_minute_later_are_news(provider: Provider) -> None:
    token = provider.report()
    customer = provider.customer(token)
    customer.submit("update", kind="worse", text="")
    provider.later(minutes=1)
    customer.submit("update", kind="worse", text="")
    assert len(provider.receipt(token).updates) == 2


def test_what_comes_after_a_mail_was_sent_begins_another(provider: Provider) -> None:
    token = provider.report()
    provider.work()
    customer = provider.customer(token)
    customer.submit("update", kind="info", text="uno")
    provider.later(minutes=1)
    provider.work()
    customer.submit("update", kind="info", text="dos")
    provider.later(minutes=1)
    (mail,) = provider.work()
    assert block_of(mail)["update"] == "2"
    assert words_of(mail) == ["| dos"]


def test_a_mail_that_a_relay_may_have_seen_is_not_changed_any_more(provider: Provider) -> None:
    token = provider.report()
    provider.work()
    customer = provider.customer(token)
    customer.submit("update", kind="info", text="uno")
    provider.smtp.scripts["DATA"] = repeat("451 4.3.0 later", 1)
    provider.later(minutes=1)
    (tried,) = provider.work()  # seen by the relay, and deferred
    customer.submit("update", kind="info", text="dos")
    first, second = followups(provider, token)
    assert first.as_bytes() == tried.as_bytes()
    assert [block_of(mail)["update"] for mail in (first, second)] == ["1", "2"]
    provider.later(minutes=2)
    assert [block_of(mail)["update"] for mail in provider.work()] == ["1", "2"]


def test_no_follow_up_overtakes_its_ticket(provider: Provider) -> None:
    provider.smtp.scripts["MAIL"] = repeat("451 4.3.0 later", 2)
    token = provider.report()
    assert provider.work() == []
    provider.customer(token).submit("update", kind="worse", text="")
    provider.later(minutes=5)
    assert provider.work() == []  # the ticket is deferred again
    provider.later(minutes=5)
    ticket, *rest = to_support(provider.work())
    assert "In-Reply-To" not in ticket
    assert [mail["In-Reply-To"] for mail in rest] == [ticket["Message-ID"]]


def test_solved_is_the_first_word_and_the_state(provider: Provider) -> None:
    token = provider.report()
    provider.work()
    provider.later(minutes=40)
    page = provider.customer(token).submit("update", kind="solved", text="Volvió sola")
    assert "Solucionado" in page.text
    provider.later(minutes=1)
    (mail,) = provider.work()
    assert text_of(mail).startswith(
        "FUNCIONA DE NUEVO, según el cliente: Volvió sola (actualización 1 de INC-"
    )
    assert block_of(mail)["state"] == "solved"
    at = SENT_AT + timedelta(minutes=40)
    assert provider.receipt(token).solved_at == at
    status = provider.app.test_client().get(f"/r/{token}/status.json").json
    assert status is not None
    assert status["solved_at"] == f"{at:%Y-%m-%dT%H:%M:%SZ}"


@pytest.mark.parametrize("kind", ["info", "worse", "better"])
def test_nothing_else_is_called_solved(provider: Provider, kind: str) -> None:
    token = provider.report()
    provider.customer(token).submit("update", kind=kind, text="texto")
    (mail,) = followups(provider, token)
    assert "FUNCIONA DE NUEVO" not in text_of(mail)
    assert "state" not in block_of(mail)
    assert provider.receipt(token).solved_at is None


def test_worse_opens_a_solved_incident_again(provider: Provider) -> None:
    token = provider.report()
    customer = provider.customer(token)
    customer.submit("update", kind="solved", text="")
    page = customer.submit("update", kind="worse", text="Ha vuelto a caer")
    assert provider.receipt(token).solved_at is None
    assert "<b>Solucionado</b>" not in page.html


def test_what_comes_after_it_was_solved_keeps_the_state(provider: Provider) -> None:
    token = provider.report()
    customer = provider.customer(token)
    for kind, state in [("solved", "solved"), ("info", "solved"), ("worse", None), ("info", None)]:
        customer.submit("update", kind=kind, text="texto")
        provider.later(minutes=1)
        mail = to_support(provider.work())[-1]
        assert block_of(mail).get("state") == state
        assert text_of(mail).startswith("FUNCIONA DE NUEVO") == (kind == "solved")


def test_in_one_mail_the_last_word_decides_whether_it_is_solved(provider: Provider) -> None:
    """ "It works again" and a moment later "it is worse" join one mail, which is not solved."""
    token = provider.report()
    customer = provider.customer(token)
    customer.submit("update", kind="solved", text="")
    customer.submit("update", kind="worse", text="Ha vuelto a caer")
    (mail,) = followups(provider, token)
    assert block_of(mail)["news"] == "solved, worse"
    assert "state" not in block_of(mail)
    assert text_of(mail).startswith("VA PEOR: Ha vuelto a caer; y 1 más (")
    customer.submit("update", kind="solved", text="Ahora sí")
    (mail,) = followups(provider, token)
    assert block_of(mail)["state"] == "solved"
    assert text_of(mail).startswith("FUNCIONA DE NUEVO, según el cliente: Ahora sí; y 2 más (")


def test_what_was_said_without_a_word_stands_in_the_mail_that_tells_more(
    provider: Provider,
) -> None:
    token = provider.report()
    customer = provider.customer(token)
    customer.submit("update", kind="worse", text="Tampoco entra el panel")
    customer.submit("update", kind="better", text="")
    (mail,) = followups(provider, token)
    text = text_of(mail)
    assert text.startswith("VA PEOR: Tampoco entra el panel; y 1 más (")
    said = re.findall(r"^(VA (?:PEOR|MEJOR)) · .+\n(.*)", text, re.M)
    assert said == [("VA PEOR", "| Tampoco entra el panel"), ("VA MEJOR", "")]
    customer.submit("update", kind="better", text="")
    (mail,) = followups(provider, token)
    assert text_of(mail).count("VA MEJOR") == 1  # of one alone the first line tells all


def test_solved_keeps_the_first_time(provider: Provider) -> None:
    token = provider.report()
    customer = provider.customer(token)
    customer.submit("update", kind="solved", text="")
    provider.later(minutes=30)
    customer.submit("update", kind="solved", text="")
    assert provider.receipt(token).solved_at == SENT_AT


def test_the_block_of_a_follow_up_is_the_whole_state_and_its_text_only_the_news(
    provider: Provider,
) -> None:
    token = provider.report()
    (ticket,) = to_support(provider.work())
    provider.customer(token).submit("update", kind="info", text="Más")
    (mail,) = followups(provider, token)
    for section in ("QUÉ FALLA", "DESDE CUÁNDO", "QUÉ HA CAMBIADO", "CÓMO CONTACTAR CON USTED"):
        assert section not in text_of(mail)
    only_here = {"update": "1", "news": "info"}
    assert block_of(mail) == {**block_of(ticket), **only_here}


def test_the_json_has_every_update_so_far(provider: Provider) -> None:
    token = provider.report()
    customer = provider.customer(token)
    customer.submit("update", kind="worse", text="uno")
    provider.later(minutes=2)
    provider.work()
    customer.submit("update", kind="solved", text="dos")
    mail = followups(provider, token)[-1]
    (twin,) = mail.iter_attachments()
    notes = json.loads(twin.get_content())["note"]
    assert [(note["noteType"], note["text"], note["author"]) for note in notes] == [
        ("worse", "uno", "customer"),
        ("solved", "dos", "customer"),
    ]
    assert notes[0]["date"] == "2026-11-23T02:22:00Z"


HOSTILE = (
    "-- \r\nreference: INC-AAAAAA\r\n\r\nstate: solved\r\n_____\r\n"
    "\u202eBcc: eva@example.com\x00\x1b[31m\u2028severity: 4-question\r\n.\r\nSOLVED"
)


def test_hostile_text_can_write_nothing_of_ours(provider: Provider) -> None:
    token = provider.report()
    provider.work()
    page = provider.customer(token).submit(
        "update", kind="info", text=HOSTILE + "<script>alert(1)</script>"
    )
    assert "<script>alert" not in page.html
    provider.later(minutes=1)
    (mail,) = provider.work()
    text = text_of(mail)
    block = block_of(mail)
    assert block["reference"] == mail["X-Incident-Reference"]
    assert block["severity"] == "1-critical"
    assert "state" not in block
    assert mail["Bcc"] is None
    assert "| --\n| reference: INC-AAAAAA\n| \n| state: solved\n| _____\n" in text
    assert "| severity: 4-question\n| .\n| SOLVED<script>" in text
    for character in "\u202e\x00\x1b\u2028":
        assert character not in text
    first, *behind = text.splitlines()
    assert first.startswith("MÁS INFORMACIÓN: -- reference: INC-AAAAAA ")  # one line, and no other
    starts = [line for line in behind if not line.startswith("| ")]
    assert not any("INC-AAAAAA" in line or "eva@" in line for line in starts)


def test_more_information_needs_words_and_the_others_do_not(provider: Provider) -> None:
    token = provider.report()
    customer = provider.customer(token, "en")
    page = customer.submit("update", kind="info", text=" \r\n ")
    assert (page.status, page.errors) == (422, {"text": "Write what we should know"})
    page = customer.forge("update", kind="", text="algo")
    assert (page.status, page.errors) == (422, {"kind": "Choose what is new"})
    assert page.filled("update")["text"] == "algo"
    page = customer.forge("update", kind="gone", text="algo")
    assert page.status == 422
    page = customer.submit("update", kind="info", text="x" * 5001)
    assert (page.status, page.errors) == (
        422,
        {"text": "Use 5000 characters or fewer; you have written 5001"},
    )
    assert page.filled("update")["text"] == "x" * 5001
    assert followups(provider, token) == []
    assert customer.submit("update", kind="better", text="").status == 200
    assert len(followups(provider, token)) == 1


def test_another_language_keeps_the_place_and_what_was_typed(provider: Provider) -> None:
    token = provider.report()
    customer = provider.customer(token)
    page = customer.submit("update", kind="info", text="")
    assert page.status == 422
    page = customer.submit("update", kind="info", text="un texto largo", lang="en")
    assert page.status == 200
    assert '<html lang="en">' in page.html
    assert "Send to support" in page.text
    typed = page.filled("update")
    assert (typed["kind"], typed["text"]) == ("info", "un texto largo")
    assert page.errors == {}
    assert followups(provider, token) == []
    page = customer.submit("update", kind=None, text="", lang="es")
    assert "Enviar al equipo de soporte" in page.text
    assert page.status == 200


def test_an_error_page_leads_to_its_place_in_another_language(provider: Provider) -> None:
    token = provider.report()
    customer = provider.customer(token)
    page = customer.submit("update", kind="info", text="un texto largo", csrf_token="stale")
    (path,) = [path for path, text in page.links.items() if text == "English"]
    page = customer.open(path)
    assert page.form("update").action == f"/r/{token}/updates#add"
    assert '<html lang="en">' in page.html
    desk = provider.desk(token)
    page = desk.forge(action="")
    assert page.status == 422
    (path,) = [path for path, text in page.links.items() if text == "English"]
    assert desk.open(path).action == page.action


@pytest.mark.parametrize("path", ["updates", "news"])
def test_a_reload_leads_back_to_the_receipt(provider: Provider, path: str) -> None:
    token = provider.report()
    page = Customer(provider.app).peek(f"/r/{token}/{path}")
    assert (page.status, page.location) == (303, f"/r/{token}")


def test_a_stale_token_loses_nothing_that_was_typed(provider: Provider) -> None:
    token = provider.report()
    customer = provider.customer(token)
    page = customer.submit("update", kind="info", text="un texto largo", csrf_token="stale")
    assert page.status == 400
    assert page.fields["kind"] == "info"
    assert page.fields["text"] == "un texto largo"
    assert followups(provider, token) == []
    page = customer.submit()
    assert page.status == 200
    assert "un texto largo" in page.text
    assert len(followups(provider, token)) == 1


def test_nobody_adds_to_a_receipt_that_is_not_theirs(provider: Provider) -> None:
    provider.report()
    stranger = Customer(provider.app)
    stranger.open("/")
    assert stranger.open("/r/wrong").status == 404
    assert stranger.peek("/r/wrong/status.json").status == 404


def test_updates_at_the_same_moment_are_all_in_one_mail(on_both_engines: Provider) -> None:
    provider = on_both_engines
    token = provider.report()
    report_id = provider.receipt(token).report_id

    def add(number: int) -> None:
        with provider.app.test_request_context():
            add_update(report_id, "info", f"texto {number}.", SENT_AT)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(add, range(12)))
    (mail,) = followups(provider, token)
    assert block_of(mail)["update"] == "1"
    assert all(f"| texto {number}.\n" in text_of(mail) for number in range(12))
    provider.later(minutes=1)
    assert len(to_support(provider.work())) == 2


def test_an_update_waits_for_a_worker_that_takes_the_mail_and_begins_another(
    on_both_engines: Provider,
) -> None:
    """However they meet, every update is in a mail, and no mail changes after it was tried."""
    provider = on_both_engines
    token = provider.report()
    provider.work()
    report_id = provider.receipt(token).report_id
    provider.smtp.scripts["DATA"] = repeat("SLOW 0.02")

    def add(number: int) -> None:
        with provider.app.test_request_context():
            add_update(report_id, "info", f"texto {number}.", SENT_AT - timedelta(minutes=1))

    with ThreadPoolExecutor(2) as pool:
        adding = pool.submit(lambda: [add(number) for number in range(10)])
        sent = []
        while not adding.done():
            sent += provider.work()
        adding.result()
    sent += provider.work()
    assert [mail.as_bytes() for mail in sent] == [
        mail.as_bytes() for mail in followups(provider, token)
    ]
    texts = "".join("\n".join(news_of(mail)) + "\n" for mail in sent)
    assert [texts.count(f"texto {number}.\n") for number in range(10)] == [1] * 10
    numbers = [block_of(mail)["update"] for mail in sent]
    assert numbers == [str(number + 1) for number in range(len(sent))]


def test_an_update_whose_mail_cannot_be_queued_is_not_kept(provider: Provider) -> None:
    token = provider.report()
    customer = provider.customer(token)
    full = "CREATE TRIGGER full BEFORE INSERT ON message BEGIN SELECT RAISE(ABORT, 'full'); END"
    with provider.database.write() as session:
        session.execute(sa.text(full))
    page = customer.submit("update", kind="solved", text="un texto largo")
    assert page.status == 503
    assert page.fields["text"] == "un texto largo"
    assert provider.receipt(token).updates == ()
    assert provider.receipt(token).solved_at is None
    with provider.database.write() as session:
        session.execute(sa.text("DROP TRIGGER full"))
    assert "Ya funciona" in customer.submit().text
    assert len(followups(provider, token)) == 1


def test_what_is_missing_is_said_in_the_title_above_the_form_and_beside_it(
    provider: Provider,
) -> None:
    page = provider.customer(provider.report(), "en").forge("update", kind="", text="")
    assert "<title>Error: Report INC-" in page.html
    assert page.listed == page.errors == {"kind": "Choose what is new"}
    assert page.html.count('id="add"') == 1
    assert '<div class="errors" id="add" role="alert" tabindex="-1" autofocus>' in page.html
    assert page.html.count('aria-invalid="true"') == len(KINDS)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("yes", "We will email you when there is an update."),
        ("no", "We will not email you updates any more."),
    ],
)
def test_a_press_is_answered_in_view(provider: Provider, wanted: str, said: str) -> None:
    customer = provider.customer(provider.report(), "en")
    page = customer.forge("news", wanted=wanted)
    assert f'<div class="note done" role="status" tabindex="-1" autofocus>{said}</div>' in page.html
