"""What tests in a real browser share: the browser, and a service that it visits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from servers import SmtpServer, smtp_server

if TYPE_CHECKING:
    from pages import Person
    from playwright.sync_api import Browser, Page
    from running import Service
    from sites import Site


# Not for longer than a file: Playwright keeps an event loop in this thread while a browser runs.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from browser import chromium  # which most tests need not wait for

    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def running_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    from sites import running

    with running(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture
def site(running_site: Site) -> Iterator[Site]:
    """A site that is up; a test may take it down."""
    yield running_site
    if not running_site.is_up:
        running_site.start()


@pytest.fixture(scope="module")
def smtp() -> Iterator[SmtpServer]:
    """The relay of `service`."""
    with smtp_server() as server:
        yield server


@pytest.fixture(scope="module")
def service(smtp: SmtpServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """All of it on one machine, for the tests of one file."""
    from running import serving

    with serving(tmp_path_factory.mktemp("service"), smtp) as service:
        yield service


@pytest.fixture
def page(customer: Person) -> Page:
    """What is in the window of a file's `customer`, for all that is Playwright's own."""
    return customer.page
