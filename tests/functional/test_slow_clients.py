"""Clients that send slowly or too much: nobody else waits for them."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from running import Service, Visitor, running

SLOW = 1_200  # more than all processes have threads
HALF_A_FORM = (
    b"POST /report/failure HTTP/1.1\r\nHost: bench\r\nContent-Length: 5000\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n\r\nsummary="
)
HEADERS = 16 * 1024


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder: Path = tmp_path_factory.mktemp("slow")
    Service(folder, "db").run("db", "upgrade")
    with running(folder, "web", WEB_PROCESSES=2) as service:
        yield service


@pytest.mark.parametrize(("size", "status"), [(HEADERS - 500, b"200"), (HEADERS + 500, b"431")])
def test_headers_have_a_bound(service: Service, size: int, status: bytes) -> None:
    with socket.create_connection(("127.0.0.1", service.port), 10) as client:
        lines = b"GET /healthz HTTP/1.1\r\nHost: x\r\nAccept-Language: "
        client.sendall(lines + b"a" * (size - len(lines) - 4) + b"\r\n\r\n")
        assert client.recv(100).split()[1] == status


def test_half_sent_forms_of_one_client_hold_up_nobody_however_many(service: Service) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(SLOW):
            client = socket.create_connection(
                ("127.0.0.1", service.port), 10, source_address=("127.0.0.2", 0)
            )
            stack.callback(client.close)
            client.sendall(HALF_A_FORM)
        for _ in range(20):
            assert Visitor(service).peek("/report/failure").status == 200
