"""For whoever watches the service: is it alive, and can it take a report?"""

from __future__ import annotations

import sqlalchemy as sa
from flask import Blueprint, Flask
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from reporter.database import get_database
from reporter.extensions import csrf, limiter
from reporter.models import Draft

blueprint = Blueprint("health", __name__)


def init_app(app: Flask) -> None:
    limiter.exempt(blueprint)
    csrf.exempt(blueprint)
    app.register_blueprint(blueprint)


@blueprint.get("/healthz")
def healthz() -> ResponseReturnValue:
    """200 while the process answers at all."""
    return {"status": "ok"}


@blueprint.get("/readyz")
def readyz() -> ResponseReturnValue:
    """200 when a report could be kept: the database answers and its tables are there; else 503."""
    try:
        with get_database().read() as session:
            session.execute(sa.select(Draft.id).limit(1))
    except SQLAlchemyError:
        return {"status": "unavailable", "database": "unreachable or not migrated"}, 503
    return {"status": "ok"}
