"""Watching and keeping: health, figures, a doctor, retention, and what leaves the database."""

from __future__ import annotations

from flask import Flask

from reporter.delivery.repeating import Duty, duties_of

# How often a worker looks whether a day has gone by.
PURGE_LOOK_SECONDS = 600.0


def init_app(app: Flask) -> None:
    from reporter.operations import health, metrics, security

    for part in (health, metrics, security):
        part.init_app(app)


def init_duties(app: Flask) -> None:
    def purge() -> None:
        from reporter.operations import purge  # which only a worker needs

        purge.daily(app)

    duties_of(app).repeated.append(Duty("purge", PURGE_LOOK_SECONDS, purge))
