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
from ecgcore.jobs.answers import card_of
from ecgcore.jobs.folder import (
    BY_LABEL,
    TRIALS_SAID,
    epochs_of,
    labels_of_epochs,
    lines_of,
    losses_of,
    trial_folder,
    trials_of,
)
from ecgcore.jobs.values import RunStatus
from ecgcore.models.trees import GROWN
from ecgcore.ui.memory import Memory

Rows = tuple[dict[str, Any], ...]
Point = tuple[float, float | None]
_MOST_FILES = 4096
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


@dataclass(frozen=True)
class Course:
    """How a run went so far: a row an epoch, the ``trials`` of a search with the number of the
    ``best`` (None: none is complete), and the trial ``shown``: the model's of a finished search,
    else the one at work or the newest; 0 of a run that is no search."""

    rows: Rows
    trials: Rows
    best: int | None
    shown: int

    def of_model(self) -> Rows:
        """The epochs of what becomes the model, as far as that is known."""
        of = self.shown if self.best is None else self.best
        return tuple(row for row in self.rows if _part(row)[0] == of) if self.shown else self.rows

    def of_shown(self) -> Rows:
        """The epochs of the trial that is shown, or of the run."""
        return tuple(row for row in self.rows if _part(row)[0] == self.shown)


@cache
def _files() -> dict[Path, tuple[tuple[int, int], Rows]]:
    """The rows of each file of epochs, as of its last change."""
    return {}


@cache
def _trials() -> Memory[Rows]:
    return Memory(64)


@cache
def _labels() -> Memory[LabelsNow | None]:
    return Memory(16)


def is_grown(run: RunStatus) -> bool:
    """Whether the run grows trees alone, which know no epochs; of one that a terminal started,
    that is known once it has a model."""
    if run.order is None:
        card = card_of(run)
        return card is not None and card.network in GROWN
    options = run.order.options
    return options.get("network") in GROWN and options.get("members", 1) == 1


def course_of(run: RunStatus) -> Course:
    """See ``Course``; a file is read anew where it has changed."""
    rows = epochs_of(run.folder, _read_changed)
    key = (run.folder, _stamp(run.folder / TRIALS_SAID))
    trials = _trials().get(key, lambda: trials_of(run.folder))
    complete = [row for row in trials if row["state"] == "complete"]
    best = max(complete, key=lambda row: row["score"])["number"] if complete else None
    newest = max((_part(row)[0] for row in rows), default=0)
    shown = (run.live.trial if run.live is not None else 0) or newest
    if run.state == "finished" and best is not None:
        shown = best
    return Course(rows, trials, best, shown)


def _read_changed(path: Path) -> Rows:
    stamp, known = _stamp(path), _files().get(path)
    if known is None or known[0] != stamp:
        if len(_files()) > _MOST_FILES:
            _files().clear()
        known = _files()[path] = (stamp, tuple(lines_of(path)))
    return known[1]


def best_auroc(rows: Rows) -> float | None:
    """The best validation AUROC of any of these epochs."""
    values = [row.get("validation_auroc") for row in rows]
    known = [float(one) for one in values if isinstance(one, int | float)]
    return max((one for one in known if np.isfinite(one)), default=None)


def labels_now(folder: Path, trial: int = 0) -> LabelsNow | None:
    """The labels' scores after the newest epoch (of a trial of a search); None before the first."""
    place = trial_folder(folder, trial) if trial else folder
    key = (place, _stamp(place / BY_LABEL))
    return _labels().get(key, lambda: _labels_now(labels_of_epochs(place)))


def _labels_now(rows: Rows) -> LabelsNow | None:
    if not rows:
        return None
    newest = rows[-1]
    member = _part(newest)[1]
    mine = [row.get("auroc", {}) for row in rows if _part(row)[1] == member]
    marks = np.unique(np.linspace(0, len(mine) - 1, MOST_MARKS).round().astype(int))
    labels = []
    for name, auroc in newest.get("auroc", {}).items():
        of_set, _, code = name.partition("/")
        told = [mine[at].get(name) for at in marks]
        course = tuple(float(one) for one in told if one is not None)
        labels.append(LabelCourse(of_set, code, auroc, newest.get("auprc", {}).get(name), course))
    return LabelsNow(int(newest.get("epoch", 0)), member, tuple(labels))


def member_curves(rows: Rows, field: str, name: str) -> list[Curve]:
    """A column over the epochs; of several members a line each."""
    by_member: dict[int, list[Point]] = {}
    for row in rows:
        by_member.setdefault(_part(row)[1], []).append((row.get("epoch", 0), row.get(field)))
    return [
        curve_of(name if len(by_member) <= 1 else f"{name}, member {member}", points)
        for member, points in sorted(by_member.items())
    ] or [curve_of(name, [])]


def trial_curves(course: Course) -> list[Curve]:
    """The validation AUROC of a search's trials: the one shown, the best so far, and all others as
    one faint line with gaps (the latest, where they are many); members follow each other alike."""
    by_part: dict[tuple[int, int], list[Point]] = {}
    for row in course.rows:
        point = (row.get("epoch", 0), row.get("validation_auroc"))
        by_part.setdefault(_part(row), []).append(point)
    by_trial: dict[int, list[Point]] = {}
    for (trial, _), points in by_part.items():
        by_trial.setdefault(trial, []).extend([*points, (points[-1][0], None)])
    named = {course.best: ", the best", course.shown: ", the best" * (course.best == course.shown)}
    others = [point for trial, points in by_trial.items() if trial not in named for point in points]
    curves = [replace(curve_of("other trials", others[-MOST_POINTS:]), faint=True)]
    curves += [
        curve_of(f"trial {trial}{said}", by_trial[trial][:-1])
        for trial, said in named.items()
        if trial is not None and trial in by_trial
    ]
    return [curve for curve in curves if len(curve.x)]


def _part(row: dict[str, Any]) -> tuple[int, int]:
    """Trial (0: no search) and member of an epoch's row."""
    return int(row.get("trial") or 0), int(row.get("member") or 1)


def steps_curve(run: RunStatus, trial: int = 0) -> Curve | None:
    """The loss of the steps over the epochs of its member; None without a step, and of a trial that
    is not at work (its epochs may have other steps)."""
    if run.live is not None and run.live.trial != trial:
        return None
    steps, values = losses_of(trial_folder(run.folder, trial) if trial else run.folder)
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
