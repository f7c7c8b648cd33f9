"""Whom to tell of a weakness: /.well-known/security.txt (RFC 9116)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flask import Blueprint, Flask, Response, abort, current_app

from reporter.links import absolute
from reporter.settings.shapes import is_email
from reporter.web.guards import csrf

# It is written anew each time, so this is how long a copy of it is good.
VALID_FOR = timedelta(days=90)

blueprint = Blueprint("security", __name__)


def init_app(app: Flask) -> None:
    csrf.exempt(blueprint)
    app.register_blueprint(blueprint)


@blueprint.get("/.well-known/security.txt")
def security_txt() -> Response:
    contact: str = current_app.config["SECURITY_CONTACT"]
    if not contact:
        abort(404)
    uri = f"mailto:{contact}" if is_email(contact) else contact
    expires = (datetime.now(UTC) + VALID_FOR).replace(hour=0, minute=0, second=0, microsecond=0)
    lines = [
        f"Contact: {uri}",
        f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}",
        f"Preferred-Languages: {', '.join(current_app.config['LANGUAGES'])}",
        f"Canonical: {absolute('/.well-known/security.txt')}",
    ]
    return Response("".join(f"{line}\n" for line in lines), mimetype="text/plain")
