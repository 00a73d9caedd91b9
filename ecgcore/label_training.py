"""Training on a snapshot of reviewed labels, and what the changed labels are worth.

The forest of ``lightbox`` learns from folds 1-8 of the snapshot and gets its thresholds on fold 9,
in a run like any other. Fold 10 is frozen: a recording's fold follows from its patient, nothing is
trained or chosen on it. Two snapshots are compared there on the same recordings, both against the
labels of the later one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgcore.datasets.packed import PackedData, load_packed
from ecgcore.evaluation.comparison import Difference, compare_models
from ecgcore.evaluation.evaluate import probabilities_on
from ecgcore.jobs.answers import card_of
from ecgcore.jobs.values import RunOrder, RunStatus
from ecgcore.labels import LabelSetName
from ecgcore.models.predictor import Predictor, read_predictor
from ecgcore.review_work import count_away, packed_snapshot
from ecgcore.training.options import TrainOptions, options_from_json
from ecgcore.training.recipes import recipe
from ecgcore.training.whole_run import MODEL
from ecgcore.workspace import Workspace

TEST_FOLD = 10
RECIPE = "forest"
_ANEW = 3
"""The place of a run that may be followed by another one."""
FEWEST, FEWEST_VALIDATION = 5, 1
"""Positives that a label needs here: a workspace is smaller than a published set, and the table
shows how many there were."""


@dataclass(frozen=True)
class ClassChange:
    """One label on the test fold: its positives, and each model's AUROC (None: one class absent)
    with the paired difference."""

    code: str
    n_test: int
    n_positive: int
    before: float | None
    after: float | None
    difference: Difference


@dataclass(frozen=True)
class Change:
    """What the labels of the later snapshot changed: of all labels together, and of each.
    ``learned`` are the recordings that each run learned from."""

    learned: tuple[int, int]
    mean: Difference
    classes: tuple[ClassChange, ...]


def order_of(snapshot: str, label_set: str, by: str) -> RunOrder:
    """The run of a snapshot (its hash) alone."""
    options = replace(
        recipe(RECIPE).options,
        label_set=label_set,
        fewest_positives=FEWEST,
        fewest_validation_positives=FEWEST_VALIDATION,
    )
    name = f"snapshot-{snapshot[:8]}-{label_set}"
    return RunOrder(name, options.to_json(), snapshot=snapshot, recipe=RECIPE, asked_by=by)


def run_of(runs: Iterable[RunStatus], snapshot: str, label_set: str) -> RunStatus | None:
    """The run of a snapshot among some, newest first: one with a model before one at work, that
    before one that can go on, and last those after which it may be learned from anew: the newest
    that failed, or learned from a part of the snapshot."""
    return min(_runs_of(runs, snapshot, label_set), key=_place, default=None)


def model_of(runs: Iterable[RunStatus], snapshot: str, label_set: str) -> RunStatus | None:
    """The run of a snapshot that has a model: rather of the whole snapshot than of a part."""
    found = [run for run in _runs_of(runs, snapshot, label_set) if run.state == "finished"]
    return min(found, key=_place, default=None)


def can_start(run: RunStatus | None) -> bool:
    """Whether a snapshot may be learned from when this is its run."""
    return run is None or _place(run) == _ANEW


def _runs_of(runs: Iterable[RunStatus], snapshot: str, label_set: str) -> list[RunStatus]:
    wanted = options_from_json(order_of(snapshot, label_set, "").options)
    return [run for run in runs if _is_of(run, snapshot, wanted)]


def _is_of(run: RunStatus, snapshot: str, wanted: TrainOptions) -> bool:
    order = run.order
    if order is None or (order.snapshot, order.data, order.search) != (snapshot, (), None):
        return False
    if run.state == "finished" and card_of(run) is None:  # its model was removed
        return False
    try:
        return options_from_json(order.options) == wanted
    except (ValueError, TypeError):  # of another version
        return False


def _place(run: RunStatus) -> int:
    if run.state == "finished":
        return _ANEW if count_away(run.folder) else 0
    return 1 if run.at_work else _ANEW if run.state in ("failed", "stopped") else 2


def change(workspace: Workspace, before: RunStatus, after: RunStatus) -> Change:
    """Two finished runs of snapshots on the frozen fold, by the labels of the later one.

    Raises ReviewError, DataSetError, CardError, or ValueError where the fold is empty or nothing
    was learned.
    """
    if after.order is None or after.order.snapshot is None:
        raise ValueError(f"{after.name} did not learn from a snapshot")
    data = load_packed(packed_snapshot(workspace, after.order.snapshot)).select((TEST_FOLD,))
    if not len(data):
        raise ValueError(
            f"no recording of the snapshot is in fold {TEST_FOLD}; bring in more recordings"
        )
    first, second = (read_predictor(run.folder / MODEL) for run in (before, after))
    codes = [(one.set, one.code) for one in second.card.labels if one.n_train >= FEWEST]
    if not codes:
        raise ValueError(
            f"no label of the later snapshot has {FEWEST} recordings to learn from; label more"
        )
    targets = np.stack([data.target(name, (code,))[:, 0] for name, code in codes], axis=1)
    seen = np.flatnonzero((targets.min(axis=0) == 0) & (targets.max(axis=0) == 1))
    told = [_answers(one, data, codes)[:, seen] for one in (first, second)]
    found = compare_models(targets[:, seen], told[0], told[1])
    learned = (first.card.data["n_train"], second.card.data["n_train"])
    return Change(learned, found.macro_auroc, _classes(codes, targets, seen, told, found.auroc))


def _classes(
    codes: list[tuple[LabelSetName, str]],
    targets: NDArray[Any],
    seen: NDArray[Any],
    told: list[NDArray[Any]],
    differences: tuple[Difference, ...],
) -> tuple[ClassChange, ...]:
    from sklearn.metrics import roc_auc_score

    places = {int(at): place for place, at in enumerate(seen)}
    rows = []
    for at, (_, code) in enumerate(codes):
        count = int(targets[:, at].sum())
        place = places.get(at)
        if place is None:
            none = Difference(None, None, None)
            rows.append(ClassChange(code, len(targets), count, None, None, none))
            continue
        one, two = (float(roc_auc_score(targets[:, at], side[:, place])) for side in told)
        rows.append(ClassChange(code, len(targets), count, one, two, differences[place]))
    return tuple(rows)


def _answers(
    predictor: Predictor, data: PackedData, codes: list[tuple[LabelSetName, str]]
) -> NDArray[Any]:
    answers = probabilities_on(predictor, data)
    columns = [(one.set, one.code) for one in predictor.card.labels]
    return answers[:, [columns.index(code) for code in codes]]
