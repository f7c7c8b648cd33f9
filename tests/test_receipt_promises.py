"""A receipt tells the truth of what was promised and of every mail: late, refused, and why it is
no matter of the customer's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from customers import Customer
from provider import Provider, a_provider

LATE = (
    "El equipo de soporte anunció una actualización para el 23 nov 2026 03:40 y aún no ha llegado."
)
PHONE = "+34 900 000 000"
NOBODY = "550 5.1.1 no such user"


@pytest.fixture
def token(provider: Provider) -> str:
    """A report that is with support, whose customer wants news by mail."""
    token = provider.report()
    provider.work()
    provider.customer(token).submit("news", wanted="yes")
    return token


def text(provider: Provider, token: str, language: str = "es") -> str:
    return " ".join(provider.customer(token, language).page.text.split())


def status(provider: Provider, token: str) -> dict[str, Any]:
    found = provider.app.test_client().get(f"/r/{token}/status.json").json
    assert found is not None
    return dict(found)


def tag(provider: Provider, token: str) -> str:
    answer = provider.app.test_client().get(f"/r/{token}/status.json")
    return answer.headers["ETag"]


def tells(provider: Provider, token: str, **said: str) -> Customer:
    desk = provider.desk(token)
    desk.submit(action="message", text="En ello", **said)
    return desk


def test_a_promised_time_that_passed_is_told_without_accusing(
    provider: Provider, token: str
) -> None:
    desk = tells(provider, token, next_news_at="03:40")
    provider.later(minutes=17)
    assert LATE not in text(provider, token)
    assert "Próxima actualización: 23 nov 2026 03:40" in text(provider, token)
    assert status(provider, token)["promise_late"] is False
    before = tag(provider, token)
    provider.later(minutes=2)
    assert LATE in text(provider, token)
    assert PHONE in text(provider, token).partition(LATE)[2][:120]
    assert "Próxima actualización:" not in text(provider, token)
    assert "has not come yet" in text(provider, token, "en")
    assert status(provider, token)["promise_late"] is True
    assert tag(provider, token) != before  # an open page shows it by itself
    desk.submit(action="message", text="Seguimos", next_news_at="04:30")
    assert LATE not in text(provider, token)
    provider.later(hours=2)
    assert status(provider, token)["promise_late"] is True
    desk.submit(action="solve", text="Era un disco")
    assert status(provider, token)["promise_late"] is False
    assert "aún no ha llegado" not in text(provider, token)


def test_a_customer_who_solves_it_waits_for_nothing(provider: Provider, token: str) -> None:
    tells(provider, token, next_news_at="03:40")
    provider.customer(token).submit("update", kind="solved", text="")
    provider.later(minutes=30)
    assert status(provider, token)["promise_late"] is False
    assert LATE not in text(provider, token)


@pytest.mark.parametrize(
    ("pressed", "shown"),
    [
        ({"action": "link_notice"}, "Hemos vinculado su aviso a la incidencia conocida."),
        ({"action": "contact", "phone": "611 000 000"}, "le llamará al +34 611 00 00 00."),
        ({"action": "solve", "without_cause": "yes"}, "da la incidencia por solucionada."),
    ],
)
def test_an_open_page_shows_by_itself_what_support_presses_once_it_was_seen(
    provider: Provider, token: str, key: str, pressed: dict[str, str], shown: str
) -> None:
    desk = provider.desk(token)
    desk.submit(action="acknowledge")
    if pressed["action"] == "solve":  # by both
        provider.customer(token).submit("update", kind="solved", text="")
    version = tag(provider, token)
    assert shown not in text(provider, token)
    desk.forge(**pressed, notice=key)
    assert shown in text(provider, token)
    assert tag(provider, token) != version


def test_a_message_whose_mail_is_refused_says_so_beside_it(provider: Provider, token: str) -> None:
    provider.smtp.scripts["RCPT"] = iter([NOBODY] * 9)
    tells(provider, token)
    before = tag(provider, token)
    provider.work()
    found = text(provider, token)
    refused = "No hemos podido enviarle esto por correo: el servidor de inigo@example.com lo ha"
    assert refused in found
    assert found.index("En ello") < found.index(refused)
    assert {"news": "failed"}.items() <= {
        mail["kind"]: mail["state"] for mail in status(provider, token)["mails"]
    }.items()
    assert tag(provider, token) != before


def test_a_message_whose_mail_waits_says_so_once_it_is_late(provider: Provider, token: str) -> None:
    provider.smtp.scripts["RCPT"] = iter(["451 4.3.0 later"] * 99)
    tells(provider, token)
    provider.work()
    waits = "aún no ha aceptado nuestro mensaje. Seguimos intentándolo."
    assert waits not in text(provider, token)
    provider.later(minutes=4)
    assert waits in text(provider, token)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            "554 5.6.0 not this",
            "No ha llegado al equipo de soporte: el servidor de correo de soporte lo ha",
        ),
        (
            "451 4.3.0 later",
            "Aún no ha llegado al equipo de soporte: el servidor de correo de soporte no lo",
        ),
    ],
)
def test_an_update_that_is_not_with_support_says_so_beside_it(
    provider: Provider, token: str, answer: str, said: str
) -> None:
    provider.smtp.scripts["DATA"] = iter([answer] * 99)
    provider.customer(token).submit("update", kind="worse", text="Ahora tampoco el panel")
    provider.later(minutes=1)
    provider.work()
    provider.later(minutes=3)
    found = text(provider, token)
    assert said in found
    assert found.index("Ahora tampoco el panel") < found.index(said)
    assert "lo ha aceptado" in found  # the ticket itself is there


def test_an_acknowledgement_that_was_refused_asks_to_keep_the_link(tmp_path: Path) -> None:
    with a_provider(tmp_path) as provider:
        token = provider.report()
        provider.smtp.scripts["RCPT"] = iter(["250 ok", NOBODY])
        provider.work()
        found = text(provider, token)
        assert "El servidor de correo de inigo@example.com ha rechazado nuestro mensaje" in found
        assert status(provider, token)["sent_at"] == "2026-11-23T02:22:00Z"
