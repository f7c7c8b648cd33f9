"""For whoever watches the service: is it alive, and can it take a report?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Flask, current_app
from flask.typing import ResponseReturnValue

from reporter.database.at_work import AT_ONCE, is_answered_at_once
from reporter.operations.condition import Readiness
from reporter.operations.proxy import answer_probe
from reporter.web.guards import csrf, limiter

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

blueprint = Blueprint("health", __name__)


def init_app(app: Flask) -> None:
    limiter.exempt(blueprint)
    csrf.exempt(blueprint)
    app.extensions["readiness"] = Readiness(app)
    app.register_blueprint(blueprint)
    app.wsgi_app = Alive(app.wsgi_app)  # type: ignore[method-assign]


class Alive:
    """WSGI middleware, outside of everything: /healthz says the same to all but `check`, so the
    application is asked for it once. Whoever watches has to wait for the interpreter as seldom as
    can be, since many may want it."""

    def __init__(self, app: WSGIApplication) -> None:
        self.app = app
        self.answer: tuple[str, list[tuple[str, str]], bytes] | None = None

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not is_answered_at_once(environ):
            return self.app(environ, start_response)
        if not self.answer:
            self.answer = self._ask(environ)
        status, headers, body = self.answer
        start_response(status, [*headers])
        return [body]

    def _ask(self, environ: WSGIEnvironment) -> tuple[str, list[tuple[str, str]], bytes]:
        begun: list[Any] = []
        body = b"".join(self.app(environ, lambda *told: begun.append(told)))  # type: ignore[arg-type]
        [(status, headers, *_)] = begun
        return status, headers, body


@blueprint.get(AT_ONCE)
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
