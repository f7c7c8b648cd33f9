"""The web server: granian, as measured in tests/bench/server.py and told in the README."""

from __future__ import annotations

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

# A request in flight when the server is told to stop has this long to be answered.
DRAIN_SECONDS = 20


def run(host: str, port: int, processes: int) -> None:
    """Serve until TERM or INT, then answer what is in flight and return."""
    Granian(
        "reporter:create_app",
        factory=True,
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=processes,
        blocking_threads=1,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=10_000),
        websockets=False,
        respawn_failed_workers=True,
        workers_kill_timeout=DRAIN_SECONDS,
        # The paths of receipts are secrets, so no access log; requests are logged by endpoint.
        log_access=False,
        log_level=LogLevels.warning,
    ).serve()
