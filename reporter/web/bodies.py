"""Requests whose body is not all there are refused, so that half a form is never kept.

The server gives what has arrived when a connection breaks, and says that the input ends there;
Werkzeug then believes it. Without that word it counts the bytes against Content-Length.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Flask, abort, request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def init_app(app: Flask) -> None:
    app.wsgi_app = CountedBodies(app.wsgi_app)  # type: ignore[method-assign]
    app.before_request(require_length)


class CountedBodies:
    """WSGI middleware: a body with a Content-Length is read against it."""

    def __init__(self, app: WSGIApplication) -> None:
        self.app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("CONTENT_LENGTH"):
            environ.pop("wsgi.input_terminated", None)
        return self.app(environ, start_response)


def require_length() -> None:
    """411 for a body of unknown length: it could not be told from half of it."""
    if request.environ.get("HTTP_TRANSFER_ENCODING") and request.content_length is None:
        abort(411)
