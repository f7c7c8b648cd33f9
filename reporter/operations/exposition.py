"""Figures as Prometheus reads them, read from the database: the same whichever process answers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from flask import Flask
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector, CollectorRegistry
from sqlalchemy.exc import SQLAlchemyError

from reporter.database import Database
from reporter.database import file as database_file
from reporter.delivery.clock import shared_now
from reporter.operations import figures

DAY = timedelta(days=1)


def exposition(app: Flask) -> bytes:
    """What there is to tell at this moment, in its text format 0.0.4."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(app))
    return generate_latest(registry)


class _Figures(Collector):
    def __init__(self, app: Flask) -> None:
        self.app = app

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
