"""ANSWER: the board, one report, known incidents. Every page of it asks to sign in."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    from reporter.desk import notices, views

    app.register_blueprint(views.blueprint)
    app.register_blueprint(notices.blueprint)
