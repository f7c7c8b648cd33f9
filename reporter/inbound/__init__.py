"""HEAR: what comes back. Support's answers and bounces by LMTP, and the helpdesk's hook.

What comes in can do three things: say that support has seen a report, that it is solved or not,
and that a mail did not arrive. No word of it is shown to anybody, and nothing is sent back.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask

from reporter.delivery.repeating import duties_of


def init_app(app: Flask) -> None:
    from reporter.inbound import hook

    app.register_blueprint(hook.blueprint)


def init_duties(app: Flask) -> None:
    duties_of(app).services.append(listening)


@contextmanager
def listening(app: Flask) -> Iterator[None]:
    """Take mail by LMTP for as long as the block lasts."""
    if not app.config["INBOUND_LISTEN"]:
        yield
        return
    from reporter.inbound import lmtp  # seldom needed, and slow to load

    with lmtp.listening(app):
        yield
