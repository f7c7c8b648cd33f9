"""Clients that send or read slowly, or too much: nobody else waits for them."""

from __future__ import annotations

import contextlib
import io
import re
import resource
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from factories import values
from PIL import Image
from running import Service, Visitor, running
from servers import hears

SLOW = 1_200  # more than all processes have threads
SILENT = 2_000
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
        assert hears(client).split()[1] == status


@pytest.fixture(autouse=True)
def as_many_sockets_as_it_takes() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 8192)), hard))


def test_whoever_connects_and_says_nothing_keeps_nobody_out(service: Service) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(SILENT):
            client = socket.create_connection(("127.0.0.1", service.port), 10)
            stack.callback(client.close)
        for _ in range(5):
            assert Visitor(service).peek("/report/failure").status == 200
        client.settimeout(0.1)
        with pytest.raises(TimeoutError):  # and none of them was turned away meanwhile
            client.recv(1)


@pytest.mark.parametrize("clients", [1, 2, 20])
def test_half_sent_forms_of_a_few_clients_hold_up_nobody_however_many(
    service: Service, clients: int
) -> None:
    with contextlib.ExitStack() as stack:
        for number in range(SLOW):
            theirs = f"127.0.0.{2 + number % clients}"
            client = socket.create_connection(
                ("127.0.0.1", service.port), 10, source_address=(theirs, 0)
            )
            stack.callback(client.close)
            client.sendall(HALF_A_FORM)
        for _ in range(20):
            assert Visitor(service).peek("/report/failure").status == 200


PICTURE_BYTES = 6_000_000
READERS = 60


def test_answers_that_nobody_reads_take_no_memory_and_hold_up_nobody(service: Service) -> None:
    someone = Visitor(service)
    picture = io.BytesIO()
    Image.effect_noise((3_000, PICTURE_BYTES // 3_000), 100).save(picture, "PNG", compress_level=0)
    someone.open("/report/failure")
    someone.forge(files=[("a.png", picture.getvalue())], **values("failure"))
    found = re.search(r'class="thumbnail" src="([^"]+)"', someone.open("/report/failure").html)
    assert found
    path = found[1].replace("&amp;", "&")
    cookie = "; ".join(f"{each.name}={each.value}" for each in someone.client.cookiejar)
    asks = f"GET {path} HTTP/1.1\r\nHost: x\r\nCookie: {cookie}\r\n\r\n".encode()
    before = memory(service)
    with contextlib.ExitStack() as stack:
        for _ in range(READERS):
            client = stack.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.settimeout(20)
            client.connect(("127.0.0.1", service.port))
            client.sendall(asks)
            assert b"".join(client.recv(1) for _ in range(12)) == b"HTTP/1.1 200"
        assert memory(service) - before < READERS * PICTURE_BYTES / 4
        for path in ("/healthz", "/report/failure"):
            assert Visitor(service).peek(path).status == 200


def memory(service: Service) -> int:
    """Bytes of all its processes, what they share counted once."""
    found = 0
    for each in service.tree():
        told = Path(f"/proc/{each.pid}/smaps_rollup").read_text()
        found += int(re.findall(r"^Pss: +(\d+)", told, re.MULTILINE)[0]) * 1024
    return found
