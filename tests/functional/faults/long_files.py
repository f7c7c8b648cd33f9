"""A machine that has no file to give any more: each connection is one, and so is each database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import repeat
from pathlib import Path
from socket import create_connection

import pytest
from crowd import Crowd
from factories import sqlite_url
from faults_of import Property, tell
from running import Service
from servers import SmtpServer, smtp_server
from test_databases import AWAY_SECONDS, PYTHON, Probes, promised, serving

from reporter.demo.mailbox import LOOPBACK

OPEN_FILES = 96  # of each process: what it has open itself, and some connections
SILENT = 400


@pytest.fixture
def smtp() -> Iterator[SmtpServer]:
    with smtp_server(answers={"DATA": repeat("SLOW 0.01")}) as server:
        yield server


def test_no_more_files(tmp_path: Path, smtp: SmtpServer, record_property: Property) -> None:
    """More who connect and say nothing than there may be open files."""
    url = sqlite_url(tmp_path)
    command = ("sh", "-c", f'ulimit -n {OPEN_FILES} && exec "$@"', "sh", *PYTHON)

    def broken(service: Service, crowd: Crowd, probes: Probes) -> None:
        with ExitStack() as stack:
            for _ in range(SILENT):
                stack.enter_context(create_connection((LOOPBACK, service.port), 60))
            crowd.gone.wait(AWAY_SECONDS)

    with serving(tmp_path, url, smtp, command) as service:
        found = promised(service, smtp, Probes(service), broken)
        tell(record_property, url, f"{SILENT} who connect, {OPEN_FILES} open files", found)
        assert found.lost == 0
