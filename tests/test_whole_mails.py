# ruff: noqa: E501  (mails are as long as they are)
"""Each kind of mail as whole text, word by word: what support and a customer read.

A question or a word that is new changes the literals of this file, and of no other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from factories import SENT_AT, a_report, an_app, body, parsed
from flask import Flask

from reporter.mail.customer import compose_acknowledgement
from reporter.mail.ticket import compose_followup, compose_ticket
from reporter.models import UpdateKind
from reporter.report import Answer, CustomerUpdate, Followup, Report, Section, StoredFile

DESK = "https://incidents.example.com/desk/INC-KX7M9Q"
RECEIPT = "https://incidents.example.com/r/x"

TICKET = """\
Alojamiento web, crítico, desde las 02:40 (42 min antes del aviso): La tienda no carga – error 502. Llamar a Íñigo Muñoz, +34 600 00 00 00.

reference: INC-KX7M9Q
update: 0
severity: 1-critical
service: web-hosting
affected: tienda.example.com, www.example.com
summary: La tienda no carga – error 502
started_at: 2026-11-23T02:40:00+01:00
started_precision: exact
pattern: intermittent
changed: yes
reporter_name: Íñigo Muñoz
reporter_company: Tienda Muñoz, S.L.
customer_number: C-1042
reporter_email: inigo@example.com
reporter_phone: +34 600 00 00 00
email_affected: no
preferred_channel: phone
language: es
missing: users affected, tests done, allowed actions

Falta por preguntar: a cuántas personas afecta; qué han probado, por orden, y qué ocurrió; qué podemos hacer sin volver a preguntarle.

QUÉ FALLA
¿Qué servicio falla?
| Alojamiento web

¿A qué afecta?
| tienda.example.com
| www.example.com

¿Qué ocurre, en una línea?
| La tienda no carga – error 502

El mensaje de error, tal como aparece
| 502 Bad Gateway
|\x20
| nginx/1.24.0

¿Qué gravedad tiene para ustedes?
| Crítico: no podemos trabajar, o nuestros clientes no pueden acceder

DESDE CUÁNDO
Fecha y hora
| 23 nov 2026 02:40 (Europe/Madrid) · 01:40 UTC · 42 minutos antes de este aviso

Su zona horaria
| Europe/Madrid

¿Falla todo el tiempo?
| Va y viene

¿Con qué frecuencia?
| cada 10 minutos

QUÉ HA CAMBIADO
¿Cambiaron algo poco antes?
| Sí

¿Qué cambiaron, y cuándo?
| Actualizamos el módulo de pago

CÓMO CONTACTAR CON USTED
Su nombre
| Íñigo Muñoz

Empresa
| Tienda Muñoz, S.L.

Número de cliente
| C-1042

Correo electrónico
| inigo@example.com

¿Afecta la incidencia a ese correo?
| No

Teléfono
| +34 600 00 00 00

¿Cómo prefiere que le respondamos?
| Por teléfono

Responda a este correo: su respuesta llega al cliente.
Panel de soporte: https://incidents.example.com/desk/INC-KX7M9Q
Fin del aviso INC-KX7M9Q.
"""

WORSE = """\
VA PEOR: Ahora tampoco entra el panel (actualización 2 de INC-KX7M9Q)

reference: INC-KX7M9Q
update: 2
news: worse
severity: 1-critical
service: web-hosting
affected: tienda.example.com, www.example.com
summary: La tienda no carga – error 502
started_at: 2026-11-23T02:40:00+01:00
started_precision: exact
pattern: intermittent
changed: yes
reporter_name: Íñigo Muñoz
reporter_company: Tienda Muñoz, S.L.
customer_number: C-1042
reporter_email: inigo@example.com
reporter_phone: +34 600 00 00 00
email_affected: no
preferred_channel: phone
language: es
missing: users affected, tests done, allowed actions

VA PEOR · 23 nov 2026 03:42
| Ahora tampoco entra el panel

Responda a este correo: su respuesta llega al cliente.
Panel de soporte: https://incidents.example.com/desk/INC-KX7M9Q
Fin del aviso INC-KX7M9Q.
"""

SOLVED = """\
FUNCIONA DE NUEVO, según el cliente (actualización 3 de INC-KX7M9Q)

reference: INC-KX7M9Q
update: 3
state: solved
news: solved
severity: 1-critical
"""

DETAILS = """\
MÁS DETALLES, 2 archivos: a cuántas personas afecta; para cuándo necesitan que funcione; qué han probado, por orden, y qué ocurrió (actualización 1 de INC-KX7M9Q)

