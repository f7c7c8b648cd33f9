"""What support would have to ask: named at the top of the ticket, for programs and for people."""

from __future__ import annotations

from pathlib import Path

import pytest
from provider import Provider, a_provider, block_of, text_of, to_support

IMPORTANT = {
    "users affected": "a cuántas personas afecta",
    "tests done": "qué han probado, por orden, y qué ocurrió",
    "allowed actions": "qué podemos hacer sin volver a preguntarle",
}
LEFT_OUT = {
    "affected": "a qué afecta",
    "error message": "el mensaje de error, tal como aparece",
    "frequency": "con qué frecuencia",
}


def told(provider: Provider, **changes: str) -> tuple[str | None, str]:
    """What the ticket's block and the line after it say is missing."""
    provider.report(str(changes), **changes)
    mail = to_support(provider.work())[-1]
    _block, _told, behind = text_of(mail).partition("\n\nFalta por preguntar: ")
    return block_of(mail).get("missing"), behind.partition("\n\n")[0]


@pytest.mark.parametrize("impact", ["critical", "major"])
def test_an_important_incident_misses_its_important_details(
    provider: Provider, impact: str
) -> None:
    block, prose = told(provider, impact=impact)
    assert block == ", ".join(IMPORTANT)
    assert prose == "; ".join(IMPORTANT.values()) + "."


@pytest.mark.parametrize("impact", ["minor", "question"])
def test_any_other_does_not(provider: Provider, impact: str) -> None:
    assert told(provider, impact=impact) == (None, "")


@pytest.mark.parametrize("key", list(LEFT_OUT))
def test_what_was_left_out_is_named_whatever_the_severity(provider: Provider, key: str) -> None:
    changes = {key.replace(" ", "_"): " "}
    assert told(provider, impact="minor", **changes) == (key, f"{LEFT_OUT[key]}.")
    block, prose = told(provider, impact="critical", **changes)
    assert block == ", ".join([key, *IMPORTANT])
    assert prose.startswith(f"{LEFT_OUT[key]}; ")


def test_what_was_not_asked_is_not_missing(provider: Provider) -> None:
    assert told(provider, impact="minor", pattern="continuous", frequency="") == (None, "")


def test_what_may_be_left_out_is_not_missing(provider: Provider) -> None:
    blank = dict.fromkeys(["company", "customer_number"], "")
    assert told(provider, impact="minor", preferred_channel="email", phone="", **blank) == (
        None,
        "",
    )


def test_not_knowing_is_an_answer(provider: Provider) -> None:
    assert told(provider, impact="minor", pattern="unknown", started="unknown") == (None, "")


def test_the_line_follows_the_prose_in_the_language_of_support(tmp_path: Path) -> None:
    with a_provider(tmp_path, SUPPORT_LOCALE="en") as provider:
        provider.report(language="es")
        (ticket,) = to_support(provider.work())
        assert block_of(ticket)["missing"] == ", ".join(IMPORTANT)
        assert text_of(ticket).split("\n\n")[2] == (
            "Still to ask: how many people does it affect; what have you tried, in order,"
            " and what happened; what may we do without asking you again."
        )


def test_it_is_support_and_not_the_customer_whose_language_it_is(provider: Provider) -> None:
    provider.report(language="en")
    (ticket,) = to_support(provider.work())
    assert "\n\nFalta por preguntar: a cuántas personas afecta;" in text_of(ticket)


def test_what_the_details_answer_is_missing_no_more(provider: Provider) -> None:
    token = provider.report()
    provider.work()
    customer = provider.customer(token)
    customer.open(f"/r/{token}/details/impact")
    customer.submit(users_affected="40")
    customer.open(f"/r/{token}/details/review")
    customer.submit()
    (first,) = provider.work()
    assert block_of(first)["missing"] == "tests done, allowed actions"
    told = text_of(first).split("\n\n")[2]
    assert told.startswith("Falta por preguntar: qué han probado")
    assert "a cuántas personas afecta" not in told
    customer.open(f"/r/{token}/details/evidence")
    customer.submit(tests_done="Reiniciar")
    customer.open(f"/r/{token}/details/authorisation")
    customer.submit(allowed_actions="reboot")
    customer.open(f"/r/{token}/details/review")
    customer.submit()
    provider.later(minutes=1)
    (second,) = provider.work()
    assert "missing" not in block_of(second)
    assert "Falta por preguntar" not in text_of(second)


def test_the_customer_is_not_told_what_support_will_ask(provider: Provider) -> None:
    token = provider.report()
    customer = provider.customer(token)
    assert "Falta por preguntar" not in customer.page.text
    assert "Falta por preguntar" not in customer.open(f"/r/{token}/ticket.txt").html
