"""For whoever watches the service: is it alive, and can it take a report?"""

from __future__ import annotations

from flask import Blueprint, Flask, current_app
from flask.typing import ResponseReturnValue

from reporter.operations.condition import Readiness
from reporter.operations.proxy import answer_probe
from reporter.web.guards import csrf, limiter

blueprint = Blueprint("health", __name__)


def init_app(app: Flask) -> None:
    limiter.exempt(blueprint)
    csrf.exempt(blueprint)
    app.extensions["readiness"] = Readiness(app)
    app.register_blueprint(blueprint)


@blueprint.get("/healthz")
def healthz() -> ResponseReturnValue:
    """200 while the process answers at all."""
    return {"status": "ok"} | answer_probe()


@blueprint.get("/readyz")
def readyz() -> ResponseReturnValue:
    """200 when a report can be kept, which is tried; else 503 and a word of why."""
    found = current_app.extensions["readiness"].look()
    if found:
        return {"status": "unavailable", "because": found.key}, 503
    return {"status": "ok"}
