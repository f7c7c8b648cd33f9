# ruff: noqa: E501  (mails are as long as they are)
"""Each kind of mail as whole text, word by word: what support and a customer read.

A question or a word that is new changes the literals of this file, and of no other.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from factories import SENT_AT, a_report, body, parsed
from flask import Flask

from reporter.delivery.outbox import Mail
from reporter.mail.customer import compose_acknowledgement, compose_news
from reporter.mail.lesser import compose_stub, without_files
from reporter.mail.reminder import compose_notice_reminder, compose_reminder
from reporter.mail.ticket import compose_followup, compose_ticket
from reporter.models import UpdateKind
from reporter.notices.mails import (
    Follower,
    compose_confirmation,
    compose_digest,
    compose_notice_update,
)
from reporter.notices.notice import Entry, Notice
from reporter.report import (
    Answer,
    CustomerUpdate,
    Followup,
    Report,
    Section,
    Similar,
    StoredFile,
)
from reporter.surge.mail import compose_surge

pytestmark = pytest.mark.usefixtures("inside_a_request")

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
Hemos guardado su aviso, y el servidor de correo de soporte lo ha aceptado.

Referencia: INC-KX7M9Q
Para ver cómo va o añadir algo: https://incidents.example.com/r/x

Esa página muestra lo que nos ha contado y en qué punto está. Quien tenga el enlace puede leerla: compártalo con cuidado.

Si no puede abrirla, responda a este correo: lo recibe el equipo de soporte.
Para hablar con nosotros, llame al +34 900 000 000 e indique la referencia.

Si usted no ha comunicado nada, ignore este correo: alguien escribió su dirección por error.

Ejemplo Hosting
"""

CHANGING = "Cae el nodo 7: lo estamos cambiando."
LATER = SENT_AT + timedelta(hours=1)
NOTICE_DESK = "https://incidents.example.com/desk/notices/N-V5FN8"
ANA = Follower("Ana", "ana@example.com", "es", "x")

UNREACHABLE = "NUESTRO CORREO NO LLEGA AL CLIENTE: Llamar a Íñigo Muñoz, +34 600 00 00 00 (actualización 4 de INC-KX7M9Q)"

WITHOUT_FILES = "Ningún servidor de correo aceptó este correo con sus archivos. Están en el panel: https://incidents.example.com/desk/INC-KX7M9Q"

STUB_SUBJECT = "SEV1 Aviso sin su texto | web-hosting | INC-KX7M9Q"

STUB_UPDATE_SUBJECT = "SEV1 Actualización sin su texto | web-hosting | INC-KX7M9Q"

STUB = """\
Alojamiento web, crítico: ningún servidor de correo aceptó lo que escribió el cliente.

reference: INC-KX7M9Q
update: 0
severity: 1-critical
service: web-hosting
reporter_phone: +34 600 00 00 00

Todo está en el panel: https://incidents.example.com/desk/INC-KX7M9Q
Responda allí: una respuesta a este correo no llega al cliente.
"""

REMINDER = """\
Recordatorio: la próxima actualización sobre INC-KX7M9Q está anunciada a los clientes para las 04:22 (Europe/Madrid).

Panel de soporte: https://incidents.example.com/desk/INC-KX7M9Q
"""

NOTICE_REMINDER = """\
Recordatorio: la próxima actualización sobre N-V5FN8 está anunciada a los clientes para las 04:22 (Europe/Madrid).

Panel de soporte: https://incidents.example.com/desk/notices/N-V5FN8
"""

SURGE = """\
Los avisos sobre Alojamiento web están llegando más deprisa de lo habitual: 7 en 20 minutos, desde las 03:22.

Cada uno es un ticket propio. Si tienen una sola causa, dígaselo a los clientes:
https://incidents.example.com/desk/notices/N-V5FN8

Use el mismo enlace más adelante para publicar actualizaciones y para decir que ha terminado.
"""

