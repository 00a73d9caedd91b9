"""What the Train page reads of a run again and again: cheaply, as it looks every second.

Epochs' rows and labels' scores are read anew only when their files have grown. Nothing here draws.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from ecgcore.drawing.training_charts import Curve, curve_of
from ecgcore.jobs.folder import BY_LABEL, epochs_of, labels_of_epochs, losses_of
from ecgcore.jobs.values import RunStatus
from ecgcore.training.checkpoint import PROGRESS
from ecgcore.ui.memory import Memory

Rows = tuple[dict[str, Any], ...]
MOST_MARKS = 40
"""Epochs that the small curve of a label shows."""


@dataclass(frozen=True)
class LabelCourse:
    """One label: its set and code, the newest scores (None: a class is absent from validation),
    and its AUROC so far, at most MOST_MARKS values."""

    set: str
    code: str
    auroc: float | None
    auprc: float | None
    course: tuple[float, ...]


@dataclass(frozen=True)
class LabelsNow:
    """The labels after the newest ``epoch`` of ``member``."""

    epoch: int
    member: int
    labels: tuple[LabelCourse, ...]


@cache
def _rows() -> Memory[Rows]:
    return Memory(256)


@cache
def _labels() -> Memory[LabelsNow | None]:
    return Memory(16)


def epochs(folder: Path) -> Rows:
    """See ``epochs_of``; read anew where a file of them has changed."""
    files = [folder / PROGRESS, *sorted(folder.glob(f"member_*/{PROGRESS}"))]
    return _rows().get((folder, *map(_stamp, files)), lambda: epochs_of(folder))


def best_auroc(folder: Path) -> float | None:
    """The best validation AUROC of any epoch."""
    values = [row.get("validation_auroc") for row in epochs(folder)]
    known = [float(one) for one in values if isinstance(one, int | float)]
    return max((one for one in known if np.isfinite(one)), default=None)


def labels_now(folder: Path) -> LabelsNow | None:
    """The labels' scores after the newest epoch; None before the first."""
    key = (folder, _stamp(folder / BY_LABEL))
    return _labels().get(key, lambda: _labels_now(labels_of_epochs(folder)))


def _labels_now(rows: Rows) -> LabelsNow | None:
    if not rows:
        return None
    newest = rows[-1]
    member = newest.get("member", 1)
    mine = [row.get("auroc", {}) for row in rows if row.get("member", 1) == member]
    marks = np.unique(np.linspace(0, len(mine) - 1, MOST_MARKS).round().astype(int))
    labels = []
    for name, auroc in newest.get("auroc", {}).items():
        of_set, _, code = name.partition("/")
        told = [mine[at].get(name) for at in marks]
        course = tuple(float(one) for one in told if one is not None)
        labels.append(LabelCourse(of_set, code, auroc, newest.get("auprc", {}).get(name), course))
    return LabelsNow(int(newest.get("epoch", 0)), int(member), tuple(labels))


def member_curves(rows: Rows, field: str, name: str) -> list[Curve]:
    """A column over the epochs; of several members a line each."""
    members = sorted({row.get("member", 1) for row in rows}) or [1]
    return [
        curve_of(
            name if len(members) == 1 else f"{name}, member {member}",
            [(r.get("epoch", 0), r.get(field)) for r in rows if r.get("member", 1) == member],
        )
        for member in members
    ]


def steps_curve(run: RunStatus) -> Curve | None:
    """The loss of the steps over the epochs of its member; None without a step."""
    steps, values = losses_of(run.folder)
    if run.live is None or not run.live.steps or not len(steps):
        return None
    epochs_done = steps / run.live.steps
    if run.live.members > 1:  # those of the member at work
        began = (run.live.member - 1) * run.live.epochs
        inside = epochs_done > began
        epochs_done, values = epochs_done[inside] - began, values[inside]
    return Curve("steps, mean of a second", epochs_done, values, faint=True)


def _stamp(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0)
    return (found.st_mtime_ns, found.st_size)
