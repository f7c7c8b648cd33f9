"""WHO: support's accounts, their sessions, and signing in."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    from reporter.staff import views

    app.register_blueprint(views.blueprint)
