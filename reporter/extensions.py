"""The extensions, bare: the factory gives each its application. `web.guards` has those of pages."""

from __future__ import annotations

import logging
from functools import cache, cached_property, lru_cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import flask_babel
from babel.support import NullTranslations, Translations
from flask import Flask, current_app
from flask.globals import _cv_app
from flask_babel import Babel, get_locale
from flask_babel import Domain as BabelDomain
from jinja2 import pass_eval_context
from jinja2.nodes import EvalContext
from markupsafe import Markup

from reporter.delivery.smtp import RelayMail
from reporter.models import Base

if TYPE_CHECKING:
    from flask_alembic import Alembic


def _texts_of() -> SimpleNamespace | None:
    """Where Flask-Babel keeps what it found in this request. Its own asks the proxy of `g` three
    times, which is most of what a text costs."""
    context = _cv_app.get(None)
    if context is None:
        return None
    kept = vars(context.g)
    if "_flask_babel" not in kept:
        kept["_flask_babel"] = SimpleNamespace()
    found: SimpleNamespace = kept["_flask_babel"]
    return found


flask_babel._get_current_context = _texts_of


class Domain(BabelDomain):  # type: ignore[misc]
    """Flask-Babel's, which makes the text of a language's name to find its catalogue: a page asks
    for a hundred texts, and a report for more."""

    def get_translations_cache(self, ctx: object) -> dict[tuple[str, str], Translations]:
        """Of the application, each of which may have catalogues of its own."""
        kept: dict[tuple[str, str], Translations]
        kept = current_app.extensions.setdefault("catalogues", {})
        return kept

    def get_translations(self) -> Translations | NullTranslations:
        # Beside the locale in use, as Flask-Babel keeps that once it was asked for.
        kept = _texts_of()
        latest: tuple[object, Translations | NullTranslations] | None
        latest = getattr(kept, "catalogue", None)
        if latest is None or latest[0] is not getattr(kept, "babel_locale", None):
            latest = get_locale(), super().get_translations()
            if kept is not None and latest[0]:
                kept.catalogue = latest
        return latest[1]


class CachingBabel(Babel):  # type: ignore[misc]
    def init_app(self, app: Flask, *args: Any, **kwargs: Any) -> None:
        super().init_app(app, *args, **kwargs)
        app.jinja_env.globals |= {"_": translate, "gettext": translate}

    @cached_property
    def domain_instance(self) -> Domain:
        return Domain(domain=self.domain)


@pass_eval_context
def translate(context: EvalContext, text: str, /, **variables: Any) -> str:
    """What templates call: Jinja's own makes markup anew of the same words in each page."""
    found = babel.domain_instance.get_translations().ugettext(text)
    if context.autoescape:
        return Markup(found) % variables if variables else _marked(found)  # noqa: S704 (ours)
    return str(found % variables)


@lru_cache(2_000)
def _marked(words: str) -> Markup:
    return Markup(words) % {}  # noqa: S704


mail = RelayMail()
babel = CachingBabel()


@cache
def migrations() -> Alembic:
    """Alembic, for whoever migrates: it takes a tenth of a second to import."""
    from flask_alembic import Alembic

    alembic = Alembic(metadatas=Base.metadata, run_mkdir=False, command_name="")
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it has set its own
    return alembic
