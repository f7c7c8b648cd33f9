"""A demonstration on one machine: settings that just work, and a mailbox shown at /inbox."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    if app.config["DEMO_MAILBOX"]:
        from reporter.demo import views

        app.register_blueprint(views.blueprint)
