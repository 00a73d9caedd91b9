"""Locks between processes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from threading import Timer

from ecgcore.jobs.identity import held

HOLD = """
import fcntl, sys, time
with open(sys.argv[1], "a") as file:
    fcntl.lockf(file, fcntl.LOCK_EX)
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_lock_that_is_let_go_is_waited_for_and_another_is_not(tmp_path: Path) -> None:
    lock = tmp_path / "new" / "lock"
    with held(lock) as got:
        assert got
    words = [sys.executable, "-c", HOLD, str(lock)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None and other.stdout.readline() == "held\n"
        for patience in (0.0, 0.2):
            with held(lock, patience) as got:
                assert not got
        Timer(0.3, other.kill).start()
        with held(lock, 60) as got:
            assert got
