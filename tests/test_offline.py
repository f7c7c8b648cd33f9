"""A report that was filled in without a connection, as the server takes it."""

from __future__ import annotations

import html
import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from factories import ANSWERS, LANGUAGES, everything
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

pytestmark = pytest.mark.settings(BASE_URL="http://localhost")

KEY = "4022250974-7-1906892053-3-2718281828"
JUST_NOW = everything(started="just_now")


def send(client: FlaskClient, key: str = KEY, **changes: str) -> TestResponse:
    token = client.get("/report/token").json["csrf_token"]
    sent = JUST_NOW | {"csrf_token": token, "draft_key": key} | changes
    return client.post("/report/whole", data=sent)


def ticket(client: FlaskClient, response: TestResponse) -> dict[str, str]:
    text = client.get(f"{response.location}/ticket.txt").text
    return dict(re.findall(r"^(\w+): (.*)$", text, re.MULTILINE))


def test_what_is_sent_twice_is_one_report(app):
    client = app.test_client()
    first, second, third = (send(client) for _ in range(3))
    assert first.location == second.location == third.location
    assert first.location.startswith("/r/")


def test_what_another_tab_sends_under_the_same_key_is_a_report_of_its_own(app):
    client = app.test_client()
    receipt = send(client).location
    other = send(client, summary="Incidencia B")
    assert other.location.startswith("/r/")
    assert other.location != receipt
    assert ticket(client, other)["summary"] == "Incidencia B"
    assert send(client, summary="Incidencia B").location == other.location  # its answer was lost
    assert send(client).location == receipt


def test_a_key_that_somebody_else_knows_opens_nothing_of_ours(app):
    ours, theirs = app.test_client(), app.test_client()
    receipt = send(ours).location
    assert send(theirs, summary="De otra persona").location != receipt
    page = theirs.get(f"/report/failure?draft={KEY}")
    assert ANSWERS["affected"] not in page.text


def test_a_whole_report_without_a_key_is_taken_all_the_same(app):
    assert send(app.test_client(), key="").location.startswith("/r/")


def test_another_key_is_another_report(app):
    client = app.test_client()
    assert send(client).location != send(client, key=KEY[:-1] + "9").location


def test_just_now_is_when_it_was_said_and_not_when_it_arrived(app):
    client = app.test_client()
    answered = ticket(client, send(client, age="3600"))
    started = datetime.fromisoformat(answered["started_at"])
    assert abs(datetime.now(UTC) - timedelta(hours=1) - started) < timedelta(seconds=30)
    assert "flags" not in answered


@pytest.mark.parametrize("age", ["-5", "1e999", "nan", "soon"])
def test_an_age_that_is_none_counts_as_now(app, age):
    client = app.test_client()
    started = datetime.fromisoformat(ticket(client, send(client, age=age))["started_at"])
    assert started <= datetime.now(UTC)
    assert datetime.now(UTC) - started < timedelta(days=1, minutes=1)


def test_what_cannot_be_taken_is_kept_and_shown_to_be_mended(app):
    client = app.test_client()
    response = send(client, email="nobody")
    assert response.location == "/report/contact?check=1"
    page = client.get(response.location).text
    assert 'value="nobody"' in page
    assert page.count('href="#f-') == 1


def test_a_key_that_is_none_is_refused(app):
    assert send(app.test_client(), key="1").status_code == 400


def test_without_a_token_everything_comes_back_to_be_sent_again(app):
    client = app.test_client()
    response = client.post("/report/whole", data=JUST_NOW | {"draft_key": KEY})
    assert response.status_code == 400
    assert ANSWERS["summary"] in response.text
    assert "/r/" not in response.text
    given_back = re.findall(r'<textarea name="(\w+)" hidden>\n([^<]*)', response.text)
    token = re.search('name="csrf_token" value="([^"]+)"', response.text)[1]
    again = {name: html.unescape(value) for name, value in given_back} | {"csrf_token": token}
    assert again["draft_key"] == KEY
    assert client.post("/report/whole", data=again).headers["Location"].startswith("/r/")


def test_a_step_sent_twice_before_its_answer_arrived_is_one_draft(app):
    """The first answer was lost, and with it the cookie."""
    client = app.test_client()
    client.get("/report/failure")  # the page that is sent
    token = client.get("/report/token").json["csrf_token"]
    sent = JUST_NOW | {"csrf_token": token, "draft_key": KEY}
    before = client.get_cookie("reporter")
    assert client.post("/report/failure", data=sent).location == "/report/timing"
    client.set_cookie("reporter", before.value)
    assert client.post("/report/failure", data=sent).location == "/report/timing"
    for slug in ("timing", "changes", "contact"):
        client.post(f"/report/{slug}", data=sent)
    receipt = client.post("/report/review", data=sent).location
    assert send(client).location == receipt


def test_a_script_is_told_where_to_go_and_everybody_else_is_sent_there(app):
    client = app.test_client()
    assert send(client).status_code == 303
    token = client.get("/report/token").json["csrf_token"]
    told = client.post(
        "/report/whole",
        data=JUST_NOW | {"csrf_token": token, "draft_key": KEY},
        headers={"X-Requested-With": "fetch"},
    )
    assert told.json == {"location": send(client).location}


def test_the_service_worker_keeps_the_blank_form_in_every_language_and_nothing_else(app):
    client = app.test_client()
    send(client)
    response = client.get("/sw.js")
    assert response.mimetype == "text/javascript"
    assert response.headers["Cache-Control"] == "no-cache"
    settings = json.loads(re.match(r"const settings=(.*);\n", response.text)[1])
    assert settings["forms"] == {each: f"/offline?lang={each}" for each in LANGUAGES}
    for page in settings["forms"].values():
        html = client.get(page).text
        assert ANSWERS["email"] not in html
        assert 'name="csrf_token"' not in html
    assert app.test_client().get("/sw.js").data == response.data