DIGEST = """\
Incidencia conocida N-V5FN8 (Alojamiento web, Correo electrónico). Clientes que dicen que es su incidencia: 7.

Nuevos desde el último resumen:
| Ana · ana@example.com
| Luis Gil · +34 600 00 00 01

A quienes confirmen su correo se les envía cada actualización; a quien dejó un teléfono, no.

Publicar una actualización o cerrarla:
https://incidents.example.com/desk/notices/N-V5FN8
"""

DIGEST_OF_THE_END = """\
Incidencia conocida N-V5FN8 (Alojamiento web, Correo electrónico). Clientes que dicen que es su incidencia: 7.

Está cerrada. A quienes han confirmado su correo se les ha comunicado el final.

Nuevos desde el último resumen:
| Ana · ana@example.com
| Luis Gil · +34 600 00 00 01

A quien dejó un teléfono no se le ha avisado.
"""

NEWS = """\
Actualización del equipo de soporte sobre INC-KX7M9Q:

Hemos reiniciado el nodo.

Próxima actualización: 23 nov 2026 04:22 (Europe/Madrid).

En qué punto está:
https://incidents.example.com/r/x

Recibe este correo porque pidió actualizaciones en esa página, donde también puede dejar de recibirlas.

Ejemplo Hosting
"""

NEWS_OF_THE_END = """\
El equipo de soporte da por solucionada la incidencia INC-KX7M9Q:

Hemos reiniciado el nodo.

Si sigue fallando, dígalo aquí:
https://incidents.example.com/r/x

Recibe este correo porque pidió actualizaciones en esa página, donde también puede dejar de recibirlas.

Ejemplo Hosting
"""

NEWS_OF_THE_CAUSE = """\
Usted preguntó cuál fue la causa de INC-KX7M9Q. El equipo de soporte escribe:

Hemos reiniciado el nodo.

En qué punto está:
https://incidents.example.com/r/x

Recibe este correo porque en su aviso preguntó por la causa.

Ejemplo Hosting
"""

NEWS_IN_ENGLISH = """\
Update from support on INC-KX7M9Q:

Hemos reiniciado el nodo.

Next update: 23 Nov 2026 04:22 (Europe/Madrid).

Where it stands:
https://incidents.example.com/r/x

You receive this because you asked for updates on that page, where you can also stop them.

Ejemplo Hosting
"""

CONFIRMATION = """\
Alguien ha indicado que la incidencia conocida N-V5FN8 es la suya y ha dejado esta dirección.

Si ha sido usted, confírmelo y le enviaremos cada actualización a esta dirección:
https://incidents.example.com/notices/f/x

Si no ha sido usted, ignore este correo: no recibirá ninguno más sobre esta incidencia.

Ejemplo Hosting
"""

CONFIRMATION_IN_ENGLISH = """\
Someone said that the known incident N-V5FN8 is theirs and gave this address.

If it was you, confirm it and we will send every update to this address:
https://incidents.example.com/notices/f/x

If it was not you, ignore this email: you will not get any more about this incident.

Ejemplo Hosting
"""

NOTICE = """\
Cae el nodo 7: lo estamos cambiando.

Próxima actualización: 23 nov 2026 05:22 (Europe/Madrid).

Se refiere a la incidencia conocida N-V5FN8 (Alojamiento web, Correo electrónico).
Todo lo que se sabe, y cómo dejar de recibir estos correos:
https://incidents.example.com/notices/f/x

Ejemplo Hosting
"""

NOTICE_OF_THE_END = """\
Era un disco. Todo funciona.

Se refiere a la incidencia conocida N-V5FN8 (Alojamiento web, Correo electrónico).
Todo lo que se sabe, y cómo dejar de recibir estos correos:
https://incidents.example.com/notices/f/x

Ejemplo Hosting
"""

NOTICE_IN_ENGLISH = """\
Node 7 is down.

Next update: 23 Nov 2026 05:22 (Europe/Madrid).

This is about the known incident N-V5FN8 (Web hosting, Email).
All that is known, and how to stop these emails:
https://incidents.example.com/notices/f/x

Ejemplo Hosting
"""

