"""Watching and keeping: health, figures, a doctor, retention, and what leaves the database."""

from __future__ import annotations

from flask import Flask

from reporter.delivery.repeating import Duty, duties_of
from reporter.operations import health, metrics, purge, security

# How often a worker looks whether a day has gone by.
PURGE_LOOK_SECONDS = 600.0

__all__ = ["init_app"]


def init_app(app: Flask) -> None:
    for part in (health, metrics, security):
        part.init_app(app)
    duties_of(app).repeated.append(Duty("purge", PURGE_LOOK_SECONDS, lambda: purge.daily(app)))
