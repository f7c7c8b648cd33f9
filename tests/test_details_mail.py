"""What the second stage sends: one follow-up, with what is new marked as such."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from pathlib import Path

import pytest
from customers import Customer
from details_of import answer, followups, send
from flask import Flask
from provider import (
    Provider,
    a_provider,
    a_provider_made_by,
    block_of,
    text_of,
    to_support,
    twin_of,
)

pytestmark = pytest.mark.ticket_sent


def marked(mail: EmailMessage, mark: str = "nuevo") -> list[str]:
    """The questions whose answer is marked as new."""
    lines = [line for line in text_of(mail).splitlines() if not line.startswith("| ")]
    return [line.removesuffix(f" ({mark})") for line in lines if line.endswith(f" ({mark})")]


def told(
    provider: Provider, customer: Customer, token: str, step: str, **answers: str
) -> EmailMessage:
    """The one follow-up that a step answered and sent becomes."""
    answer(customer, token, step, **answers)
    send(customer, token)
    (mail,) = followups(provider, token)
    return mail


def test_details_are_one_follow_up_with_what_is_new_and_the_whole_block(
    provider: Provider, customer: Customer, token: str
) -> None:
    (ticket,) = to_support(provider.mails_of(token))
    answer(customer, token, "authorisation", allowed_actions=["reboot", "access"])
    answer(customer, token, "impact", users_affected="40", workaround="unknown")
    page = send(customer, token)
    assert "Hemos guardado sus detalles y van camino del equipo de soporte." in page.text
    (mail,) = provider.work()
    text = text_of(mail)
    assert text.startswith(
        "MÁS DETALLES: a cuántas personas afecta; pueden trabajar de otra forma mientras tanto; "
        "qué podemos hacer sin volver a preguntarle "
        f"(actualización 1 de {ticket['X-Incident-Reference']})\n"
    )
    assert block_of(mail) == {
        **block_of(ticket),
        "update": "1",
        "news": "details",
        "users_affected": "40",
        "workaround": "unknown",
        "allowed_actions": "reboot, access",
        "missing": "tests done",
    }
    assert mail["Subject"] == f"Re: {ticket['Subject']}"
    assert mail["In-Reply-To"] == mail["References"] == ticket["Message-ID"]
    titles = [line for line in text.splitlines()[1:] if line.isupper() and line[0] != "|"]
    assert titles == ["QUÉ SUPONE PARA USTEDES", "QUÉ NOS AUTORIZA A HACER"]
    assert "¿Qué podemos hacer sin volver a preguntarle? (nuevo)\n" in text
    assert "\n| Reiniciar el servidor\n| Entrar en el servidor\n" in text


def test_details_are_sent_at_once_and_not_before_the_ticket(provider: Provider) -> None:
    token = provider.report()
    customer = provider.customer(token)
    answer(customer, token, "impact", users_affected="40")
    send(customer, token)
    mails = to_support(provider.work())
    assert [mail["In-Reply-To"] for mail in mails] == [None, mails[0]["Message-ID"]]


def test_the_first_time_everything_answered_is_marked_as_new(
    provider: Provider, customer: Customer, token: str
) -> None:
    mail = told(
        provider, customer, token, "impact", users_affected="40", deadline="hoy a las 18:00"
    )
    assert marked(mail) == ["¿A cuántas personas afecta?", "¿Para cuándo necesitan que funcione?"]


def test_later_only_what_is_newer_is_marked(
    provider: Provider, customer: Customer, token: str
) -> None:
    answer(customer, token, "impact", users_affected="40", deadline="hoy a las 18:00")
    send(customer, token)
    provider.work()
    provider.later(minutes=10)
    answer(customer, token, "impact", users_affected="60")
    answer(customer, token, "evidence", hypothesis="el proxy")
    send(customer, token)
    (mail,) = provider.work()
    assert block_of(mail)["update"] == "2"
    assert marked(mail) == ["¿Cuál cree que es la causa?"]
    assert "¿A cuántas personas afecta? (ha cambiado)\n| 60\nAntes:\n| 40\n" in text_of(mail)
    assert "hoy a las 18:00" not in text_of(mail).partition("\n\nQUÉ SUPONE")[2]
    assert twin_of(mail)["answers"]["users_affected"] == "60"
    assert [note["noteType"] for note in twin_of(mail)["note"]] == ["details", "details"]


def test_an_answer_taken_back_is_called_withdrawn(
    provider: Provider, customer: Customer, token: str
) -> None:
    answer(customer, token, "authorisation", allowed_actions=["reboot"], authorised_by="Ana")
    send(customer, token)
    provider.work()
    provider.later(minutes=1)
    customer.open(f"/r/{token}/details/authorisation")
    customer.submit(allowed_actions=None, authorised_by="Ana")
    send(customer, token)
    (mail,) = provider.work()
    assert "allowed_actions" not in block_of(mail)
    assert block_of(mail)["authorised_by"] == "Ana"
    assert twin_of(mail)["answers"]["allowed_actions"] is None
    assert block_of(mail)["withdrawn"] == "allowed actions"
    lines = text_of(mail).split("QUÉ NOS AUTORIZA A HACER\n")[1].splitlines()
    assert lines[:3] == [
        "¿Qué podemos hacer sin volver a preguntarle? (retirado)",
        "Antes:",
        "| Reiniciar el servidor",
    ]
    assert "¿Quién lo autoriza?" not in text_of(mail)
    provider.later(minutes=1)
    answer(customer, token, "impact", users_affected="40")
    send(customer, token)
    (later,) = provider.work()  # it was told once
    assert "withdrawn" not in block_of(later)
    assert "Reiniciar" not in text_of(later)


def test_a_permission_less_is_marked_with_what_it_was(
    provider: Provider, customer: Customer, token: str
) -> None:
    answer(customer, token, "authorisation", allowed_actions=["reboot", "access"])
    send(customer, token)
    provider.work()
    provider.later(minutes=1)
    customer.open(f"/r/{token}/details/authorisation")
    customer.submit(allowed_actions=["access"])
    send(customer, token)
    (mail,) = provider.work()
    assert block_of(mail)["allowed_actions"] == "access"
    assert "withdrawn" not in block_of(mail)
    assert (
        "¿Qué podemos hacer sin volver a preguntarle? (ha cambiado)\n"
        "| Entrar en el servidor\nAntes:\n| Reiniciar el servidor\n| Entrar en el servidor\n"
    ) in text_of(mail)


def test_the_mark_is_in_the_language_of_support(tmp_path: Path) -> None:
    with a_provider(tmp_path, SUPPORT_LOCALE="en") as provider:
        token = provider.report()
        customer = provider.customer(token)
        answer(customer, token, "impact", users_affected="40")
        send(customer, token)
        (mail,) = followups(provider, token)
        assert marked(mail, "new") == ["How many people does it affect?"]
        assert "\n\nWHAT IT MEANS FOR YOU\n" in text_of(mail)


def test_support_reads_its_own_language_whatever_the_customers(provider: Provider) -> None:
    token = provider.report(language="en")
    customer = provider.customer(token, "en")
    page = answer(customer, token, "authorisation", security_suspected="unknown")
    assert "I do not know" in page.text
    send(customer, token)
    (mail,) = followups(provider, token)
    assert "¿Podría ser un ataque o una intrusión? (nuevo)\n| No lo sé\n" in text_of(mail)
    assert "I do not know" in customer.open(f"/r/{token}").text


def test_not_knowing_is_an_answer_and_a_blank_is_none(
    provider: Provider, customer: Customer, token: str
) -> None:
    mail = told(
        provider,
        customer,
        token,
        "authorisation",
        security_suspected="unknown",
        wants_root_cause="no",
    )
    answers = twin_of(mail)["answers"]
    assert answers["security_suspected"] == "unknown"
    assert answers["data_loss_suspected"] is None
    assert answers["wants_root_cause"] == "no"
    assert block_of(mail)["security_suspected"] == "unknown"
    assert "data_loss_suspected" not in block_of(mail)
    assert "| No lo sé\n" in text_of(mail)
    assert "¿Podrían haberse perdido datos?" not in text_of(mail)


def test_an_answer_that_nobody_has_to_give_can_be_taken_back(
    provider: Provider, customer: Customer, token: str
) -> None:
    page = customer.open(f"/r/{token}/details/impact")
    taken_back = '<input type="radio" name="workaround" value=""'
    assert taken_back in page.html
    required = customer.peek("/report/failure").html
    assert '<input type="radio" name="service" value="web-hosting"' in required
    assert '<input type="radio" name="service" value=""' not in required
    answer(customer, token, "impact", workaround="yes", users_affected="40")
    mail = told(provider, customer, token, "impact", workaround="")
    assert twin_of(mail)["answers"]["workaround"] is None
    assert twin_of(mail)["answers"]["users_affected"] == "40"


def test_what_hangs_on_another_answer_is_kept_with_it_only(
    provider: Provider, customer: Customer, token: str
) -> None:
    mail = told(
        provider, customer, token, "impact", workaround="no", workaround_description="por teléfono"
    )
    assert twin_of(mail)["answers"]["workaround_description"] is None
    assert "por teléfono" not in text_of(mail).lower().split("qué supone para ustedes")[1]
    mail = told(
        provider, customer, token, "impact", workaround="yes", workaround_description="a mano"
    )
    assert twin_of(mail)["answers"]["workaround_description"] == "a mano"


def test_pressing_send_twice_sends_one_mail(
    provider: Provider, customer: Customer, token: str
) -> None:
    answer(customer, token, "impact", users_affected="40")
    customer.open(f"/r/{token}/details/review")
    review = customer.page
    customer.submit()
    customer.page = review
    page = customer.submit()
    assert "No hay nada nuevo que enviar." in page.text
    assert len(followups(provider, token)) == 1
    provider.work()
    customer.page = review
    customer.submit()
    assert len(followups(provider, token)) == 1


def test_clicks_at_the_same_moment_send_one_mail(make_app: Callable[..., Flask]) -> None:
    with a_provider_made_by(make_app) as provider:
        token = provider.report()
        customers = [provider.customer(token) for _ in range(4)]
        answer(customers[0], token, "impact", users_affected="40")
        for each in customers:
            each.open(f"/r/{token}/details/review")
        with ThreadPoolExecutor(4) as pool:
            pages = list(pool.map(lambda each: each.submit(), customers))
        sent = ["Hemos guardado sus detalles" in page.text for page in pages]
        assert sorted(sent) == [False, False, False, True]
        assert len(followups(provider, token)) == 1


def test_details_that_follow_at_once_go_out_together_after_a_minute(
    provider: Provider, customer: Customer, token: str
) -> None:
    def details(number: int) -> list[EmailMessage]:
        answer(customer, token, "impact", users_affected=str(number))
        send(customer, token)
        return followups_in(provider.work())

    def followups_in(mails: list[EmailMessage]) -> list[EmailMessage]:
        return [mail for mail in mails if mail["In-Reply-To"]]

    assert [block_of(mail)["users_affected"] for mail in details(1)] == ["1"]
    for number in range(2, 5):
        provider.later(seconds=10)
        assert details(number) == []
    provider.later(seconds=30)
    (mail,) = provider.work()
    assert block_of(mail)["users_affected"] == "4"
    assert block_of(mail)["news"] == "details, details, details"
    provider.later(seconds=59)
    assert details(5) == []
    provider.later(seconds=1)
    assert len(provider.work()) == 1
    provider.later(minutes=1)
    assert len(details(6)) == 1


def test_details_join_an_update_that_waits_and_hurry_it(
    provider: Provider, customer: Customer, token: str
) -> None:
    customer.submit("update", kind="worse", text="")
    answer(customer, token, "impact", users_affected="40")
    send(customer, token)
    (mail,) = provider.work()
    assert block_of(mail)["news"] == "worse, details"


def test_what_was_sent_is_on_the_receipt_and_in_the_customers_copy(
    provider: Provider, customer: Customer, token: str
) -> None:
    answer(customer, token, "impact", users_affected="40 personas")
    assert "40 personas" not in customer.open(f"/r/{token}").text  # a draft is none of it yet
    page = send(customer, token)
    assert "40 personas" in page.text
    assert "Más detalles" in page.text
    assert "40 personas" in customer.open(f"/r/{token}/ticket.txt").html
    copy = json.loads(customer.open(f"/r/{token}/ticket.json").html)
    assert copy["answers"]["users_affected"] == "40 personas"


def test_a_follow_up_after_the_details_still_has_them(
    provider: Provider, customer: Customer, token: str
) -> None:
    answer(customer, token, "impact", users_affected="40")
    send(customer, token)
    provider.work()
    customer.open(f"/r/{token}")
    customer.submit("update", kind="info", text="Más")
    provider.later(minutes=1)
    (mail,) = provider.work()
    assert block_of(mail)["users_affected"] == "40"
    assert marked(mail) == []