ACKNOWLEDGEMENT_IN_ENGLISH = """\
We have saved your report, and support's mail server has accepted it.

Reference: INC-KX7M9Q
To see where it stands, or to add something: https://incidents.example.com/r/x

That page shows what you told us and where your report stands. Anyone with the link can read it, so share it with care.

If you cannot open it, reply to this email: it reaches support.
To talk to us, call +34 900 000 000 and give the reference.

If you did not report anything, ignore this email: someone entered your address by mistake.

Ejemplo Hosting
"""


def answered(report: Report, **answers: str) -> Report:
    """*report* with other answers, which read as they are."""

    def changed(answer: Answer) -> Answer:
        if answer.name not in answers:
            return answer
        text = answers[answer.name]
        return answer._replace(value=text or None, text=text)

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


@pytest.mark.parametrize(("count", "said"), [(1, "1 archivo"), (2, "2 archivos")])
def test_a_follow_up_with_files_alone(count: int, said: str) -> None:
    report = a_report()
    files = [
        (StoredFile(n, "x.log", f"{n}.log", "text/plain", 1, "0" * 64, 2), b"x") for n in (1, 2)
    ]
    sent = CustomerUpdate(UpdateKind.FILES, "", LATER)
    mail = compose_followup(
        report, Followup(2, [sent], [], report, solved=False), files[:count], DESK
    )
    assert body(mail).startswith(f"MÁS ARCHIVOS: {said} (actualización 2 de INC-KX7M9Q)\n\n")


def test_the_acknowledgement() -> None:
    assert body(compose_acknowledgement(a_report(), RECEIPT)) == ACKNOWLEDGEMENT


# What else support is mailed


def a_notice(*, closed: bool = False) -> Notice:
    began = Entry(SENT_AT, {"es": CHANGING, "en": "Node 7 is down."}, LATER + timedelta(hours=1))
    over = Entry(LATER, {"es": "Era un disco. Todo funciona.", "en": "It was a disk."}, None)
    return Notice(
        id=1,
        key="N-V5FN8",
        services=("web-hosting", "email"),
        started_at=SENT_AT,
        opened_at=SENT_AT,
        closed_at=LATER if closed else None,
        entries=(began, over) if closed else (began,),
    )


def test_a_follow_up_that_tells_that_our_mail_came_back() -> None:
    report = a_report()
    told = CustomerUpdate(UpdateKind.UNREACHABLE, "", LATER)
    mail = compose_followup(report, Followup(4, [told], [], report, solved=False), [], DESK)
    first, block, footer = body(mail).split("\n\n")
    assert first == UNREACHABLE
    assert twin(mail)[1]["note"] == []  # it is no word of the customer's
    assert "\nnews: unreachable\n" in block
    # It promises no answer by mail.
    assert footer == f"Panel de soporte: {DESK}\nFin del aviso INC-KX7M9Q.\n"


def test_a_ticket_without_its_files_says_so_below_the_first_line() -> None:
    file = StoredFile(1, "x.log", "1.log", "text/plain", 1, "0" * 64, 2)
    whole = compose_ticket(a_report(), DESK, None, [(file, b"x")])
    content = without_files(whole.content, DESK)
    assert content
    first, told, rest = body(content).split("\n\n", 2)
    assert told == WITHOUT_FILES
    assert f"{first}\n\n{rest}" == body(whole)


def test_a_ticket_without_its_json_alone_speaks_of_no_files() -> None:
    whole = compose_ticket(a_report(), DESK)
    content = without_files(whole.content, DESK)
    assert content
    assert body(content) == body(whole)
    assert not [*parsed(content).iter_attachments()]


@pytest.mark.parametrize(("number", "subject"), [(0, STUB_SUBJECT), (2, STUB_UPDATE_SUBJECT)])
def test_a_stub(number: int, subject: str) -> None:
    mail = compose_stub(a_report(), "<own@example.com>", "<root@example.com>", number, DESK)
    assert parsed(mail)["Subject"] == subject
    assert body(mail) == STUB.replace("update: 0", f"update: {number}")


