"""The files that pages load, held in memory: small, named by their content, kept for ever.

A page asks for `/static/reporter.js?v=<digest>`. What was asked for by the digest it has is
immutable; by any other name the answer is the present content, to be asked for again.
"""

from __future__ import annotations

import hashlib
import mimetypes
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask, Response, abort, current_app, request

FOLDER = Path(__file__).parent.parent / "static"
SCRIPTS = ("reporter.js", "files.js")
FOR_EVER = "public, max-age=31536000, immutable"  # RFC 8246

# A string, which stays as it is; or a sign with the white space around it.
KEPT_OR_SPACED = re.compile(r'("(?:\\.|[^"\\\n])*")|\s*([-=+*<>!?:;,.&|{}()\[\]])\s*')


@dataclass(frozen=True)
class Asset:
    content: bytes
    mimetype: str

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.content).hexdigest()[:12]


def init_app(app: Flask) -> None:
    app.extensions["assets"] = _read(app.config["LOGO"])
    app.add_url_rule("/static/<path:filename>", "static", serve)
    app.url_defaults(add_digest)


def serve(filename: str) -> Response:
    asset: Asset = current_app.extensions["assets"].get(filename) or abort(404)
    response = Response(asset.content, mimetype=asset.mimetype)
    exact = request.args.get("v") == asset.digest
    response.headers["Cache-Control"] = FOR_EVER if exact else "no-cache"
    response.set_etag(asset.digest)
    return response


def add_digest(endpoint: str, values: dict[str, Any]) -> None:
    """Have `url_for("static", filename=…)` name the content."""
    asset = current_app.extensions["assets"].get(values.get("filename"))
    if endpoint == "static" and asset:
        values.setdefault("v", asset.digest)


def shorter(script: str) -> str:
    """A script as it is served: without whole-line comments and needless white space.

    Strings keep theirs. So a comment after code is `// …` on a line that ends with it, and
    neither a template literal nor a regular expression holds a space.
    """
    lines = (re.sub(r"\s//\s.*", "", line).strip() for line in script.splitlines())
    text = "\n".join(line for line in lines if line and not line.startswith("//"))
    return KEPT_OR_SPACED.sub(lambda found: found[1] or found[2], text) + "\n"


def script(name: str) -> str:
    return shorter((FOLDER / name).read_text(encoding="utf-8"))


def _read(logo: str) -> dict[str, Asset]:
    """Every file that is served, by its name; the provider's logo as "logo"."""
    found = {name: Asset(script(name).encode(), "text/javascript") for name in SCRIPTS} | {
        "icon.svg": _file(FOLDER / "icon.svg"),
    }
    return found | ({"logo": _file(Path(logo))} if logo else {})


def _file(path: Path) -> Asset:
    mimetype, _ = mimetypes.guess_type(path.name)
    return Asset(path.read_bytes(), mimetype or "application/octet-stream")
