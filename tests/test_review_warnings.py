"""Secrets pasted by mistake are pointed out; what people write all the time is not."""

from __future__ import annotations

import pytest
from factories import SLUGS, a_form
from flask_babel import force_locale

from reporter.formats.secrets import holds_secret
from reporter.wizard.review_warnings import review_warnings


@pytest.mark.parametrize(
    "text",
    [
        "La contraseña es Verano2026!",
        "mi clave: s3cr3t0!",
        "usuario: ana contraseña: Gato_negro7",
        "Clave = perro",
        "My password is hunter2!",
        "the password: hunter22",
        "user=admin password=letmein",
        "DB_USER=root\npasswd: 'tr0ub4dor&3'",
        "pwd = qwerty",
        "DB_PASSWORD=tr0ub4dor",
        "define('DB_PASSWORD', 'tr0ub4dor');",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA\n-----END RSA PRIVATE KEY-----",
        "-----BEGIN OPENSSH PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----",
        "aws_access_key_id AKIAIOSFODNN7EXAMPLE",
        "the token ghp_" + "a1B2" * 9,
        "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc",
        "xoxb-123456789012-abcdefABCDEF",
        "Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w",
        '{"name": "Authorization", "value": "Bearer 4f3cA9_b81d0ee2c7"}',
        "curl -H 'Authorization: Basic YW5hOmhvbGExMjM='",
        '{"name": "Cookie", "value": "session=8c1f"}',
        "glpat-" + "a1B2c" * 4,
        "x " * 40_000 + "contraseña: Verano2026!",
        "x" * 65_530 + " -----BEGIN PRIVATE KEY-----",
        "DATABASE_URL=postgres://tienda:gato77@db.example.com/tienda",
        "Pagué con la tarjeta 4111 1111 1111 1111",
        "card 5500-0000-0000-0004, it was refused",
        "amex 378282246310005",
        "Mi cuenta es ES91 2100 0418 4502 0005 1332",
        "iban de89370400440532013000",
    ],
)
def test_a_secret_is_seen(text: str) -> None:
    assert holds_secret(text)


@pytest.mark.parametrize(
    "text",
    [
        "La contraseña es incorrecta y no puedo entrar al panel",
        "Me dice que la clave no es válida, error 1045 (28000)",
        "Olvidé mi contraseña: necesito restablecerla",
        "Cambiamos la contraseña a las 10:00 y desde entonces falla",
        "La clave primaria de la tabla pedidos está duplicada",
        "No funciona ni el usuario ni la contraseña",
        "Error establishing a database connection",
        "SQLSTATE[HY000] [2002] Connection refused in /var/www/wp-includes/wp-db.php:1753",
        "Access denied for user 'tienda'@'localhost' (using password: YES)",
        "El servidor 203.0.113.24 no responde al ping desde las 02:40",
        "2001:db8:85a3::8a2e:370:7334 no responde",
        "El pedido 4111111111111112 no aparece",
        "Ticket INC-KX7M9Q, factura 2026-0001234567890",
        "Llámenme al +34 600 000 000 o al 91 234 56 78",
        "My password does not work since this morning",
        "The password is wrong, it says",
        "Undefined constant DB_PASSWORD in wp-config.php on line 29",
        "Column 'password_hash' cannot be null",
        "We changed the password: still the same error",
        "550 5.7.1 <ana@example.com>: Relay access denied",
        "https://www.example.com:8443/login?next=/panel devuelve 502",
        "Nov 23 02:40:11 web1 kernel: [1234567.890123] Out of memory: Killed process 4321 (mysqld)",
        "id 0f8fad5b-d9cb-469f-a165-70867728950e, sha256 9f86d081884c7d659a2feaa0c55ad015",
        "La pasarela de pago rechaza las tarjetas que empiezan por 4111",
        "Falla en 1700000000000 ms, luego en 1700000000001",
        "Los DNS son ns1.example.com y ns2.example.com; el SOA es 2026112301",
        "HTTP 401, WWW-Authenticate: Bearer realm=api",
        "Basic authentication is what the panel asks for",
        "The cookie was refused, it says",
        "Can you restart it? The keyboard of the KVM does not answer",
    ],
)
def test_what_people_write_all_the_time_is_no_secret(text: str) -> None:
    assert not holds_secret(text)


@pytest.mark.usefixtures("inside_a_request")
@pytest.mark.parametrize(
    ("language", "label", "text"),
    [
        (
            "es",
            "¿Qué cambiaron, y cuándo?",
            "Esto parece una contraseña, una clave, una tarjeta o un número de cuenta. No lo "
            "necesitamos: si puede, quítelo de la respuesta.",
        ),
        (
            "en",
            "What did you change, and when?",
            "This looks like a password, a key, a card or an account number. We do not need it: "
            "take it out of the answer if you can.",
        ),
    ],
)
def test_a_caution_names_the_question_and_the_reason_and_not_the_secret(
    language: str, label: str, text: str
) -> None:
    with force_locale(language):
        form = a_form("changes", change_description="La contraseña es Verano2026!")
        (caution,) = review_warnings([form])
    assert (caution.name, caution.label, caution.text) == ("change_description", label, text)


@pytest.mark.usefixtures("inside_a_request")
def test_a_report_without_secrets_has_no_cautions() -> None:
    assert list(review_warnings([a_form(slug) for slug in SLUGS])) == []


@pytest.mark.usefixtures("inside_a_request")
def test_a_number_that_no_phone_has_is_pointed_out_and_not_refused() -> None:
    form = a_form("contact", phone="+34 100 000 000")
    assert form.validate()
    with force_locale("en"):
        assert [(c.name, c.text) for c in review_warnings([form])] == [
            ("phone", "This number looks unusual: check it.")
        ]


@pytest.mark.usefixtures("inside_a_request")
def test_an_answer_that_is_not_asked_is_not_looked_at() -> None:
    form = a_form("changes", changed="no", change_description="password=letmein")
    assert list(review_warnings([form])) == []


@pytest.mark.usefixtures("inside_a_request")
def test_an_address_that_looks_like_a_slip_is_pointed_out_and_taken() -> None:
    form = a_form("contact", email="ana@gmail.con")
    assert form.validate()
    with force_locale("en"):
        assert [(c.name, c.text) for c in review_warnings([form])] == [
            ("email", "Check this address: did you mean ana@gmail.com?")
        ]