def test_a_reminder() -> None:
    mail = compose_reminder(a_report(), "<root@example.com>", LATER, DESK, LATER)
    assert parsed(mail)["Subject"] == (
        "Re: SEV1 La tienda no carga – error 502 | web-hosting | INC-KX7M9Q"
    )
    assert body(mail) == REMINDER


def test_a_reminder_of_a_known_incident() -> None:
    notice = a_notice()
    mail = compose_notice_reminder(notice.key, notice.services, LATER, NOTICE_DESK, LATER)
    assert parsed(mail)["Subject"] == (
        "N-V5FN8: es hora de la próxima actualización (Alojamiento web, Correo electrónico)"
    )
    assert body(mail) == NOTICE_REMINDER


def test_a_surge() -> None:
    similar = Similar(7, 20, SENT_AT)
    mail = compose_surge("SURGE-web-hosting", "web-hosting", similar, NOTICE_DESK, LATER)
    assert parsed(mail)["Subject"] == (
        "Muchos avisos: Alojamiento web, 7 en 20 minutos, desde las 03:22"
    )
    assert body(mail) == SURGE


@pytest.mark.parametrize(("closed", "text"), [(False, DIGEST), (True, DIGEST_OF_THE_END)])
def test_a_digest(closed: bool, text: str) -> None:
    followers = [ANA, replace(ANA, name="Luis Gil", contact="+34 600 00 00 01")]
    mail = compose_digest(a_notice(closed=closed), followers, 7, "<digest@example.com>", LATER)
    assert parsed(mail)["Subject"] == "N-V5FN8: 7 clientes dicen que es su incidencia"
    assert body(mail) == text
    one = compose_digest(a_notice(closed=closed), followers[:1], 1, "<digest@example.com>", LATER)
    assert parsed(one)["Subject"] == "N-V5FN8: 1 cliente dice que es su incidencia"


# What else customers are mailed


def news(language: str, **changes: Any) -> Mail:
    values: dict[str, Any] = {
        "root": "<root@example.com>",
        "key": "news-1",
        "solved": False,
        "text": "Hemos reiniciado el nodo.",
        "next_news_at": None,
        "at": LATER,
        "receipt_url": RECEIPT,
    }
    return compose_news(a_report(language=language), **values | changes)


@pytest.mark.parametrize(
    ("language", "changes", "subject", "text"),
    [
        ("es", {"next_news_at": LATER}, "INC-KX7M9Q: actualización del equipo de soporte", NEWS),
        ("es", {"solved": True}, "INC-KX7M9Q: el equipo de soporte da la incidencia por solucionada",
         NEWS_OF_THE_END),
        ("es", {"for_cause": True}, "INC-KX7M9Q: cuál fue la causa", NEWS_OF_THE_CAUSE),
        ("en", {"next_news_at": LATER}, "INC-KX7M9Q: update from support", NEWS_IN_ENGLISH),
    ],
)  # fmt: skip
def test_news(language: str, changes: dict[str, Any], subject: str, text: str) -> None:
    mail = news(language, **changes)
    assert parsed(mail)["Subject"] == subject
    assert body(mail) == text


@pytest.mark.parametrize(
    ("language", "subject", "text"),
    [
        ("es", "N-V5FN8: ¿quiere recibir las actualizaciones por correo?", CONFIRMATION),
        ("en", "N-V5FN8: do you want the updates by email?", CONFIRMATION_IN_ENGLISH),
    ],
)
def test_what_a_follower_is_asked(language: str, subject: str, text: str) -> None:
    follower = replace(ANA, language=language)
    mail = compose_confirmation("N-V5FN8", "<root@example.com>", follower, LATER)
    assert parsed(mail)["Subject"] == subject
    assert body(mail) == text


