"""What the Train page reads of a run again and again: cheaply, as it looks every second.

Epochs' rows and labels' scores are read anew only when their files have grown. Nothing here draws.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from ecgcore.drawing.training_charts import MOST_POINTS, Curve, curve_of
from ecgcore.jobs.folder import BY_LABEL, TRIALS, epochs_of, labels_of_epochs, losses_of
from ecgcore.jobs.searching import TRIALS_SAID, trials_of
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
    """The labels after the newest ``epoch`` of ``member`` (of ``trial`` of a search, else 0)."""

    epoch: int
    member: int
    trial: int
    labels: tuple[LabelCourse, ...]


@cache
def _rows() -> Memory[Rows]:
    return Memory(256)


@cache
def _trials() -> Memory[Rows]:
    return Memory(64)


@cache
def _labels() -> Memory[LabelsNow | None]:
    return Memory(16)


def epochs(folder: Path) -> Rows:
    """See ``epochs_of``; read anew where a file of them has changed."""
    places = ("", "member_*/", f"{TRIALS}/*/", f"{TRIALS}/*/member_*/")
    files = sorted(path for place in places for path in folder.glob(place + PROGRESS))
    return _rows().get((folder, *map(_stamp, files)), lambda: epochs_of(folder))


def best_auroc(folder: Path) -> float | None:
    """The best validation AUROC of any epoch."""
    values = [row.get("validation_auroc") for row in epochs(folder)]
    known = [float(one) for one in values if isinstance(one, int | float)]
    return max((one for one in known if np.isfinite(one)), default=None)


def trials(folder: Path) -> Rows:
    """See ``trials_of``; read anew where they have changed."""
    key = (folder, _stamp(folder / TRIALS_SAID))
    return _trials().get(key, lambda: trials_of(folder))


def best_trial(folder: Path) -> int | None:
    """The number of the best trial of a search so far, None where there is none."""
    told = [row for row in trials(folder) if row["state"] == "complete"]
    return max(told, key=lambda row: row["score"])["number"] if told else None


def model_epochs(folder: Path) -> Rows:
    """The epochs of the model that a run makes: of a search, of its best trial so far."""
    best = best_trial(folder)
    return tuple(row for row in epochs(folder) if best is None or row.get("trial") == best)


def labels_now(folder: Path, trial: int | None = None) -> LabelsNow | None:
    """The labels' scores after the newest epoch (of one trial); None before the first."""
    key = (folder, trial, _stamp(folder / BY_LABEL))
    return _labels().get(key, lambda: _labels_now(labels_of_epochs(folder), trial))


def _labels_now(every: Rows, trial: int | None) -> LabelsNow | None:
    rows = [row for row in every if trial is None or row.get("trial") == trial]
    if not rows:
        return None
    newest = rows[-1]
    part = _part(newest)
    mine = [row.get("auroc", {}) for row in rows if _part(row) == part]
    marks = np.unique(np.linspace(0, len(mine) - 1, MOST_MARKS).round().astype(int))
    labels = []
    for name, auroc in newest.get("auroc", {}).items():
        of_set, _, code = name.partition("/")
        told = [mine[at].get(name) for at in marks]
        course = tuple(float(one) for one in told if one is not None)
        labels.append(LabelCourse(of_set, code, auroc, newest.get("auprc", {}).get(name), course))
    return LabelsNow(int(newest.get("epoch", 0)), part[1], part[0], tuple(labels))


def member_curves(rows: Rows, field: str, name: str) -> list[Curve]:
    """A column over the epochs; of several members a line each."""
    parts = sorted({_part(row) for row in rows}) or [(0, 1)]
    return [
        curve_of(
            name if len(parts) == 1 else f"{name}, member {part[1]}",
            [(row.get("epoch", 0), row.get(field)) for row in rows if _part(row) == part],
        )
        for part in parts
    ]


def trial_curves(rows: Rows, at_work: int, best: int | None) -> list[Curve]:
    """The validation AUROC of a search's trials: the one at work, the best so far, and all others
    as one faint line with gaps (the latest, where they are many)."""
    by_trial: dict[int, list[tuple[float, float | None]]] = {}
    for row in rows:
        points = by_trial.setdefault(_part(row)[0], [])
        points.append((row.get("epoch", 0), row.get("validation_auroc")))
    others: list[tuple[float, float | None]] = []
    for trial, points in by_trial.items():
        if trial not in (at_work, best):
            others += [*points, (points[-1][0], None)]
    curves = [replace(curve_of("other trials", others[-MOST_POINTS:]), faint=True)]
    if best is not None and best in by_trial:
        curves.append(curve_of(f"trial {best}, the best", by_trial[best]))
    if at_work != best and at_work in by_trial:
        curves.append(curve_of(f"trial {at_work}", by_trial[at_work]))
    return [curve for curve in curves if len(curve.x)]


def _part(row: dict[str, Any]) -> tuple[int, int]:
    """Trial (0: no search) and member of an epoch's row."""
    return int(row.get("trial") or 0), int(row.get("member") or 1)


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
