"""RECORD: a report kept safe under a reference, its receipt, and the mails it causes."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    from reporter.reports import downloads, views

    app.register_blueprint(views.blueprint)
    app.register_blueprint(downloads.blueprint)
