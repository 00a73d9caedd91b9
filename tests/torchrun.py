"""A command of this repository under torchrun, as tests start it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
SECONDS = 120
"""No test waits longer; a busy machine may need a good part of it to start the workers."""


Started = subprocess.Popen[str]


@contextmanager
def torchrun(
    words: Sequence[str], workers: int = 2, environment: Mapping[str, str] | None = None
) -> Iterator[Started]:
    """``torchrun ... -m WORDS``, its output in pipes; nothing of it is left at the end."""
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    with subprocess.Popen(
        [*launcher, "--nproc-per-node", str(workers), "-m", *words],
        cwd=REPOSITORY,
        env=os.environ | {"OMP_NUM_THREADS": "1"} | dict(environment or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as started:
        try:
            yield started
        finally:
            if started.poll() is None:
                for number in (*worker_ids(started).values(), started.pid):
                    os.kill(number, signal.SIGKILL)


def finished(started: Started) -> tuple[int, str, str]:
    """Exit status, standard output and standard error; the test fails where it hangs."""
    out, err = started.communicate(timeout=SECONDS)
    return started.returncode, out, err


def outcome(words: Sequence[str]) -> tuple[int, str, str]:
    """``finished`` of a command that nothing happens to."""
    with torchrun(words) as started:
        return finished(started)


def worker_ids(started: Started) -> dict[int, int]:
    """Process id of each living worker, by its rank."""
    children = Path(f"/proc/{started.pid}/task/{started.pid}/children").read_text().split()
    found = {}
    for child in map(int, children):
        try:
            settings = Path(f"/proc/{child}/environ").read_bytes().split(b"\0")
        except OSError:  # ended since
            continue
        ranks = [word[5:] for word in settings if word.startswith(b"RANK=")]
        found.update({int(rank): child for rank in ranks})
    return found


def wait_until(true: Callable[[], bool]) -> None:
    """Look again and again; the test fails where it never comes true."""
    until = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < until, "never came true"
        time.sleep(0.02)
