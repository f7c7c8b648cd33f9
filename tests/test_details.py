"""The second stage: what is asked in which order, and nothing typed is lost."""

from __future__ import annotations

import pytest
from customers import Customer
from details_of import answer, followups, send
from provider import Provider, a_picture, block_of

from reporter.web.question import questions
from reporter.wizard.detail_steps import ASKED_DETAIL_STEPS, DETAIL_STEPS

pytestmark = pytest.mark.ticket_sent
SLUGS = ["evidence", "impact", "authorisation"]


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
def test_every_page_opens_at_once_in_any_order(customer: Customer, token: str, slug: str) -> None:
    page = customer.open(f"/r/{token}/details/{slug}")
    assert page.status == 200
    assert page.action == f"/r/{token}/details/{slug}"


def test_a_step_leads_to_the_next_and_a_change_back_to_the_review(
    customer: Customer, token: str
) -> None:
    customer.open(f"/r/{token}/details/evidence")
    for slug in ("impact", "authorisation", "review"):
        assert customer.submit().action == f"/r/{token}/details/{slug}"
    customer.open(f"/r/{token}/details/impact?change=1")
    assert customer.submit(deadline="hoy").action == f"/r/{token}/details/review"


def test_each_page_can_be_the_last(customer: Customer, token: str) -> None:
    for slug, answers in {
        "evidence": {"hypothesis": "el DNS"},
        "impact": {"deadline": "hoy"},
    }.items():
        customer.open(f"/r/{token}/details/{slug}")
        assert customer.submit(go="review", **answers).action == f"/r/{token}/details/review"
        assert "".join(answers.values()) in customer.page.text
    # Once some came, they are asked for no more.
    send(customer, token)
    assert "Lo que más nos ayuda ahora" not in customer.open(f"/r/{token}").text
    assert customer.page.links[f"/r/{token}/details/evidence"] == "Añadir detalles y capturas"
    customer.open(f"/r/{token}/details/evidence")
    assert customer.submit(go="review", last_worked_at="2199-01-01T00:00").status == 422


def test_going_back_leads_to_the_receipt(customer: Customer, token: str) -> None:
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


def test_nothing_must_be_answered(provider: Provider, customer: Customer, token: str) -> None:
    customer.open(f"/r/{token}/details/evidence")
    for _ in SLUGS:
        assert customer.submit().status == 200
    assert customer.page.text.count("Aún no hay nada aquí.") == 3
    page = customer.submit()
    assert "No hay nada nuevo que enviar." in page.text
    assert followups(provider, token) == []


# What is typed stays


def test_a_draft_is_kept_for_whoever_has_the_receipt(provider: Provider, token: str) -> None:
    answer(provider.customer(token), token, "impact", users_affected="40", workaround="no")
    page = provider.customer(token).open(f"/r/{token}/details/impact")
    assert page.fields["users_affected"] == "40"
    assert page.fields["workaround"] == "no"
    provider.later(days=3)
    page = provider.customer(token).open(f"/r/{token}/details/impact")
    assert page.fields["users_affected"] == "40"


def test_what_was_chosen_can_be_taken_back(
    provider: Provider, customer: Customer, token: str
) -> None:
    answer(customer, token, "impact", workaround="no", deadline="hoy")
    assert answer(customer, token, "impact", workaround="").status == 200
    assert customer.open(f"/r/{token}/details/impact").fields["workaround"] == ""
    send(customer, token)
    (mail,) = followups(provider, token)
    assert "workaround" not in block_of(mail)


def test_what_was_sent_is_there_to_be_changed(customer: Customer, token: str) -> None:
    answer(customer, token, "impact", users_affected="40")
    send(customer, token)
    page = customer.open(f"/r/{token}/details/impact")
    assert page.fields["users_affected"] == "40"


def test_drafts_of_two_reports_know_nothing_of_one_another(
    provider: Provider, customer: Customer, token: str
) -> None:
    other = provider.report("another")
    answer(customer, token, "impact", users_affected="40")
    assert customer.open(f"/r/{other}/details/impact").fields["users_affected"] == ""
    send(customer, other)
    assert followups(provider, other) == []


