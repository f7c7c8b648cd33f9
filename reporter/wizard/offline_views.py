"""The report without a connection: the whole form on one page, kept by the browser after one
visit, and sent whole when there is a connection again.

What is kept there is the same for everybody: it holds no answer, no token and no receipt.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime

from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import force_locale
from flask_wtf.csrf import CSRFError

from reporter.database import get_database
from reporter.formats.languages import tag
from reporter.links import hash_token
from reporter.web import trouble
from reporter.web.assets import script
from reporter.web.browser import Browser
from reporter.web.fields import Files
from reporter.web.guards import limiter
from reporter.web.locale import current_language
from reporter.web.question import Question, questions
from reporter.web.signatures import csrf_token
from reporter.wizard import answers
from reporter.wizard.draft_keys import new_key, posted_key
from reporter.wizard.pages import SendForm, keep_step
from reporter.wizard.report_stage import ReportStage
from reporter.wizard.step import StepForm
from reporter.wizard.steps import REPORT_STEPS
from reporter.wizard.views import SEND_LIMIT

blueprint = Blueprint("offline", __name__)

# What the form loads.
NEEDED = (
    "reporter.js",
    "offer.js",
    "writing.js",
    "zone.js",
    "whole.js",
    "icon.svg",
    "logo",
)


@blueprint.get("/offline")
def form() -> ResponseReturnValue:
    """Every question on one page, blank."""
    return _blank_form()


@blueprint.get("/sw.js")
def service_worker() -> Response:
    """The service worker. It changes, and so takes effect, when a page that it keeps does."""
    urls = [url_for("offline.form", lang=language) for language in current_app.config["LANGUAGES"]]
    pages = []
    for language in current_app.config["LANGUAGES"]:
        with force_locale(language):
            pages.append(_blank_form())
    assets = current_app.extensions["assets"]
    settings = {
        "version": hashlib.sha256("".join(pages).encode()).hexdigest()[:12],
        "forms": dict(zip(map(tag, current_app.config["LANGUAGES"]), urls, strict=True)),
        "files": [
            *(url_for("static", filename=name) for name in NEEDED if name in assets),
            *map(trouble.url, current_app.config["LANGUAGES"]),
        ],
    }
    content = f"const settings={json.dumps(settings)};\n{script('sw.js')}"
    return Response(content, mimetype="text/javascript", headers={"Cache-Control": "no-cache"})


@blueprint.get("/report/token")
def token() -> ResponseReturnValue:
    """The token that a form which was kept without one is sent with."""
    Browser().draft_id("")  # and with the cookie that makes its key this browser's alone
    return {"csrf_token": csrf_token()}


@blueprint.post("/report/whole")
@limiter.limit(SEND_LIMIT)
def whole() -> ResponseReturnValue:
    """Take every step at once and send the report, or show the first step to be mended.

    It is kept under the browser's key: sending it twice gives the same receipt. What says something
    else than was sent under that key, from another tab, is a report of its own.
    """
    if request.form.get("draft_key") and not posted_key():
        abort(400)
    if not SendForm().validate():
        raise CSRFError
    stage = _stage(posted_key() or new_key())
    forms = {step.slug: step.form(meta={"csrf": False}) for step in stage.steps}
    if stage.is_sent and not all(map(stage.is_sent_as, forms.values())):
        stage = _stage(_key_of_its_own(stage.key, forms.values()))
    if receipt := stage.receipt():
        return redirect(receipt, 303)
    for step in stage.steps:
        if not keep_step(stage, step, forms[step.slug]):
            abort(413)
    wrong = next((slug for slug, form in forms.items() if form.errors), None)
    if wrong:
        return redirect(stage.url(wrong, check=1), 303)
    return redirect(_stage(stage.key).send(forms, datetime.now(UTC)), 303)


def _key_of_its_own(key: str, forms: Iterable[StepForm]) -> str:
    """The same for the same answers, however often they arrive."""
    return hash_token(f"{key} {answers.digest(forms)}")[:40]


def _stage(key: str) -> ReportStage:
    with get_database().read() as session:
        return ReportStage(session, key=key)


def shown(form: StepForm) -> list[Question]:
    """The questions of a blank form: no files, which a browser does not keep, and not those that
    only some answer brings up."""
    asked = [question for question in questions(form) if question.asked_when is None]
    return [question for question in asked if not isinstance(question, Files)]


def _blank_form() -> str:
    return render_template(
        "wizard/offline.html",
        steps=[(step, step.form(None, meta={"csrf": False})) for step in REPORT_STEPS],
        questions_of=shown,
        language=current_language(),
    )
