"""Which process a run has, and whether that one, not another with its number, is alive."""

from __future__ import annotations

import fcntl
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TextIO

import psutil

from ecgcore.jobs.values import Identity, Live

SILENT_SECONDS = 30.0
"""A process of another machine that has said nothing for so long counts as gone."""


@cache
def this_machine() -> tuple[str, str]:
    """Name and boot of this machine."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        boot = f"{psutil.boot_time():.0f}"
    return socket.gethostname(), boot


def own_identity() -> Identity:
    """This process."""
    return identity_of(os.getpid())


def identity_of(pid: int) -> Identity:
    """A process of this machine. Raises OSError where it has ended."""
    try:
        return Identity(*this_machine(), pid, _began(pid))
    except psutil.Error as error:
        raise ProcessLookupError(pid) from error


def is_alive(identity: Identity | None, live: Live | None, now: float) -> bool:
    """Whether the process works still.

    One of this machine is looked up, and must have begun when it says; one of another machine is
    believed as long as it gives a word (``SILENT_SECONDS``).
    """
    if identity is None:
        return False
    host, boot = this_machine()
    if identity.host != host:
        return live is not None and now - live.at < SILENT_SECONDS
    if identity.boot != boot:
        return False
    try:
        zombie = psutil.Process(identity.pid).status() == psutil.STATUS_ZOMBIE
        return not zombie and _began(identity.pid) == identity.began
    except (psutil.Error, OSError):
        return False


def _began(pid: int) -> float:
    """When a process began: the kernel's ticks since boot, which no change of the clock moves; of
    other systems than Linux, seconds."""
    path = Path(f"/proc/{pid}/stat")
    if not path.parent.parent.joinpath("self").exists():
        return float(psutil.Process(pid).create_time())
    return float(path.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[19])


@contextmanager
def held(path: Path, patience: float = 0.0) -> Iterator[bool]:
    """Whether this process got the lock, for the while, within ``patience`` seconds; the kernel
    lets go when a process dies.

    A record lock: a child that outlives its parent does not keep it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + patience
    with path.open("a") as file:
        while not (got := _got(file)) and time.monotonic() < until:
            time.sleep(0.05)
        yield got


def _got(file: TextIO) -> bool:
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
