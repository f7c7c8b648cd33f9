"""The lines that a relay says, each byte waited for by a deadline."""

from __future__ import annotations

import socket
from collections.abc import Callable

NEAR_SECONDS = 0.01
REPLY_BYTES = 64 * 1024  # of one answer, all its lines together


def wait_at_most(sock: socket.socket, seconds: float) -> None:
    """Have *sock* wait for at most *seconds* or a moment more, perhaps for less.

    To say so takes longer than most of what is waited for: what is near enough is left.
    """
    if not seconds / 8 <= (sock.gettimeout() or 0.0) <= seconds + NEAR_SECONDS:
        sock.settimeout(seconds)


class Lines:
    """What smtplib reads a relay's answers from: a deadline is looked at before every recv."""

    def __init__(self, sock: socket.socket, left_seconds: Callable[[], float]) -> None:
        self.sock = sock
        self.left_seconds = left_seconds
        self.buffer = b""
        self.reply_bytes = 0

    def begin_reply(self) -> None:
        self.reply_bytes = 0

    def readline(self, limit: int) -> bytes:
        while b"\n" not in self.buffer and len(self.buffer) < limit:
            wait_at_most(self.sock, self.left_seconds())
            try:
                received = self.sock.recv(4096)
            except TimeoutError:  # the deadline decides
                continue
            if not received:
                break
            self.buffer += received
        end = self.buffer.find(b"\n") + 1 or len(self.buffer)
        line, self.buffer = self.buffer[: min(end, limit)], self.buffer[min(end, limit) :]
        self.left_seconds()  # lines that are there already are no way around it
        self.reply_bytes += len(line)
        if self.reply_bytes > REPLY_BYTES:
            raise OSError("an answer without end")
        return line

    def close(self) -> None:
        """Nothing of its own is open."""
