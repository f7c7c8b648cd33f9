"""TELL: known incidents, shown to customers before they report and after."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    from reporter.notices.views import FollowForm, blueprint, stop
    from reporter.web.errors import field_names, gives_back
    from reporter.web.guards import csrf

    app.register_blueprint(blueprint)
    csrf.exempt(stop)  # a mail program has no token, and the link is secret
    gives_back(app, "notices.notice", lambda **_: field_names(FollowForm))
