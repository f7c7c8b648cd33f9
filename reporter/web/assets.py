"""The files that pages load, held in memory: small, named by their content, kept for ever.

A page asks for `/static/reporter.js?v=<digest>`. What was asked for by the digest it has is
immutable; by any other name the answer is the present content, to be asked for again.
"""

from __future__ import annotations

import hashlib
import mimetypes
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

import brotli
from flask import Flask, Response, abort, current_app, request
from rjsmin import jsmin

from reporter.web.guards import limiter

FOLDER = Path(__file__).parent.parent / "static"
# What a page loads is joined from the parts of its script, in this order.
SCRIPTS = {"reporter.js": ("draft.js", "send.js")}
# What that loads besides, where a page needs it.
PARTS = (
    "files.js",
    "offer.js",
    "password.js",
    "receipt.js",
    "whole.js",
    "writing.js",
    "zone.js",
)
FOR_EVER = "public, max-age=31536000, immutable"  # RFC 8246


@dataclass(frozen=True)
class Asset:
    content: bytes
    mimetype: str

    @cached_property
    def digest(self) -> str:
        return hashlib.sha256(self.content).hexdigest()[:12]

    @cached_property
    def smallest(self) -> bytes:
        """In Brotli, smaller than pages are, as it is made once."""
        return bytes(brotli.compress(self.content))


def init_app(app: Flask) -> None:
    app.extensions["assets"] = _read(app.config["LOGO"])
    app.add_url_rule("/static/<path:filename>", "static", limiter.exempt(serve))
    app.url_defaults(add_digest)


def serve(filename: str) -> Response:
    return answer(current_app.extensions["assets"].get(filename) or abort(404))


def answer(asset: Asset) -> Response:
    is_text = asset.mimetype.startswith("text/")  # what is not, is compressed in its own way
    if is_text and request.accept_encodings["br"]:
        response = Response(asset.smallest, mimetype=asset.mimetype)
        response.content_encoding = "br"
        response.set_etag(f"{asset.digest}-br")
    else:
        response = Response(asset.content, mimetype=asset.mimetype)
        response.set_etag(asset.digest)
    response.vary.add("Accept-Encoding")
    exact = request.args.get("v") == asset.digest
    response.headers["Cache-Control"] = FOR_EVER if exact else "no-cache"
    return response


def add_digest(endpoint: str, values: dict[str, Any]) -> None:
    """Have `url_for("static", filename=…)` name the content."""
    asset = current_app.extensions["assets"].get(values.get("filename"))
    if endpoint == "static" and asset:
        values.setdefault("v", asset.digest)


def script(*paths: str) -> str:
    """Scripts as they are served: as one, without comments and needless white space.

    What one part imports from another is in the same scope then.
    """
    parts = [(FOLDER / path).read_text(encoding="utf-8") for path in paths]
    whole = "\n".join(parts)
    if len(parts) > 1:
        whole = re.sub(r"^import .*\n|^export ", "", whole, flags=re.MULTILINE)
    return str(jsmin(whole))


def _script(*names: str, known: Mapping[str, Asset] = MappingProxyType({})) -> Asset:
    """What is joined of *names*; it asks for those *known* by their content."""
    text = script(*(f"js/{name}" for name in names))
    for name, asset in known.items():
        text = text.replace(f'import("./{name}")', f'import("./{name}?v={asset.digest}")')
    return Asset(text.encode(), "text/javascript")


def _read(logo: str) -> dict[str, Asset]:
    """Every file that is served, by its name; the provider's logo as "logo"."""
    found = {name: _script(name) for name in PARTS}
    for name, parts in SCRIPTS.items():
        found[name] = _script(*parts, known=found)
    found |= {
        "icon.svg": _file(FOLDER / "icon.svg"),
        "desk.js": Asset(script("js/desk.js").encode(), "text/javascript"),
    }
    return found | ({"logo": _file(Path(logo))} if logo else {})


def _file(path: Path) -> Asset:
    mimetype, _ = mimetypes.guess_type(path.name)
    return Asset(path.read_bytes(), mimetype or "application/octet-stream")
