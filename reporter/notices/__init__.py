"""TELL: known incidents, shown to customers before they report and after."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    from reporter.notices.store import shown
    from reporter.notices.views import blueprint

    app.register_blueprint(blueprint)
    app.jinja_env.globals["active_notices"] = shown
