"""The second stage: more about an important incident, in any order, in one follow-up."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import polib
import pytest
from catalogues import catalogue_path
from factories import SENT_AT, Customer, Page
from flask import Flask
from flask_babel import force_locale
from jsonschema import Draft202012Validator, FormatChecker
from provider import (
    Provider,
    Visitor,
    a_picture,
    a_provider,
    a_provider_made_by,
    block_of,
    text_of,
    to_support,
)
from wtforms import Form

from reporter.mail import ticket_json
from reporter.web.fields import Checkboxes, Files, Radios
from reporter.web.question import Question, questions
from reporter.wizard.detail_steps import ASKED_DETAIL_STEPS, DETAIL_STEPS
from reporter.wizard.steps import REPORT_STEPS
from reporter.wizard.time_fields import PastTime

SLUGS = ["evidence", "impact", "authorisation"]


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[Provider]:
    with a_provider(tmp_path) as provider:
        yield provider


@pytest.fixture
def token(provider: Provider) -> str:
    token = provider.report()
    provider.work()
    return token


@pytest.fixture
def customer(provider: Provider, token: str) -> Visitor:
    return provider.customer(token)


def answer(customer: Customer, token: str, slug: str, **answers: Any) -> Page:
    """Open a step, fill in *answers* and press the button; the next page."""
    customer.open(f"/r/{token}/details/{slug}")
    return customer.submit(**answers)


def send(customer: Customer, token: str) -> Page:
    customer.open(f"/r/{token}/details/review")
    return customer.submit()


def followups(provider: Provider, token: str) -> list[EmailMessage]:
    return [mail for mail in to_support(provider.mails_of(token)) if mail["In-Reply-To"]]


def twin_of(mail: EmailMessage) -> dict[str, Any]:
    *_, part = mail.iter_attachments()
    content: dict[str, Any] = json.loads(part.get_content())
    return content


def marked(mail: EmailMessage, mark: str = "nuevo") -> list[str]:
    """The questions whose answer is marked as new."""
    lines = [line for line in text_of(mail).splitlines() if not line.startswith("| ")]
    return [line.removesuffix(f" ({mark})") for line in lines if line.endswith(f" ({mark})")]


# What is asked, and in which order


def test_the_steps_and_their_keys_are_those_of_the_contract(provider: Provider) -> None:
    with provider.app.test_request_context():
        keys = {step.slug: [q.name for q in questions(step.form())] for step in DETAIL_STEPS}
    assert [step.slug for step in ASKED_DETAIL_STEPS] == SLUGS
    assert keys == {
        "impact": [
            "users_affected", "business_impact", "deadline", "workaround",
            "workaround_description", "still_works",
        ],
        "evidence": ["tests_done", "seen_from", "last_worked_at", "hypothesis", "files"],
        "authorisation": [
            "allowed_actions", "authorised_by", "on_site_contact", "available_until",
            "other_providers", "security_suspected", "data_loss_suspected", "wants_root_cause",
        ],
    }  # fmt: skip


@pytest.mark.parametrize("impact", ["critical", "major"])
def test_an_important_incident_is_asked_for_details_first(provider: Provider, impact: str) -> None:
    token = provider.report(impact=impact)
    page = provider.customer(token).page
    suggestion = page.html.index("Lo que más nos ayuda ahora")
    assert suggestion < page.html.index("Qué pasa ahora")
    assert page.html.count(f"/r/{token}/details/evidence") == 1


@pytest.mark.parametrize("impact", ["minor", "question"])
def test_any_other_finds_the_same_link_quietly(provider: Provider, impact: str) -> None:
    token = provider.report(impact=impact)
    customer = provider.customer(token)
    assert "Lo que más nos ayuda ahora" not in customer.page.text
    assert customer.page.links[f"/r/{token}/details/evidence"] == "Añadir detalles y capturas"
    assert customer.open(f"/r/{token}/details/evidence").status == 200


@pytest.mark.parametrize("slug", [*SLUGS, "review"])
def test_every_page_opens_at_once_in_any_order(customer: Visitor, token: str, slug: str) -> None:
    page = customer.open(f"/r/{token}/details/{slug}")
    assert page.status == 200
    assert page.action == f"/r/{token}/details/{slug}"


def test_a_step_leads_to_the_next_and_a_change_back_to_the_review(
    customer: Visitor, token: str
) -> None:
    customer.open(f"/r/{token}/details/evidence")
    for slug in ("impact", "authorisation", "review"):
        assert customer.submit().action == f"/r/{token}/details/{slug}"
    customer.open(f"/r/{token}/details/impact?change=1")
    assert customer.submit(deadline="hoy").action == f"/r/{token}/details/review"


def test_going_back_leads_to_the_receipt(customer: Visitor, token: str) -> None:
    customer.open(f"/r/{token}/details/impact")
    page = customer.submit(go="back", deadline="a medias")
    assert page.action == f"/r/{token}/details/evidence"
    assert "INC-" in customer.submit(go="back").text
    page = customer.open(f"/r/{token}/details/impact")
    assert page.fields["deadline"] == "a medias"


def test_pages_of_a_receipt_that_is_not_there_are_not_there(provider: Provider, token: str) -> None:
    customer = Customer(provider.app)
    for slug in (*SLUGS, "review"):
        assert customer.open(f"/r/wrong/details/{slug}").status == 404
    assert customer.open(f"/r/{token}/details/failure").status == 404


def test_nothing_must_be_answered(provider: Provider, customer: Visitor, token: str) -> None:
    customer.open(f"/r/{token}/details/evidence")
    for _ in SLUGS:
        assert customer.submit().status == 200
    assert customer.page.text.count("Aún no hay nada aquí.") == 3
    page = customer.submit()
    assert "Nada ha cambiado desde que envió los detalles por última vez." in page.text
    assert followups(provider, token) == []


# What is sent


def test_details_are_one_follow_up_with_what_is_new_and_the_whole_block(
    provider: Provider, customer: Visitor, token: str
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
    provider: Provider, customer: Visitor, token: str
) -> None:
    answer(customer, token, "impact", users_affected="40", deadline="hoy a las 18:00")
    send(customer, token)
    (mail,) = followups(provider, token)
    assert marked(mail) == ["¿A cuántas personas afecta?", "¿Para cuándo necesitan que funcione?"]


def test_later_only_what_is_newer_is_marked(
    provider: Provider, customer: Visitor, token: str
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
    provider: Provider, customer: Visitor, token: str
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
    provider: Provider, customer: Visitor, token: str
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
    provider: Provider, customer: Visitor, token: str
) -> None:
    answer(customer, token, "authorisation", security_suspected="unknown", wants_root_cause="no")
    send(customer, token)
    (mail,) = followups(provider, token)
    answers = twin_of(mail)["answers"]
    assert answers["security_suspected"] == "unknown"
    assert answers["data_loss_suspected"] is None
    assert answers["wants_root_cause"] == "no"
    assert block_of(mail)["security_suspected"] == "unknown"
    assert "data_loss_suspected" not in block_of(mail)
    assert "| No lo sé\n" in text_of(mail)
    assert "¿Podrían haberse perdido datos?" not in text_of(mail)


def test_an_answer_that_nobody_has_to_give_can_be_taken_back(
    provider: Provider, customer: Visitor, token: str
) -> None:
    page = customer.open(f"/r/{token}/details/impact")
    taken_back = '<input type="radio" name="workaround" value="" id="f-workaround-none"'
    assert taken_back in page.html
    assert '<input type="radio" name="service" value=""' not in page.html
    answer(customer, token, "impact", workaround="yes", users_affected="40")
    answer(customer, token, "impact", workaround="")
    send(customer, token)
    (mail,) = followups(provider, token)
    assert twin_of(mail)["answers"]["workaround"] is None
    assert twin_of(mail)["answers"]["users_affected"] == "40"


def test_what_hangs_on_another_answer_is_kept_with_it_only(
    provider: Provider, customer: Visitor, token: str
) -> None:
    answer(customer, token, "impact", workaround="no", workaround_description="por teléfono")
    send(customer, token)
    (mail,) = followups(provider, token)
    assert twin_of(mail)["answers"]["workaround_description"] is None
    assert "por teléfono" not in text_of(mail).lower().split("qué supone para ustedes")[1]
    answer(customer, token, "impact", workaround="yes", workaround_description="a mano")
    send(customer, token)
    (mail,) = followups(provider, token)
    assert twin_of(mail)["answers"]["workaround_description"] == "a mano"


def test_pressing_send_twice_sends_one_mail(
    provider: Provider, customer: Visitor, token: str
) -> None:
    answer(customer, token, "impact", users_affected="40")
    customer.open(f"/r/{token}/details/review")
    review = customer.page
    customer.submit()
    customer.page = review
    page = customer.submit()
    assert "Nada ha cambiado desde que envió los detalles por última vez." in page.text
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
    provider: Provider, customer: Visitor, token: str
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
    provider: Provider, customer: Visitor, token: str
) -> None:
    customer.submit(kind="worse", text="")
    answer(customer, token, "impact", users_affected="40")
    send(customer, token)
    (mail,) = provider.work()
    assert block_of(mail)["news"] == "worse, details"


def test_what_was_sent_is_on_the_receipt_and_in_the_customers_copy(
    provider: Provider, customer: Visitor, token: str
) -> None:
    answer(customer, token, "impact", users_affected="40 personas")
    assert "40 personas" not in customer.open(f"/r/{token}").text  # a draft is none of it yet
    page = send(customer, token)
    assert "40 personas" in page.text
    assert "Más detalles" in page.text
    assert "40 personas" in customer.open(f"/r/{token}/ticket.txt").html
    copy = json.loads(customer.open(f"/r/{token}/ticket.json").html)
    assert copy["answers"]["users_affected"] == "40 personas"


# What is typed stays


def test_a_draft_is_kept_for_whoever_has_the_receipt(provider: Provider, token: str) -> None:
    answer(provider.customer(token), token, "impact", users_affected="40", workaround="no")
    page = provider.customer(token).open(f"/r/{token}/details/impact")
    assert page.fields["users_affected"] == "40"
    assert page.fields["workaround"] == "no"
    provider.later(days=3)
    page = provider.customer(token).open(f"/r/{token}/details/impact")
    assert page.fields["users_affected"] == "40"


def test_what_was_sent_is_there_to_be_changed(customer: Visitor, token: str) -> None:
    answer(customer, token, "impact", users_affected="40")
    send(customer, token)
    page = customer.open(f"/r/{token}/details/impact")
    assert page.fields["users_affected"] == "40"


def test_drafts_of_two_reports_know_nothing_of_one_another(
    provider: Provider, customer: Visitor, token: str
) -> None:
    other = provider.report("another")
    answer(customer, token, "impact", users_affected="40")
    assert customer.open(f"/r/{other}/details/impact").fields["users_affected"] == ""
    send(customer, other)
    assert followups(provider, other) == []


def test_what_is_not_valid_yet_is_kept_and_not_sent(
    provider: Provider, customer: Visitor, token: str
) -> None:
    page = answer(
        customer, token, "evidence", last_worked_at="2026-12-31T00:00", hypothesis="el proxy"
    )
    assert (page.status, set(page.errors)) == (422, {"last_worked_at"})
    page = customer.open(f"/r/{token}/details/review")
    assert page.action == f"/r/{token}/details/evidence"
    assert set(page.errors) == {"last_worked_at"}
    assert page.fields["hypothesis"] == "el proxy"
    assert followups(provider, token) == []
    customer.submit(last_worked_at="")
    assert "el proxy" in send(customer, token).text


def test_every_error_is_shown_at_once(customer: Visitor, token: str) -> None:
    page = answer(
        customer,
        token,
        "authorisation",
        authorised_by="x" * 201,
        other_providers="x" * 5001,
        security_suspected="perhaps",
        allowed_actions=["reboot", "format_the_disk"],
    )
    assert page.status == 422
    assert set(page.errors) == {
        "authorised_by", "other_providers", "security_suspected", "allowed_actions",
    }  # fmt: skip
    assert page.errors == page.listed
    assert page.fields["authorised_by"] == "x" * 201


@pytest.mark.parametrize(
    "proof", [{"Origin": "https://incidents.example.com"}, {"Sec-Fetch-Site": "same-origin"}]
)
def test_a_stale_page_of_ours_loses_no_file_either(
    customer: Visitor, token: str, proof: dict[str, str]
) -> None:
    customer.open(f"/r/{token}/details/evidence")
    customer.headers |= proof
    page = customer.chooses(("captura.png", a_picture()), csrf_token="stale", tests_done="ping")
    assert page.status == 422
    assert "Vuelva a pulsar el botón" in page.text
    assert "Tendrá que elegir" not in page.text
    assert page.fields["tests_done"] == "ping"
    assert "captura.png" in page.text
    assert customer.submit().status == 200
    review = customer.open(f"/r/{token}/details/review").text
    assert "captura.png" in review
    assert "ping" in review


@pytest.mark.parametrize("slug", ["impact", "evidence"])
def test_a_stale_page_loses_no_text_and_says_that_files_have_to_be_chosen_again(
    customer: Visitor, token: str, slug: str
) -> None:
    text = "un texto\r\nde dos líneas <b>"
    field = "business_impact" if slug == "impact" else "tests_done"
    customer.open(f"/r/{token}/details/{slug}")
    files = [("captura.png", a_picture())] if slug == "evidence" else []
    page = customer.chooses(*files, csrf_token="stale", **{field: text})
    assert page.status == 422
    assert "Vuelva a pulsar el botón" in page.text
    assert page.fields[field] == text
    # A page of a stranger's keeps no file here.
    assert ("Tendrá que elegir de nuevo los archivos" in page.text) == (slug == "evidence")
    assert "captura.png" not in page.text
    page = customer.chooses(*files)
    assert page.status == 200
    assert ("captura.png" in customer.open(f"/r/{token}/details/review").text) == bool(files)
    page = customer.open(f"/r/{token}/details/{slug}")
    assert page.fields[field] == text


def test_a_stale_review_sends_nothing_and_says_so(
    provider: Provider, customer: Visitor, token: str
) -> None:
    answer(customer, token, "impact", users_affected="40")
    customer.open(f"/r/{token}/details/review")
    page = customer.submit(csrf_token="stale")
    assert page.status == 422
    assert "Vuelva a pulsar el botón" in page.text
    assert followups(provider, token) == []
    customer.submit()
    assert len(followups(provider, token)) == 1


def test_another_language_keeps_what_is_typed(customer: Visitor, token: str) -> None:
    customer.open(f"/r/{token}/details/impact")
    page = customer.submit(lang="en", users_affected="40")
    assert "How many people does it affect?" in page.text
    assert page.fields["users_affected"] == "40"


def test_a_secret_is_pointed_out_on_the_review_and_not_blocked(
    provider: Provider, customer: Visitor, token: str
) -> None:
    answer(customer, token, "evidence", tests_done="Entré con pass=Xk4!pz92 y nada")
    page = customer.open(f"/r/{token}/details/review")
    assert "Revise esto antes de enviar" in page.text
    customer.submit()
    assert len(followups(provider, token)) == 1


# When it last worked


@pytest.mark.parametrize(
    ("zone", "typed", "told"),
    [
        (
            "Europe/Madrid",
            "2026-11-23T01:22",
            "23 nov 2026 01:22 (Europe/Madrid) · 00:22 UTC · 2 horas antes de este aviso",
        ),
        (
            "America/Bogota",
            "2026-11-22T19:22",
            "22 nov 2026 19:22 (America/Bogota) · 23 nov 2026 00:22 UTC"
            " · 2 horas antes de este aviso",
        ),
        (
            "Europe/Madrid",
            "22/11/2026 18:00",
            "22 nov 2026 18:00 (Europe/Madrid) · 17:00 UTC · 9 horas y 22 minutos antes"
            " de este aviso",
        ),
        # It was 2:30 twice that night: the earlier is meant, at 0:30 UTC.
        (
            "Europe/Madrid",
            "2026-10-25T02:30",
            "25 oct 2026 02:30 (Europe/Madrid) · 00:30 UTC · 29 días y 1 hora antes de este aviso",
        ),
    ],
)
def test_when_it_last_worked_is_told_in_the_zone_of_the_report(
    provider: Provider, zone: str, typed: str, told: str
) -> None:
    token = provider.report(timezone=zone, started="just_now")
    customer = provider.customer(token)
    page = answer(customer, token, "evidence", last_worked_at=typed)
    assert page.status == 200
    send(customer, token)
    (mail,) = followups(provider, token)
    assert f"¿Cuándo le consta que funcionó por última vez? (nuevo)\n| {told}\n" in text_of(mail)


@pytest.mark.parametrize(
    ("zone", "typed", "message"),
    [
        (
            "Europe/Madrid",
            "2026-03-29T02:30",
            "That time did not exist: the clocks went forward. Check the hour",
        ),
        ("Europe/Madrid", "2026-11-23T03:25", "That time is in the future. Check the date"),
        ("America/Bogota", "2026-11-22T21:25", "That time is in the future. Check the date"),
        ("Europe/Madrid", "ayer", "Enter the date and the time, for example 2026-11-23 02:40"),
        (
            "Europe/Madrid",
            "0001-01-01T00:00",
            "Enter the date and the time, for example 2026-11-23 02:40",
        ),
        ("America/Bogota", "2026-03-29T02:30", None),
        ("America/Bogota", "2026-11-22T21:23", None),
        ("Europe/Madrid", "2026-11-23T03:24", None),
    ],
)
def test_a_time_that_cannot_be_is_refused_in_the_zone_of_the_report(
    provider: Provider, zone: str, typed: str, message: str | None
) -> None:
    token = provider.report(timezone=zone, started="just_now")
    page = answer(provider.customer(token, "en"), token, "evidence", last_worked_at=typed)
    assert page.errors.get("last_worked_at") == message
    assert page.status == (422 if message else 200)


def test_the_browser_of_another_zone_changes_nothing(provider: Provider) -> None:
    """The zone is the report's, whatever the provider's is."""
    token = provider.report(timezone="Asia/Tokyo", started="just_now")
    customer = provider.customer(token)
    answer(customer, token, "evidence", last_worked_at="2026-11-23T11:00")
    send(customer, token)
    (mail,) = followups(provider, token)
    assert "23 nov 2026 11:00 (Asia/Tokyo) · 02:00 UTC" in text_of(mail)


# Each question, everywhere


def some_answer(question: Question) -> Any:
    """An answer that any question of its kind takes; None for files."""
    if isinstance(question, Files):
        return None
    if isinstance(question, PastTime):
        return "2026-11-22T18:00"
    if isinstance(question, Checkboxes):
        return [choice.value for choice in question.iter_choices()][:2]
    if isinstance(question, Radios):
        return next(choice.value for choice in question.iter_choices())
    return f"Respuesta a {question.name}"


def forms(provider: Provider) -> dict[str, Form]:
    with provider.app.test_request_context():
        return {step.slug: step.form(meta={"csrf": False}) for step in DETAIL_STEPS}


def test_each_question_is_on_the_review_in_the_mail_in_the_json_and_in_the_schema(
    provider: Provider, customer: Visitor, token: str
) -> None:
    given: dict[str, Any] = {}
    for slug, form in forms(provider).items():
        answers = {q.name: some_answer(q) for q in questions(form) if not isinstance(q, Files)}
        given |= answers
        answer(customer, token, slug, **answers)
    customer.open(f"/r/{token}/details/evidence")
    customer.chooses(("captura.png", a_picture()))
    given["files"] = ["captura.png"]
    review = customer.open(f"/r/{token}/details/review")
    send(customer, token)
    (mail,) = followups(provider, token)
    told = provider.receipt(token).report
    answers = {answer.name: answer for answer in told.each("es")}
    properties = ticket_json.schema()["properties"]["answers"]["properties"]
    for name, value in given.items():
        label, text = answers[name].label, answers[name].text
        assert text, name
        if name != "files":
            assert f'id="a-{name}"' in review.html
            assert all(line in review.text for line in text.splitlines()), name
        assert f"{label} (nuevo)\n" in text_of(mail), name
        assert all(f"\n| {line}\n" in text_of(mail) for line in text.splitlines()), name
        if name == "last_worked_at":
            value += ":00+01:00"
        assert twin_of(mail)["answers"][name] == value
        assert name in properties
        if answers[name].key:
            assert block_of(mail)[answers[name].key]
    assert "captura.png" in review.text
    checker = Draft202012Validator(ticket_json.schema(), format_checker=FormatChecker())
    assert list(checker.iter_errors(twin_of(mail))) == []


def test_the_schema_asks_for_the_questions_of_both_stages_and_no_others(
    provider: Provider,
) -> None:
    with provider.app.test_request_context():
        names = [
            question.name
            for step in (*REPORT_STEPS, *DETAIL_STEPS)
            for question in questions(step.form())
        ]
    answers = ticket_json.schema()["properties"]["answers"]
    assert list(answers["properties"]) == names
    assert answers["required"] == names


@pytest.mark.parametrize("language", ["es", "en"])
def test_each_question_is_in_the_catalogue_of_every_language(
    provider: Provider, language: str
) -> None:
    """Its label, its hint, its choices, and the title of its page."""
    catalogue = {entry.msgid: entry for entry in polib.pofile(str(catalogue_path(language)))}
    with provider.app.test_request_context(), force_locale("en"):
        for step in DETAIL_STEPS:
            form = step.form()
            words = [str(form.title), str(form.about), str(form.lead)]
            for question in questions(form):
                words += [str(question.label.text), str(question.hint)]
                words += [str(c.label) for c in getattr(question, "iter_choices", tuple)()]
            for word in filter(None, words):
                assert word in catalogue
                assert language == "en" or catalogue[word].translated(), word


def test_a_follow_up_after_the_details_still_has_them(
    provider: Provider, customer: Visitor, token: str
) -> None:
    answer(customer, token, "impact", users_affected="40")
    send(customer, token)
    provider.work()
    customer.open(f"/r/{token}")
    customer.submit(kind="info", text="Más")
    provider.later(minutes=1)
    (mail,) = provider.work()
    assert block_of(mail)["users_affected"] == "40"
    assert marked(mail) == []


def test_a_moment_is_that_of_the_customers_clock(provider: Provider) -> None:
    """A time that was fine when it was typed is not refused when it is sent."""
    token = provider.report(started="just_now")
    customer = provider.customer(token)
    typed = (SENT_AT + timedelta(hours=1, minutes=2)).replace(tzinfo=None)
    answer(customer, token, "evidence", last_worked_at=f"{typed:%Y-%m-%dT%H:%M}")
    provider.at(datetime(2026, 11, 23, 2, 30, tzinfo=SENT_AT.tzinfo))
    assert "Hemos guardado sus detalles" in send(customer, token).text