@pytest.mark.parametrize(
    ("language", "closed", "subject", "text"),
    [
        ("es", False, "N-V5FN8: actualización de la incidencia", NOTICE),
        ("es", True, "N-V5FN8: la incidencia ha terminado", NOTICE_OF_THE_END),
        ("en", False, "N-V5FN8: update on the incident", NOTICE_IN_ENGLISH),
    ],
)
def test_what_a_follower_is_told(language: str, closed: bool, subject: str, text: str) -> None:
    follower = replace(ANA, language=language)
    mail = compose_notice_update(a_notice(closed=closed), follower, "<root@example.com>")
    assert parsed(mail)["Subject"] == subject
    assert body(mail) == text


def test_the_acknowledgement_in_english() -> None:
    mail = compose_acknowledgement(a_report(language="en"), RECEIPT)
    assert body(mail) == ACKNOWLEDGEMENT_IN_ENGLISH


# The heads of those that belong to a conversation

FROM = {"From": "Ejemplo Hosting <incident-reporter@example.com>"}
TO_SUPPORT = FROM | {"To": "support@example.com"}
OF_THE_REPORT = {
    "Content-Language": "es",
    "Importance": "high",
    "X-Priority": "1",
    "X-Incident-Reference": "INC-KX7M9Q",
    "X-Incident-Severity": "1-critical",
    "X-Incident-Service": "web-hosting",
}
FIRST = "<INC-KX7M9Q.0.45ae3e0bd5c3cbb9@example.com>"
ROOT = "<root@example.com>"  # as another key has made it
IN_THE_THREAD = {"In-Reply-To": ROOT, "References": ROOT}
SAVED, UPDATED = "Mon, 23 Nov 2026 02:22:00 +0000", "Mon, 23 Nov 2026 03:22:00 +0000"
SUBJECT = "SEV1 La tienda no carga – error 502 | web-hosting | INC-KX7M9Q"
OF_CONTENT = {"MIME-Version", "Content-Type", "Content-Transfer-Encoding"}


def head(mail: Mail) -> dict[str, str]:
    return {name: value for name, value in parsed(mail).items() if name not in OF_CONTENT}


def a_follow_up(**named: str) -> Mail:
    report = a_report()
    worse = CustomerUpdate(UpdateKind.WORSE, "Va peor", LATER)
    return compose_followup(
        report, Followup(2, [worse], [], report, solved=False), [], DESK, **named
    )


def test_the_head_of_a_follow_up_names_what_it_follows() -> None:
    mail = a_follow_up()
    assert head(mail) == TO_SUPPORT | OF_THE_REPORT | {
        "Reply-To": "Íñigo Muñoz <inigo@example.com>",
        "Subject": f"Re: {SUBJECT}",
        "Message-ID": "<INC-KX7M9Q.2.6f797a238b9495b3@example.com>",
        "Date": UPDATED,
        "In-Reply-To": FIRST,
        "References": FIRST,
    }
    assert parsed(compose_ticket(a_report(), DESK))["Message-ID"] == FIRST
    assert head(a_follow_up(root=ROOT)) == head(mail) | IN_THE_THREAD


@pytest.mark.parametrize(
    ("number", "subject", "thread"),
    [(0, STUB_SUBJECT, {}), (2, STUB_UPDATE_SUBJECT, IN_THE_THREAD)],
)
def test_the_head_of_a_stub(number: int, subject: str, thread: dict[str, str]) -> None:
    assert head(compose_stub(a_report(), "<own@example.com>", ROOT, number, DESK)) == (
        TO_SUPPORT
        | OF_THE_REPORT
        | thread
        | {"Subject": subject, "Message-ID": "<own@example.com>", "Date": SAVED}
    )


def twin(mail: Mail) -> tuple[str, dict[str, Any]]:
    """The JSON that goes with it: its name, and what it says."""
    *_files, last = parsed(mail).iter_attachments()
    return str(last.get_filename()), json.loads(last.get_content())


