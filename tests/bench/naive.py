"""What most would write in an afternoon: Flask, Flask-WTF and `mail.send()` in the request.

It is measured against ours, so it is meant to be fair: the same fields, the same server with as
many processes, the same database engine with a durable commit, one plain-text mail of the same
words, and a receipt page to go to. It has no draft, queue, second language or JSON.

Its fields are of the kinds that anybody would take, with their choices checked, and the token of
its form is checked too, as Flask-WTF does unless it is told not to. `BENCH_PLAIN` turns both off:
text fields alone, and no token, as it was measured before.
"""

from __future__ import annotations

import os
import sqlite3
import threading

from flask import Flask, redirect
from flask_mail import Mail, Message
from flask_wtf import FlaskForm
from werkzeug import Response
from wtforms import RadioField, SelectChoice, StringField, TextAreaField
from wtforms.validators import Email, InputRequired, Length

SEVERAL = ["yes", "no", "unknown"]
CHOICES = {
    "service": ["web-hosting", "email", "virtual-server", "domains-dns", "database", "other"],
    "impact": ["critical", "major", "minor", "question"],
    "started": ["just_now", "minutes_15", "hour_1", "at", "unknown"],
    "pattern": ["continuous", "intermittent", "over", "unknown"],
    "changed": SEVERAL,
    "email_affected": SEVERAL,
    "preferred_channel": ["email", "phone"],
}
LINES = ["started_at", "timezone", "frequency", "name", "company", "customer_number", "phone"]
TEXTS = ["affected", "error_message", "change_description"]
REQUIRED = {"service", "impact", "started", "pattern", "changed", "name", "email_affected"}
PLAIN = "BENCH_PLAIN" in os.environ


def create_app() -> Flask:
    app = Flask(__name__)
    app.config |= {
        "SECRET_KEY": "naive" * 8,
        "MAIL_SERVER": "127.0.0.1",
        "MAIL_PORT": int(os.environ["BENCH_SMTP"]),
        "MAIL_DEFAULT_SENDER": "form@example.com",
        "WTF_CSRF_ENABLED": not PLAIN,
    }
    mail, local = Mail(app), threading.local()

    class Report(FlaskForm):
        summary = StringField(validators=[InputRequired(), Length(max=120)])
        email = StringField(validators=[InputRequired(), Email()])

    for name in [*CHOICES, *LINES]:
        wanted = [InputRequired()] if name in REQUIRED else []
        if name in CHOICES and not PLAIN:
            options = [SelectChoice(each, each.replace("_", " ")) for each in CHOICES[name]]
            setattr(Report, name, RadioField(choices=options, validators=wanted))
        else:
            setattr(Report, name, StringField(validators=[*wanted, Length(max=200)]))
    for name in TEXTS:
        setattr(Report, name, TextAreaField(validators=[Length(max=20_000)]))

    def connection() -> sqlite3.Connection:
        if not hasattr(local, "connection"):
            path = os.environ["BENCH_DATABASE"]
            local.connection = sqlite3.connect(path, 15, isolation_level=None)
            local.connection.execute("PRAGMA journal_mode = WAL")
            local.connection.execute("PRAGMA synchronous = FULL")
        return local.connection

    with sqlite3.connect(os.environ["BENCH_DATABASE"]) as first:
        first.execute("CREATE TABLE IF NOT EXISTS report (id INTEGER PRIMARY KEY, text TEXT)")

    @app.get("/healthz")
    def healthz() -> str:
        return "ok"

    @app.get("/report")
    def page() -> str:
        return str(Report().hidden_tag())

    @app.post("/report")
    def report() -> tuple[str, int] | Response:
        form = Report()
        if not form.validate():
            return str(form.errors), 422
        text = "\n\n".join(f"{field.label.text}:\n{field.data}" for field in form)
        database = connection()
        database.execute("BEGIN IMMEDIATE")
        number = database.execute("INSERT INTO report (text) VALUES (?)", (text,)).lastrowid
        database.execute("COMMIT")
        mail.send(
            Message(
                f"INC-{number}: {form.summary.data}",
                recipients=["support@example.com"],
                reply_to=form.email.data,
                body=text,
            )
        )
        return redirect(f"/receipt/{number}", 303)

    return app
