"""Naming a process so that another one on this machine can tell whether it still runs.

Linux only (/proc): elsewhere nobody is known to be gone, and what they held waits for its lease.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path

PROC = Path("/proc")


def process_name(pid: int | None = None) -> str:
    """As in "host:1f2e3d4c:4711:9876543": this machine since it was started, the process, and
    when that began, as a number is given to another process later."""
    number = os.getpid() if pid is None else pid
    return f"{socket.gethostname()}:{_machine()}:{number}:{_started(number)}"


def is_gone(name: str, *, one_machine: bool = False) -> bool:
    """Whether the process of that name certainly runs no more.

    *one_machine*: nobody but processes of this machine can have made the name, as of a SQLite
    file, so that one from before it was restarted is gone too.
    """
    host, machine, pid, started = [*name.split(":"), "", "", "", ""][:4]
    if host != socket.gethostname() or not pid.isdecimal() or not _machine():
        return False
    if machine != _machine():
        boot, ours = machine.partition(".")[0], _machine().partition(".")[0]
        return one_machine and boot != ours
    return _started(int(pid)) != started


def _machine() -> str:
    """What tells this run of this machine, and of this container on it, from any other."""
    try:
        boot = (PROC / "sys/kernel/random/boot_id").read_text()[:8]
        return f"{boot}.{os.stat(PROC / 'self/ns/pid').st_ino}"
    except OSError:
        return ""


def _started(pid: int) -> str:
    """In ticks since the machine was started (field 22 of proc(5)); blank when it is gone."""
    try:
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] == "Z" else fields[19]
