"""The language of a page: `?lang=`, then the session, then Accept-Language, then the first."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

from babel import Locale
from babel.support import NullTranslations, Translations
from flask import Flask, Response, current_app, has_request_context, request
from flask_babel import get_locale

from reporter.formats.languages import preferred, tag
from reporter.web.browser import Browser


def init_app(app: Flask) -> None:
    app.before_request(remember_language)
    app.url_defaults(carry_language)
    app.before_request(share_catalogue)
    app.after_request(say_language)


def select_locale() -> Locale:
    """Asked by Flask-Babel, also outside a request, where the first language is taken."""
    languages: list[str] = current_app.config["LANGUAGES"]
    if not has_request_context():
        return _locale(languages[0])
    for choice in (request.args.get("lang"), Browser().language):
        if choice in languages:
            return _locale(choice)
    accepted = request.headers.get("Accept-Language", "")
    return _preferred(accepted, tuple(languages))


@lru_cache(64)  # each as long as a visitor likes
def _preferred(accepted: str, languages: tuple[str, ...]) -> Locale:
    """Browsers say the same with every page."""
    return _locale(preferred(accepted, languages) or languages[0])


@cache
def _locale(language: str) -> Locale:
    """Flask-Babel takes one as it is, and would read the language's code in each request."""
    return Locale.parse(language)


def remember_language() -> None:
    choose_language(request.args.get("lang", ""))


def carry_language(endpoint: str, values: dict[str, Any]) -> None:
    """Have links to the form name the language while no cookie can: it may never come."""
    if not has_request_context() or not endpoint.startswith(("wizard.", "offline.")):
        return
    asked = request.args.get("lang")
    if asked in current_app.config["LANGUAGES"] and Browser().sent_no_cookie():
        values.setdefault("lang", asked)


def share_catalogue() -> None:
    """WTForms' own messages, which Flask-WTF would read from their file again in each request.

    A file that pages load has none: it is the same whatever the cookie says, and whoever keeps it
    must be told so, or a browser asks for it again with each cookie.
    """
    if request.endpoint == "static":
        return
    request.wtforms_translations = _catalogue(current_language())  # type: ignore[attr-defined]


@cache
def _catalogue(language: str) -> NullTranslations:
    from wtforms.i18n import messages_path

    return Translations.load(messages_path(), [language], domain="wtforms")


def say_language(response: Response) -> Response:
    if response.mimetype == "text/html":
        response.headers.setdefault("Content-Language", tag(current_language()))
    return response


def choose_language(language: str) -> None:
    """Keep *language* for the pages that follow, when it is one of ours."""
    if language in current_app.config["LANGUAGES"]:
        Browser().language = language


def current_language() -> str:
    """The code of the language in use, as in LANGUAGES."""
    return _code(get_locale())


@cache
def _code(locale: Locale | None) -> str:
    return str(locale)


def language_name(language: str) -> str:
    """A language's name in itself, as in "Español"."""
    return (Locale.parse(language).get_display_name(language) or language).capitalize()
