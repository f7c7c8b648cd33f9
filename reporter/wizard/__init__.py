"""ASK: the steps, the drafts, and the one view that serves them all."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    from reporter.extensions import csrf
    from reporter.wizard import offline, views

    for blueprint in (views.blueprint, offline.blueprint):
        # Its forms check their token themselves, so that a stale one loses nothing that was typed.
        csrf.exempt(blueprint)
        app.register_blueprint(blueprint)
