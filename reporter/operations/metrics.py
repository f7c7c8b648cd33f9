"""Figures for Prometheus."""

from __future__ import annotations

import hmac
import threading
import time

from flask import Blueprint, Flask, Response, abort, current_app, request

from reporter.database import at_work
from reporter.web.guards import csrf
from reporter.web.loopback import is_from_this_machine

# However often it is asked for, the database is asked no more often than this.
FRESH_SECONDS = 5.0
TEXT = "text/plain; version=0.0.4; charset=utf-8"

blueprint = Blueprint("metrics", __name__)


def init_app(app: Flask) -> None:
    csrf.exempt(blueprint)
    app.extensions["figures"] = Figures(app)
    app.register_blueprint(blueprint)


@blueprint.get("/metrics")
def metrics() -> Response:
    """With METRICS_TOKEN for whoever sends it; without one for this machine, not by a proxy."""
    token: str = current_app.config["METRICS_TOKEN"]
    if token:
        sent = request.headers.get("Authorization", "").encode()
        if not hmac.compare_digest(sent, f"Bearer {token}".encode()):
            return Response("", 401, {"WWW-Authenticate": "Bearer"}, "text/plain")
    elif not is_from_this_machine():
        abort(404)
    return Response(current_app.extensions["figures"].text(), content_type=TEXT)


class Figures:
    """What there was to tell a moment ago."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.lock = threading.Lock()
        self.written_at = 0.0
        self.written = b""

    def text(self) -> bytes:
        from reporter.operations.exposition import exposition  # few ask, and it is large

        with at_work.aside(), self.lock:
            if not self.written or time.monotonic() - self.written_at >= FRESH_SECONDS:
                self.written = exposition(self.app)
                self.written_at = time.monotonic()
            return self.written
