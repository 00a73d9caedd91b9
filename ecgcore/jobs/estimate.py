"""How long a run will take and how much memory it needs, from a few of its own steps.

The steps are made in a process of their own, which ends afterwards: its greatest memory is the
run's, and a network that does not fit ends it and not the server.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ecgcore.jobs.values import JobError, RunOrder
from ecgcore.workspace import Workspace

LONGEST_SECONDS = 300
"""Of measuring; a step that takes longer is no step for this machine."""


@dataclass(frozen=True)
class Estimate:
    """What to expect. ``step_seconds`` of one batch, ``epoch_seconds`` with validation, ``seconds``
    of all epochs of all members, ``peak_bytes`` of main memory and ``device_bytes`` of a GPU's (0
    on a CPU); ``n_train`` and ``n_validation`` records; ``device`` for people."""

    step_seconds: float
    epoch_seconds: float
    seconds: float
    peak_bytes: int
    device_bytes: int
    n_train: int
    n_validation: int
    device: str


def estimate(workspace: Workspace, order: RunOrder) -> Estimate:
    """Measure. Raises JobError with the sentence that the run itself would end with."""
    package = str(Path(__file__).resolve().parent.parent.parent)
    paths = os.pathsep.join(p for p in (package, os.environ.get("PYTHONPATH")) if p)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "ecgcore.jobs.measuring", str(workspace.root)],
            input=json.dumps(order.to_json()), capture_output=True, text=True, check=False,
            timeout=LONGEST_SECONDS, env={**os.environ, "PYTHONPATH": paths},
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise JobError(
            f"a few steps took more than {LONGEST_SECONDS} s; choose a smaller network or batch, "
            "or a machine with a GPU"
        ) from error
    told = _last_object(done.stdout)
    if "sentence" in told:
        raise JobError(str(told["sentence"]))
    try:
        return Estimate(**told)
    except TypeError as error:
        raise JobError(
            f"measuring ended without an answer (status {done.returncode}); most likely the memory "
            "ran out: choose a smaller batch or network"
        ) from error


def _last_object(text: str) -> dict[str, Any]:
    for line in reversed(text.splitlines()):
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict):
            return value
    return {}
