"""Feeds mails to a fresh django-helpdesk and says, as JSON, what it made of them.

django_helpdesk.py MAILS FOLDER
"""

from __future__ import annotations

import hashlib
import json
import logging
import sys
from pathlib import Path

import django
from django.conf import settings

MAILS, FOLDER = Path(sys.argv[1]), Path(sys.argv[2])

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

from django.core import mail as core_mail  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.urls import include, path  # noqa: E402
from helpdesk.email import extract_email_metadata  # noqa: E402
from helpdesk.models import FollowUp, FollowUpAttachment, Queue, Ticket, TicketCC  # noqa: E402

urlpatterns = [path("", include("helpdesk.urls", namespace="helpdesk"))]


def main() -> None:
    call_command("migrate", verbosity=0, interactive=False)
    queue = Queue.objects.create(
        title="Incidents",
        slug="incidents",
        email_address="support@example.com",
        allow_email_submission=True,
        enable_notifications_on_email_events=True,
    )
    for mail in sorted(MAILS.glob("*.eml")):
        extract_email_metadata(mail.read_text(encoding="utf-8"), queue, logging.getLogger("x"))
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
    mails = [{"to": each.to, "subject": each.subject} for each in getattr(core_mail, "outbox", [])]
    print(json.dumps({"tickets": tickets, "sent": mails}, ensure_ascii=False))


main()
