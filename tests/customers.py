"""Whoever visits the pages without a browser: customers, support, strangers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urljoin

from bs4 import BeautifulSoup, Tag
from factories import SLUGS, values
from flask import Flask
from webtest import TestApp, TestResponse, Upload
from webtest.forms import Checkbox, File, Form, Select, Submit
from werkzeug.urls import iri_to_uri

OWN_FORMS = "main form:not(.operator)"
Files = Iterable[tuple[str, bytes]]  # each a name and its content
_LINE_END = re.compile(r"\r\n?|\n")


class Page:
    """An answer as its reader has it: what is told there, and the forms, which WebTest fills in.

    `errors` are the messages beside the fields, `listed` those above them, `links` the texts of
    links by their address.
    """

    def __init__(self, response: TestResponse) -> None:
        self.response = response
        self.status: int = response.status_int
        self.headers = response.headers
        self.location: str = response.headers.get("Location", "")
        self._found: dict[str, Form] = {}

    @classmethod
    def of(cls, html: str) -> Page:
        """A page that somebody else asked for."""
        return cls(TestResponse(html.encode(), content_type="text/html"))

    @cached_property
    def html(self) -> str:
        return self.response.body.decode("utf-8", "replace")

    @cached_property
    def text(self) -> str:
        return self._elements.get_text() if self._elements else self.html

    @cached_property
    def errors(self) -> dict[str, str]:
        return {each["id"].removeprefix("e-"): words(each) for each in self._all("p.error")}

    @cached_property
    def listed(self) -> dict[str, str]:
        found = self._all("a[href^='#f-']")
        return {each["href"].removeprefix("#f-"): words(each) for each in found}

    @cached_property
    def links(self) -> dict[str, str]:
        return {each["href"]: words(each) for each in self._all("a:not([href^='#f-'])")}

    def form(self, which: str = "") -> Form:
        """The form whose id is *which*, or which leads there, or one of whose buttons does.

        Without *which*, the only form of the page's own: in <main>, and not in support's bar.
        """
        if which not in self._found:
            self._found[which] = self._find(which)
        return self._found[which]

    def _find(self, which: str) -> Form:
        elements = self._all("form")
        forms = [self.response.forms[number] for number in range(len(elements))]
        if which:
            found = [form for form in forms if which in {form.id, *leads_to(form)}]
        else:
            own = {id(element) for element in self._all(OWN_FORMS)}
            pairs = zip(forms, elements, strict=True)
            found = [form for form, element in pairs if id(element) in own]
        of_page = [form.id or form.action for form in forms]
        assert len(found) == 1, f"not one form {which or 'of its own'}: of {of_page}"
        return found[0]

    @property
    def path(self) -> str:
        """Where one is."""
        return str(self.response.request.path)

    @property
    def action(self) -> str:
        """Where the one form of the page leads; nowhere when there is none, or several."""
        return str(self.form().action) if len(self._all(OWN_FORMS)) == 1 else ""

    @property
    def fields(self) -> dict[str, str]:
        """What the one form of the page would send as it stands; nothing without one."""
        return self.filled() if len(self._all(OWN_FORMS)) == 1 else {}

    def filled(self, form: str = "") -> dict[str, str]:
        """What a form would send as it stands, but for files and buttons."""
        return dict(as_it_stands(self.form(form)))

    @cached_property
    def _elements(self) -> BeautifulSoup | None:
        return self.response.html if "html" in self.response.content_type else None

    def _all(self, selector: str) -> list[Tag]:
        return list(self._elements.select(selector)) if self._elements else []


def words(element: Tag) -> str:
    return " ".join(element.get_text().split()).removeprefix("Error: ")


def leads_to(form: Form) -> set[str]:
    buttons = [field for fields in form.fields.values() for field in fields]
    return {form.action.split("#")[0], *(b.attrs.get("formaction", "") for b in buttons)} - {""}


def as_it_stands(form: Form) -> list[tuple[str, str]]:
    """What a browser sends of a form whose fields nobody touched; files apart."""
    areas = {name for name, (field, *_) in form.fields.items() if field.tag == "textarea"}
    return [
        (name, _LINE_END.sub("\r\n", value) if name in areas else value)
        for name, value in form.submit_fields()
        if not isinstance(value, File)
    ]


def file_field(form: Form) -> str:
    (name,) = [name for name, (field, *_) in form.fields.items() if isinstance(field, File)]
    return str(name)


def quoted(name: str) -> str:
    """A file's name as browsers quote it (HTML Standard, multipart/form-data)."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def offers(form: Form, name: str, value: str) -> bool:
    """Whether somebody in front of a form can answer *name* so."""
    for field in form.fields.get(name, []):
        if isinstance(field, Select):  # radios too
            choices = [choice for choice, *_ in field.options]
        elif isinstance(field, Checkbox | Submit):
            choices = [field._value or ""]
        else:
            return True
        if value in choices:
            return True
    return False