def test_the_json_of_a_ticket_lists_the_files_that_go_with_it() -> None:
    files = [
        (StoredFile(1, "x.log", "1.log", "text/plain", 1, "0" * 64, 0), b"x"),
        (StoredFile(2, "x.zip", "2.zip", "application/zip", 1, "1" * 64, 0, for_desk=True), b""),
    ]
    name, told = twin(compose_ticket(a_report(flags=("hidden_field",)), DESK, None, files))
    assert name == "INC-KX7M9Q.0.json"
    assert [each["name"] for each in told["attachment"]] == ["1.log"]
    assert told["flags"] == ["hidden_field"]


def test_the_json_of_a_follow_up_has_its_number_and_the_whole_of_what_is_known() -> None:
    name, told = twin(a_follow_up())
    assert name == "INC-KX7M9Q.2.json"
    assert [each["text"] for each in told["note"]] == ["Va peor"]
    assert told["description"] == twin(compose_ticket(a_report(), DESK))[1]["description"]


def test_a_mail_without_its_files_is_the_same_to_every_relay_and_reader() -> None:
    whole = compose_ticket(a_report(), DESK)
    content = without_files(whole.content, DESK)
    assert content
    assert head(Mail(whole.recipient, whole.mime_id, content)) == head(whole)
    assert content.isascii()
    assert b"\n" not in content.replace(b"\r\n", b"")


def test_a_mail_without_parts_has_none_to_leave_out() -> None:
    assert without_files(compose_acknowledgement(a_report(), RECEIPT).content, DESK) is None


def test_only_the_first_of_a_conversation_chooses_its_queue(
    inside_a_request: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(inside_a_request.config, "HELPDESK_HEADERS", {"X-Queue": "Incidents"})
    stubs = [compose_stub(a_report(), "<own@example.com>", ROOT, n, DESK) for n in (0, 2)]
    mails = [compose_ticket(a_report(), DESK), stubs[0], a_follow_up(), stubs[1]]
    queues = [head(mail).get("X-Queue") for mail in mails]
    assert queues == ["Incidents", "Incidents", None, None]


def test_the_head_of_a_reminder() -> None:
    mail = compose_reminder(a_report(), ROOT, SENT_AT, DESK, LATER)
    assert head(mail) == TO_SUPPORT | IN_THE_THREAD | {
        "Subject": f"Re: {SUBJECT}",
        "Message-ID": "<INC-KX7M9Q.reminder-1795400520.2acf27093062083c@example.com>",
        "Date": UPDATED,
        "Content-Language": "es",
    }


def test_the_head_of_a_reminder_of_a_known_incident_begins_a_conversation() -> None:
    mail = compose_notice_reminder("N-V5FN8", ("email",), SENT_AT, NOTICE_DESK, LATER)
    assert head(mail) == TO_SUPPORT | {
        "Subject": "N-V5FN8: es hora de la próxima actualización (Correo electrónico)",
        "Message-ID": "<N-V5FN8.reminder-1795400520.749e9d003989c919@example.com>",
        "Date": UPDATED,
        "Content-Language": "es",
    }


def test_the_head_of_an_acknowledgement() -> None:
    assert head(compose_acknowledgement(a_report(), RECEIPT)) == FROM | {
        "Reply-To": "support@example.com",
        "To": "inigo@example.com",
        "Subject": "INC-KX7M9Q: hemos recibido su aviso",
        "Message-ID": "<INC-KX7M9Q.ack.0dd53e6269666bc6@example.com>",
        "Date": SAVED,
        "References": FIRST,
        "Content-Language": "es",
        "Auto-Submitted": "auto-replied",
        "X-Auto-Response-Suppress": "AutoReply, OOF, DR, RN, NRN",
    }


def test_the_head_of_news() -> None:
    assert head(news("es", solved=True)) == FROM | {
        "Reply-To": "support@example.com",
        "To": "inigo@example.com",
        "Subject": "INC-KX7M9Q: el equipo de soporte da la incidencia por solucionada",
        "Message-ID": "<INC-KX7M9Q.news-1.9044a95a812296db@example.com>",
        "Date": UPDATED,
        "References": ROOT,
        "Content-Language": "es",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "AutoReply, OOF, DR, RN, NRN",
    }
