"""TELL: known incidents, shown to customers before they report and after."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    from reporter.notices.views import blueprint

    app.register_blueprint(blueprint)