class Customer:
    """Somebody with a browser of their own, who goes from page to page."""

    def __init__(self, app: Flask, language: str = "es", **environment: str) -> None:
        self.begin(app, app.config["BASE_URL"], language)
        self.environment |= environment

    def begin(self, app: Any, base_url: str, language: str, **headers: str) -> None:
        """With a browser that was never here. *app* is any WSGI application."""
        scheme, _, host = base_url.partition("://")
        here = {"wsgi.url_scheme": scheme, "HTTP_HOST": host, "REMOTE_ADDR": "127.0.0.1"}
        self.client = TestApp(app, extra_environ=here)
        self.base_url = base_url
        self.headers = {"Accept-Language": language, **headers}
        self.environment: dict[str, str] = {}
        self.page: Page

    def blocks_cookies(self) -> None:
        self.client.cookiejar.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def open(self, path: str) -> Page:
        """Follow a link, wherever it leads."""
        self.page = self._follow(self.ask("GET", path))
        return self.page

    def peek(self, path: str) -> Page:
        """The answer itself, without following it or leaving the page."""
        return self.ask("GET", path)

    def ask(self, method: str, path: str, sent: Any = None, **options: Any) -> Page:
        """What no browser would, or a script: the answer itself, without leaving the page."""
        given = {"headers": {**self.headers, **options.pop("headers", {})}, "expect_errors": True}
        if sent is not None:
            options["params"] = sent
        send = getattr(self.client, method.lower())
        return Page(send(iri_to_uri(path), extra_environ=self.environment, **given, **options))

    def submit(
        self, form: str = "", /, *, follow: bool = True, files: Files = (), **answers: Any
    ) -> Page:
        """Answer a form of the page and press its button, or the button that is in *answers*.

        *form* as `Page.form` has it; *answers* by the names of the fields, None to leave one out.
        Fails where nobody in front of the page could answer so.
        """
        for name, value in answers.items():
            for each in value if isinstance(value, list) else [value]:
                possible = each is None or offers(self.page.form(form), name, each)
                assert possible, f"{name}={each!r:.80} is not in the form"
        return self.forge(form, follow=follow, files=files, **answers)

    def forge(
        self, form: str = "", /, *, follow: bool = True, files: Files = (), **answers: Any
    ) -> Page:
        """As `submit`, with fields and values that the form does not have."""
        found = self.page.form(form)
        sent = [each for each in as_it_stands(found) if each[0] not in answers]
        for name, value in answers.items():
            sent += [(name, each) for each in (value if isinstance(value, list) else [value])]
        sent = [each for each in sent if each[1] is not None]
        sent += [(file_field(found), Upload(quoted(name), content)) for name, content in files]
        options = {} if found.method.upper() == "GET" else {"content_type": found.enctype}
        path = urljoin(self.page.response.request.path, form if "/" in form else found.action)
        answer = self.ask(found.method, path, sent, **options)
        if follow or not answer.location:
            self.page = answer = self._follow(answer)
        return answer

    def fill(self, slug: str, follow: bool = True, **changes: str | None) -> Page:
        """Open a step, answer it and press the button."""
        self.open(f"/report/{slug}")
        return self.submit(follow=follow, **values(slug, **changes))

    def fill_all(self, **changes: str | None) -> Page:
        """Answer every step; the review."""
        for slug in SLUGS:
            self.fill(slug, **changes)
        return self.page

    def report(self, **changes: str | None) -> Page:
        """Answer every step and send; the receipt."""
        self.fill_all(**changes)
        return self.submit()

    def _follow(self, page: Page) -> Page:
        for _ in range(20):
            if not 300 <= page.status < 400:
                return page
            page = self.ask("GET", page.location)
        raise AssertionError(f"redirected for ever, to {page.location}")
