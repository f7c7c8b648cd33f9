"""Structured logs: one JSON object a line, on standard error.

A log never holds a customer's words, name, address or number, nor a secret link: requests are
named by endpoint, and an error by its type and its frames, without its message.
"""

from __future__ import annotations

import time
import traceback
from datetime import UTC, datetime
from types import TracebackType

import structlog
from flask import Flask, Response, current_app, g, request, request_started

from reporter.logs import Refusals
from reporter.web.bounds import client_hash

log = structlog.get_logger("reporter.web")


def init_app(app: Flask) -> None:
    app.extensions["refusals"] = Refusals()
    app.log_exception = log_exception  # type: ignore[method-assign]
    request_started.connect(start_clock, app)  # before any check that ends the request
    app.after_request(log_request)


def start_clock(app: Flask, **_: object) -> None:
    g.started = time.perf_counter()


def tell_of_proxy() -> None:
    """Log once that a proxy is there which the settings know nothing of: to us all of its clients
    are one, and share one limit."""
    if "HTTP_X_FORWARDED_FOR" in request.environ and not current_app.extensions.get("proxy told"):
        current_app.extensions["proxy told"] = True
        log.warning("a proxy sends X-Forwarded-For: set TRUSTED_PROXIES to the number of proxies")


def log_request(response: Response) -> Response:
    if request.endpoint not in {"static", "health.healthz", "health.readyz"} and "untold" not in g:
        log.info(
            "request",
            method=request.method,
            endpoint=request.endpoint,
            status=response.status_code,
            milliseconds=round((time.perf_counter() - g.started) * 1000, 1),
        )
    return response


def tell_refusal(reason: str) -> None:
    """Log what may be an attack, without telling a person: why it was refused, at which endpoint,
    and a keyed hash of the client that is another each day. Of very many, not each, and not its
    request."""
    refusals: Refusals = current_app.extensions["refusals"]
    client = client_hash(datetime.now(UTC))
    if not refusals.tell(reason, client, endpoint=request.endpoint):
        g.untold = True


def tell_signed_in(how: str, staff_id: int) -> None:
    """Log that somebody of support has signed in, by their number and not by their name."""
    client = client_hash(datetime.now(UTC))
    log.info("signed in", how=how, staff=staff_id, client=client)


def log_exception(
    exc_info: tuple[type, BaseException, TracebackType] | tuple[None, None, None],
) -> None:
    """In place of Flask's, which logs the path and the message."""
    kind, _, trace = exc_info
    frames = [
        f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(trace)
    ]
    log.error(
        "unhandled error",
        endpoint=request.endpoint,
        error=getattr(kind, "__name__", None),
        frames=[f for f in frames if "site-packages" not in f] + frames[-1:],
    )
