"""TELL: known incidents, shown to customers before they report and after."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    from reporter.notices.views import FollowForm, blueprint
    from reporter.web.errors import field_names, gives_back

    app.register_blueprint(blueprint)
    gives_back(app, "notices.notice", lambda **_: field_names(FollowForm))
