"""ASK: the steps, the drafts, and the one view that serves them all."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    from reporter.web.guards import csrf
    from reporter.wizard import calls, detail_views, offline_views, pages, views

    for blueprint in (views.blueprint, detail_views.blueprint, offline_views.blueprint):
        # Their forms check the token themselves, so that a stale one loses nothing typed.
        csrf.exempt(blueprint)
        app.register_blueprint(blueprint)
    app.register_blueprint(calls.blueprint)
    pages.give_back(app)