reference: INC-KX7M9Q
update: 1
news: details
severity: 1-critical
service: web-hosting
affected: tienda.example.com, www.example.com
summary: La tienda no carga – error 502
started_at: 2026-11-23T02:40:00+01:00
started_precision: exact
pattern: intermittent
changed: yes
reporter_name: Íñigo Muñoz
reporter_company: Tienda Muñoz, S.L.
customer_number: C-1042
reporter_email: inigo@example.com
reporter_phone: +34 600 00 00 00
email_affected: no
preferred_channel: phone
users_affected: 60, y creciendo
language: es
withdrawn: deadline
missing: allowed actions

Falta por preguntar: qué podemos hacer sin volver a preguntarle.

QUÉ SUPONE PARA USTEDES
¿A cuántas personas afecta? (ha cambiado)
| 60
|\x20
| y creciendo
Antes:
| 40

¿Para cuándo necesitan que funcione? (retirado)
Antes:
| hoy

QUÉ HAN VISTO
¿Qué han probado, por orden, y qué ocurrió? (nuevo)
| nada

ARCHIVOS
INC-KX7M9Q-1-x.png (captura de pantalla.png)
INC-KX7M9Q-2-x.png (panel.png)

Responda a este correo: su respuesta llega al cliente.
Panel de soporte: https://incidents.example.com/desk/INC-KX7M9Q
Fin del aviso INC-KX7M9Q.
"""

ACKNOWLEDGEMENT = """\
Su aviso está guardado, y el servidor de correo de soporte lo ha aceptado.

Referencia: INC-KX7M9Q
Para ver cómo va o añadir algo: https://incidents.example.com/r/x

Esa página muestra lo que nos ha contado y en qué punto está. Quien tenga el enlace puede leerla: compártalo con cuidado.

Si no puede abrirla, responda a este correo: lo recibe el equipo de soporte.
Para hablar con nosotros, llame al +34 900 000 000 e indique la referencia.

Si usted no ha comunicado nada, ignore este correo: alguien escribió su dirección por error.

Ejemplo Hosting
"""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    with an_app(tmp_path_factory.mktemp("app")) as app:
        yield app


@pytest.fixture(autouse=True)
def inside_a_request(app: Flask) -> Iterator[None]:
    with app.test_request_context():
        yield


def answered(report: Report, **answers: str) -> Report:
    """*report* with other answers, which read as they are."""

    def changed(answer: Answer) -> Answer:
        if answer.name not in answers:
            return answer
        text = answers[answer.name]
        return replace(answer, value=text or None, text=text)

    return report.with_answers(
        {
            language: tuple(
                Section(section.title, tuple(changed(answer) for answer in section.answers))
                for section in sections
            )
            for language, sections in report.sections.items()
        }
    )


def test_the_ticket() -> None:
    report = a_report(error_message="502 Bad Gateway\r\n\r\nnginx/1.24.0")
    assert body(compose_ticket(report, DESK)) == TICKET


def test_a_follow_up_that_tells_that_it_is_worse() -> None:
    report = a_report()
    at = SENT_AT + timedelta(minutes=20)
    worse = CustomerUpdate(UpdateKind.WORSE, "Ahora tampoco entra el panel", at)
    mail = compose_followup(report, Followup(2, [worse], [], report, solved=False), [], DESK)
    assert parsed(mail)["Subject"] == (
        "Re: SEV1 La tienda no carga – error 502 | web-hosting | INC-KX7M9Q"
    )
    assert body(mail) == WORSE


def test_a_follow_up_that_tells_that_it_works_again() -> None:
    report = a_report()
    solved = CustomerUpdate(UpdateKind.SOLVED, "", SENT_AT + timedelta(minutes=60))
    mail = compose_followup(report, Followup(3, [solved], [], report, solved=True), [], DESK)
    assert body(mail).startswith(SOLVED)


def test_a_follow_up_with_details_and_files() -> None:
    before = answered(a_report(), users_affected="40", deadline="hoy")
    after = answered(before, users_affected="60\n\ny creciendo", deadline="", tests_done="nada")
    details = CustomerUpdate(UpdateKind.DETAILS, "", SENT_AT + timedelta(minutes=5))
    files = [
        (
            StoredFile(number, name, f"INC-KX7M9Q-{number}-x.png", "image/png", 1, "0" * 64, 1),
            b"x",
        )
        for number, name in enumerate(["captura de pantalla.png", "panel.png"], 1)
    ]
    mail = compose_followup(after, Followup(1, [details], [], before, solved=False), files, DESK)
    assert body(mail) == DETAILS


def test_the_acknowledgement() -> None:
    assert body(compose_acknowledgement(a_report(), RECEIPT)) == ACKNOWLEDGEMENT
