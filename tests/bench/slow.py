"""Three hundred clients send their form a byte at a time: is anybody else still served?"""

from __future__ import annotations

import contextlib
import socket
import tempfile
import threading
from pathlib import Path

from candidates import ours
from figures import Figure, at_most
from load import drive, get

HEAD = (
    "POST /report/failure HTTP/1.1\r\nHost: bench\r\nContent-Length: 5000\r\n"
    "Content-Type: application/x-www-form-urlencoded\r\n\r\nsummary="
)


def run(quick: bool) -> list[Figure]:
    count = 100 if quick else 300
    with tempfile.TemporaryDirectory() as folder, ours(Path(folder)) as service:
        requests = [get("/healthz")] * (200 if quick else 1000)
        drive(service.port, requests, 4)
        usual = drive(service.port, requests, 4).percentile(0.99)
        stop = threading.Event()
        with contextlib.ExitStack() as stack:
            clients = []
            for _ in range(count):
                client = socket.create_connection(("127.0.0.1", service.port), 5)
                stack.callback(client.close)
                client.sendall(HEAD.encode())
                clients.append(client)

            def drip() -> None:
                while not stop.wait(0.5):
                    for each in clients:
                        with contextlib.suppress(OSError):
                            each.sendall(b"x")

            thread = threading.Thread(target=drip)
            thread.start()
            try:
                slowed = drive(service.port, requests, 4).percentile(0.99)
            finally:
                stop.set()
                thread.join()
    return [
        Figure("`/healthz` without them, p99, ms", f"{usual:.1f}"),
        at_most(f"`/healthz` beside {count} slow bodies, p99, ms", slowed, 50, "{:.1f}"),
    ]