def test_what_is_not_valid_yet_is_kept_and_not_sent(
    provider: Provider, customer: Customer, token: str
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


def test_every_error_is_shown_at_once(customer: Customer, token: str) -> None:
    customer.open(f"/r/{token}/details/authorisation")
    page = customer.forge(
        authorised_by="x" * 201,
        other_providers="x" * 5001,
        security_suspected="perhaps",
        allowed_actions=["reboot", "format_the_disk"],
    )
    assert page.status == 422
    assert set(page.errors) == {
        "authorised_by", "other_providers", "security_suspected", "allowed_actions",
    }  # fmt: skip
    assert set(page.listed) == set(page.errors)
    assert page.fields["authorised_by"] == "x" * 201


@pytest.mark.parametrize(
    ("language", "above"),
    [
        (
            "en",
            {
                "users_affected": "How many people does it affect? Use 200 characters or fewer; "
                "you have written 201",
                "deadline": "When do you need it working by? Use 200 characters or fewer; you have "
                "written 202",
            },
        ),
        (
            "es",
            {
                "users_affected": "¿A cuántas personas afecta? Use 200 caracteres como máximo; ha "
                "escrito 201",
                "deadline": "¿Para cuándo necesitan que funcione? Use 200 caracteres como máximo; "
                "ha escrito 202",
            },
        ),
    ],
)
def test_an_error_above_the_form_says_of_which_question_it_is(
    customer: Customer, token: str, language: str, above: dict[str, str]
) -> None:
    customer.open(f"/r/{token}/details/impact?lang={language}")
    customer.open(f"/r/{token}/details/impact")
    page = customer.submit(users_affected="x" * 201, deadline="x" * 202)
    assert page.listed == above
    assert set(page.errors) == set(above)
    assert all(above[name].endswith(f" {error}") for name, error in page.errors.items())


@pytest.mark.parametrize(
    "proof", [{"Origin": "https://incidents.example.com"}, {"Sec-Fetch-Site": "same-origin"}]
)
def test_a_stale_page_of_ours_loses_no_file_either(
    customer: Customer, token: str, proof: dict[str, str]
) -> None:
    customer.open(f"/r/{token}/details/evidence")
    customer.headers |= proof
    files = [("captura.png", a_picture())]
    page = customer.submit(files=files, csrf_token="stale", tests_done="ping")
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
    customer: Customer, token: str, slug: str
) -> None:
    text = "un texto\r\nde dos líneas <b>"
    field = "business_impact" if slug == "impact" else "tests_done"
    customer.open(f"/r/{token}/details/{slug}")
    files = [("captura.png", a_picture())] if slug == "evidence" else []
    page = customer.submit(files=files, csrf_token="stale", **{field: text})
    assert page.status == 422
    assert "Vuelva a pulsar el botón" in page.text
    assert page.fields[field] == text
    # A page of a stranger's keeps no file here.
    assert ("Tendrá que elegir de nuevo los archivos" in page.text) == (slug == "evidence")
    assert "captura.png" not in page.text
    page = customer.submit(files=files)
    assert page.status == 200
    assert ("captura.png" in customer.open(f"/r/{token}/details/review").text) == bool(files)
    page = customer.open(f"/r/{token}/details/{slug}")
    assert page.fields[field] == text


def test_a_stale_review_sends_nothing_and_says_so(
    provider: Provider, customer: Customer, token: str
) -> None:
    answer(customer, token, "impact", users_affected="40")
    customer.open(f"/r/{token}/details/review")
    page = customer.submit(csrf_token="stale")
    assert page.status == 422
    assert "Vuelva a pulsar el botón" in page.text
    assert followups(provider, token) == []
    customer.submit()
    assert len(followups(provider, token)) == 1


def test_another_language_keeps_what_is_typed(customer: Customer, token: str) -> None:
    customer.open(f"/r/{token}/details/impact")
    page = customer.submit(lang="en", users_affected="40")
    assert "How many people does it affect?" in page.text
    assert page.fields["users_affected"] == "40"


def test_a_secret_is_pointed_out_on_the_review_and_not_blocked(
    provider: Provider, customer: Customer, token: str
) -> None:
    answer(customer, token, "evidence", tests_done="Entré con pass=Xk4!pz92 y nada")
    page = customer.open(f"/r/{token}/details/review")
    assert "Revise esto antes de enviar" in page.text
    customer.submit()
    assert len(followups(provider, token)) == 1
