"""The processes of runs, begun with everything imported: forked from one that imported it once.

To import what a run needs takes longer than the small runs of the tests.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import IO

import pytest

from ecgcore.jobs import control
from ecgcore.jobs.folder import LOCK
from ecgcore.jobs.identity import held
from ecgcore.jobs.work import work

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    ["tests.warm_process", "ecgcore.models.inception", "sklearn.metrics", "torch._dynamo"]
)
_IMPORT_SECONDS = 5.0


class WarmProcess:
    """As much of ``subprocess.Popen`` as ``ecgcore.jobs.control`` uses of it."""

    def __init__(
        self,
        words: Sequence[str],
        *,
        stdin: int,
        stdout: IO[bytes],
        stderr: IO[bytes],
        start_new_session: bool,
        env: Mapping[str, str],
    ) -> None:
        *command, folder = words
        assert command == [sys.executable, "-m", "ecgcore.jobs"]
        assert (stdin, stderr) == (subprocess.DEVNULL, stdout)
        assert start_new_session
        self._process = _FORKS.Process(
            target=_work, args=(folder, stdout.name, dict(env)), daemon=True
        )
        self._process.start()
        assert self._process.pid is not None
        self.pid: int = self._process.pid

    def wait(self) -> None:
        """Until it has ended."""
        self._process.join()


def warm_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every run begin as a ``WarmProcess``."""
    known = SimpleNamespace(Popen=WarmProcess, DEVNULL=subprocess.DEVNULL)
    monkeypatch.setattr(control, "subprocess", known)


def cold_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every run begin as a process of a command again."""
    monkeypatch.setattr(control, "subprocess", subprocess)


def _work(folder: str, log: str, environment: dict[str, str]) -> None:
    """``python -m ecgcore.jobs FOLDER`` of a session of its own."""
    os.setsid()
    os.environ.clear()
    os.environ.update(environment)
    with Path(log).open("ab") as file:
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
    _await_lock(Path(folder))
    work(Path(folder).absolute())


def _await_lock(folder: Path) -> None:
    """Until a process that was killed has let go of the run, for as long as imports take: of one
    with several threads the first may be gone while others hold its files for a moment."""
    until = time.monotonic() + _IMPORT_SECONDS
    while time.monotonic() < until:
        with held(folder / LOCK) as free:
            if free:
                return
        time.sleep(0.01)
