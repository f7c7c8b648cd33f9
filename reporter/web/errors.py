"""Error pages: calm, in the customer's language, with the phone number and what was typed."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import cast

from flask import (
    Flask,
    Response,
    current_app,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, InternalServerError, ServiceUnavailable
from wtforms import Form
from wtforms.fields.core import UnboundField

from reporter.database.patience import NotAnswering
from reporter.formats.words import size_in_words
from reporter.web import bounds
from reporter.web.browser import Browser
from reporter.web.logs import tell_refusal
from reporter.web.pages import page_url

FieldNames = Callable[..., Collection[str]]


def init_app(app: Flask) -> None:
    for failure in (DBAPIError, PoolTimeout):
        app.register_error_handler(failure, database_failed)
    app.register_error_handler(HTTPException, show_error)


def database_failed(error: SQLAlchemyError) -> ResponseReturnValue:
    """The database does not answer: nothing was saved, and what was typed goes back."""
    if not isinstance(error, NotAnswering):  # of which it is said once, when it begins
        current_app.log_exception((type(error), error, error.__traceback__))  # type: ignore[arg-type]
    return show_error(ServiceUnavailable())


def show_error(error: HTTPException) -> ResponseReturnValue:
    if error.response is not None:  # a page that says it better
        return cast(Response, error.response)
    if error.code == 404 and (better := _without_slash()):
        return better
    if reason := _refusal(error):
        tell_refusal(reason)
    if isinstance(error, (InternalServerError, ServiceUnavailable)):
        title = _("Something failed on our side")
        text = _("It is not your fault. Please try again in a minute.")
        if request.mimetype == "multipart/form-data":
            text += " " + _("You will need to choose any files again.")
    elif error.code == 413 and _past_its_length():
        title = _("Those files are too large")
        text = _(
            "Files can be %(limit)s in total. Go back, choose fewer or smaller ones, and continue.",
            limit=size_in_words(
                min(current_app.config["MAX_DESK_FILE_BYTES"], bounds.FILES_BODY_BYTES)
            ),
        )
    elif error.code == 413:
        title = _("That is too much text for one page")
        text = _("Go back, shorten the longest text to its most useful part, and continue.")
    elif error.code == 429:
        title = _("Please wait a moment")
        text = _("Many reports are arriving from your network. Wait a minute and try again.")
    elif isinstance(error, CSRFError) and Browser().sent_no_cookie():
        title = _("This page was open for a long time, or your browser keeps no cookies")
        text = _(
            "This form needs one cookie and no others. Allow cookies for this page and send it "
            "again, or send it to us another way."
        )
    elif isinstance(error, CSRFError):
        title = _("This page was open for a long time")
        text = _("For your safety we ask you to send it again.")
    elif error.code in {404, 405}:
        title = _("There is no such page")
        text = _("The link may be incomplete. Copy all of it, or start from the first page.")
    else:
        title = _("We could not understand that request")
        text = _("Go back and try again.")
    typed = _typed(error)
    response: Response = make_response(
        render_template(
            "error.html",
            title=title,
            text=text,
            typed=typed and typed[0],
            all_of_it=typed is None or typed[1],
            cookieless=isinstance(error, CSRFError) and Browser().sent_no_cookie(),
            back=page_url() if error.code == 413 else None,
        ),
        error.code or 500,
    )
    for name, value in error.get_headers():
        if name.lower() not in {"content-type", "content-length"}:
            response.headers[name] = value
    return response


def _without_slash() -> Response | None:
    """To the page that is meant by an address with a slash behind it, as people and programs write
    them; None where there is none."""
    path = request.path.rstrip("/")
    if request.method not in {"GET", "HEAD"} or path in {"", request.path}:
        return None
    addresses = current_app.create_url_adapter(request)
    assert addresses is not None  # of a request
    try:
        endpoint, arguments = addresses.match(path, method="GET")
    except HTTPException:
        return None
    here = url_for(endpoint, **arguments)
    query = request.query_string.decode("latin-1")
    return cast(Response, redirect(f"{here}?{query}" if query else here, 308))


def _past_its_length() -> bool:
    """Whether the whole is too long for a page with files. A body that is not, and is refused all
    the same, holds too much text, which a page with files can do too."""
    length = request.content_length or 0
    return request.mimetype == "multipart/form-data" and length > bounds.FILES_BODY_BYTES


def _refusal(error: HTTPException) -> str | None:
    """What it may be an attack by; None for what happens to anybody."""
    if isinstance(error, CSRFError):
        return "stale token"
    if error.code == 404:
        secret = {"token", "key", "reference"} & set(request.view_args or {})
        return "unknown link" if secret else None
    return {401: "wrong secret", 403: "foreign origin", 413: "too large", 429: "over a limit"}.get(
        error.code or 500
    )


def gives_back(app: Flask, endpoint: str, names: FieldNames) -> None:
    """Have error pages give back the fields of *endpoint*'s page that *names* tells, given the
    arguments of its path. Without this they give back none, as of a password."""
    app.extensions.setdefault("own_fields", {})[endpoint] = names


def field_names(form: type[Form]) -> list[str]:
    """Of all that a form declares."""
    return [name for name in dir(form) if isinstance(getattr(form, name), UnboundField)]


def _typed(error: HTTPException) -> tuple[list[tuple[str, str]], bool] | None:
    """What the page was sent with, to be sent again with one button, and whether that is all of
    it; tokens are made afresh. None where sending the same again would be of no use."""
    again = isinstance(error, CSRFError) or error.code not in {400, 403, 404, 405, 413}
    return own_typed() if request.method == "POST" and again else None


def own_typed() -> tuple[list[tuple[str, str]], bool] | None:
    """What the page's own form was sent with, within GIVEN_BACK_BYTES, and whether that is all of
    it; None where no page says which fields are its own, or it is too large to be read."""
    names = current_app.extensions.get("own_fields", {}).get(request.endpoint)
    if names is None:
        return None
    own = {*names(**(request.view_args or {}))} - {"csrf_token"}
    room, typed = bounds.GIVEN_BACK_BYTES, []
    try:
        sent = [(name, value) for name, value in request.form.items(multi=True) if name in own]
    except HTTPException:  # it is too large besides
        return None
    for name, value in sent:
        room -= len(name) + len(value.encode(errors="replace"))
        if room >= 0:
            typed.append((name, value))
    return typed, room >= 0
