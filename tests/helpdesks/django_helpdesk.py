"""Feeds mails to a fresh django-helpdesk and says, as JSON, what it made of them.

django_helpdesk.py MAILS FOLDER HOOK LOOK

MAILS: the last one is answered, solved and opened again. HOOK: the module that tells it, of the
page's example. LOOK: where to ask for each step (live.py).
"""

from __future__ import annotations

import hashlib
import importlib
import json
import logging
import sys
import urllib.request
from pathlib import Path

import django
from django.conf import settings

MAILS, FOLDER, HOOK = map(Path, sys.argv[1:4])
LOOK = sys.argv[4]

settings.configure(
    SECRET_KEY="x" * 50,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": FOLDER / "db.sqlite3"}},
    INSTALLED_APPS=[
        "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions",
        "django.contrib.sites", "django.contrib.humanize", "django.contrib.messages",
        "django.contrib.admin", "rest_framework", "helpdesk",
    ],
    MIDDLEWARE=[],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
    ROOT_URLCONF=__name__,
    SITE_ID=1,
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    MEDIA_ROOT=str(FOLDER / "media"),
    EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend",
    HELPDESK_TEAMS_MODE_ENABLED=False,
    HELPDESK_ENABLE_ATTACHMENTS=True,
    HELPDESK_FULL_FIRST_MESSAGE_FROM_EMAIL=True,
    HELPDESK_ALWAYS_SAVE_INCOMING_EMAIL_MESSAGE=False,
    HELPDESK_VALID_EXTENSIONS=[".txt", ".png", ".log", ".json", ".pdf", ".jpg"],
)  # fmt: skip
django.setup()

from django.contrib.auth import get_user_model  # noqa: E402
from django.core import mail as core_mail  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.urls import include, path  # noqa: E402
from helpdesk.email import extract_email_metadata  # noqa: E402
from helpdesk.models import (  # noqa: E402
    EmailTemplate,
    FollowUp,
    FollowUpAttachment,
    Queue,
    Ticket,
    TicketCC,
)
from helpdesk.update_ticket import update_ticket  # noqa: E402

urlpatterns = [path("", include("helpdesk.urls", namespace="helpdesk"))]


def main() -> None:
    call_command("migrate", verbosity=0, interactive=False)
    call_command("loaddata", "emailtemplate", verbosity=0)
    EmailTemplate.objects.filter(template_name="newticket_cc").delete()  # as the page says
    sys.path.append(str(HOOK.parent))
    importlib.import_module(HOOK.stem)  # and kept, as its receiver is known by a weak reference
    queue = Queue.objects.create(
        title="Incidents",
        slug="incidents",
        email_address="support@example.com",
        allow_email_submission=True,
        enable_notifications_on_email_events=True,
    )
    for mail in sorted(MAILS.glob("*.eml")):
        extract_email_metadata(mail.read_text(encoding="utf-8"), queue, logging.getLogger("x"))
    look("created")
    tickets = [
        {
            "subject": ticket.title,
            "requesters": [
                ticket.submitter_email,
                *TicketCC.objects.filter(ticket=ticket).values_list("email", flat=True),
            ],
            "bodies": list(
                FollowUp.objects.filter(ticket=ticket)
                .order_by("id")
                .values_list("comment", flat=True)
            ),
            "files": {
                each.filename: hashlib.sha256(each.file.read()).hexdigest()
                for each in FollowUpAttachment.objects.filter(followup__ticket=ticket)
            },
        }
        for ticket in Ticket.objects.order_by("id")
    ]
    on_arrival = sent()
    agent = get_user_model().objects.create(
        username="ana", email="ana@example.com", is_staff=True, is_superuser=True
    )
    ticket = Ticket.objects.latest("id")
    update_ticket(agent, ticket, comment="Estamos en ello.", public=True)
    look("answered")
    on_answer = sent()[len(on_arrival) :]
    update_ticket(agent, ticket, new_status=Ticket.RESOLVED_STATUS, public=True)
    look("solved")
    extract_email_metadata(look("works"), queue, logging.getLogger("x"))
    look("heard")
    ticket.refresh_from_db()
    update_ticket(agent, ticket, new_status=Ticket.RESOLVED_STATUS, public=True)
    update_ticket(agent, ticket, new_status=Ticket.REOPENED_STATUS, public=True)
    look("reopened")
    told = {"tickets": tickets, "on_arrival": on_arrival, "on_answer": on_answer}
    print(json.dumps(told, ensure_ascii=False))


def look(step: str) -> str:
    with urllib.request.urlopen(f"{LOOK}/{step}", timeout=60) as answer:
        return str(answer.read().decode())


def sent() -> list[dict[str, object]]:
    return [
        {"to": each.to, "text": f"{each.subject}\n\n{each.body}"}
        for each in getattr(core_mail, "outbox", [])
    ]


main()
