"""ANSWER: what support does from the links in its mails, without a portal."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    from reporter.desk import notices, views

    app.register_blueprint(views.blueprint)
    app.register_blueprint(notices.blueprint)
