"""Ports of loopback for what the tests start, each theirs alone.

A port that was free a moment ago may be anybody's by the time that a server listens there: the
system gives free ports to whoever asks for any, and to each connection its own end. So these are
none that it gives by itself, and whoever asked for one holds it as long as this process lives.
"""

from __future__ import annotations

import random
import socket

from reporter.demo.mailbox import LOOPBACK

# Below those that systems give by themselves: Linux from 32768, others from 49152.
PORTS = range(20_000, 32_000)
_dice = random.SystemRandom()  # which nothing sets: several processes would want the same
_held: list[socket.socket] = []


def free_port() -> int:
    """A port at which only what we start can listen, and nobody does yet: who connects is refused.

    Who listens there has to allow that it is bound already (SO_REUSEADDR or SO_REUSEPORT), as
    servers do that can be started again at once.
    """
    for _ in range(200):
        port = _dice.choice(PORTS)
        held = socket.socket()
        try:
            held.bind((LOOPBACK, port))  # nobody else has it: we share it with nobody yet
        except OSError:
            held.close()
            continue
        for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
            held.setsockopt(socket.SOL_SOCKET, option, 1)
        _held.append(held)
        return port
    raise AssertionError(f"no port of {PORTS} is free")
