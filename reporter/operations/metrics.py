"""Figures for Prometheus, read from the database: the same whichever process answers."""

from __future__ import annotations

import hmac
import threading
import time
from collections.abc import Iterator
from datetime import timedelta

from flask import Blueprint, Flask, Response, abort, current_app, request
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector, CollectorRegistry
from sqlalchemy.exc import SQLAlchemyError

from reporter.database import Database, at_work
from reporter.database import file as database_file
from reporter.delivery.clock import shared_now
from reporter.operations import figures
from reporter.web.guards import csrf
from reporter.web.loopback import is_from_this_machine

# However often it is asked for, the database is asked no more often than this.
FRESH_SECONDS = 5.0
DAY = timedelta(days=1)

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
    return Response(current_app.extensions["figures"].text(), content_type=CONTENT_TYPE_PLAIN_0_0_4)


class Figures(Collector):
    """What there is to tell at this moment."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.lock = threading.Lock()
        self.written_at = 0.0
        self.written = b""
        self.registry = CollectorRegistry(auto_describe=False)
        self.registry.register(self)

    def text(self) -> bytes:
        with at_work.aside(), self.lock:
            if not self.written or time.monotonic() - self.written_at >= FRESH_SECONDS:
                self.written = generate_latest(self.registry)
                self.written_at = time.monotonic()
            return self.written

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        """Without the database there is one figure that says so, and those of the disk."""
        try:
            found = list(self._from_database())
        except SQLAlchemyError:
            found = []
        yield _gauge("database_up", "Whether the database answers.", bool(found))
        yield from found
        free = database_file.free_bytes(self.app.config["DATABASE_URL"])
        if free is not None:
            yield _gauge("disk_free_bytes", "Room on the disk of the database.", free)

    def _from_database(self) -> Iterator[Metric]:
        database: Database = self.app.extensions["sqlalchemy"]
        now = shared_now(database)
        with database.read() as session:
            mails = GaugeMetricFamily(
                "reporter_mails", "Mails that are not sent.", labels=["kind", "state"]
            )
            for (kind, state), count in figures.unsent(session).items():
                mails.add_metric([kind, state], count)
            yield mails
            oldest = figures.oldest_unsent_at(session)
            age = (now - oldest).total_seconds() if oldest else 0
            yield _gauge("oldest_unsent_seconds", "Age of the oldest that support waits for.", age)
            latency = GaugeMetricFamily(
                "reporter_sent_latency_seconds",
                "From saved to accepted by a relay, of tickets of the last hour.",
                labels=["quantile"],
            )
            for quantile, seconds in figures.ticket_latencies(session, now).items():
                latency.add_metric([quantile], seconds)
            yield latency
            reports = GaugeMetricFamily(
                "reporter_reports_last_day",
                "Reports saved in the last 24 hours.",
                labels=["service", "severity"],
            )
            for (service, severity), count in figures.reports_since(session, now - DAY).items():
                reports.add_metric([service, severity], count)
            yield reports
            yield _gauge("unseen_reports", "Open reports nobody has seen.", figures.unseen(session))
            yield _gauge("drafts", "Drafts that were not sent.", figures.drafts(session))
            alive = figures.beats(session, now)
            yield _gauge("workers", "Workers that were heard of lately.", len(alive))
            if last := figures.last_beat_at(session):
                age = (now - last).total_seconds()
                yield _gauge("last_beat_seconds", "Since a worker was last heard of.", age)


def _gauge(name: str, text: str, value: float) -> Metric:
    family = GaugeMetricFamily(f"reporter_{name}", text)
    family.add_metric([], float(value))
    return family
