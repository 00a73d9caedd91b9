"""Models' answers on the same packed records, and how far apart they are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ecgcore.datasets.packed import PackedData
from ecgcore.evaluation.comparison import compare_models
from ecgcore.evaluation.evaluate import probabilities_on
from ecgcore.labels import LabelSetName
from ecgcore.models.predictor import Predictor

SETS: tuple[LabelSetName, ...] = ("statements", "superclasses")
Answers = dict[tuple[LabelSetName, str], NDArray[np.floating]]
"""Probabilities (records,) by the label's set and code."""


def answers(predictor: Predictor, data: PackedData) -> Answers:
    """Probabilities of each label that a model has a threshold for."""
    columns = probabilities_on(predictor, data).T
    named = zip(predictor.card.labels, columns, strict=True)
    return {(one.set, one.code): column for one, column in named if one.threshold is not None}


def difference(
    data: PackedData, label_set: LabelSetName, ours: Answers, theirs: Answers
) -> str | None:
    """Mean AUROC over the labels of a set that both answer, theirs and ours, the difference with
    its 95 % interval and p-value; None where they share no label."""
    shared = [label for label in ours if label[0] == label_set and label in theirs]
    if not shared:
        return None
    targets = np.stack([data.target(name, (code,))[:, 0] for name, code in shared], axis=1)
    first, second = (np.stack([side[label] for label in shared], axis=1) for side in (theirs, ours))
    found = compare_models(targets, first, second).macro_auroc
    one, two = (_mean_auroc(targets, side) for side in (first, second))
    low, high = found.interval or (np.nan, np.nan)
    return (
        f"{len(shared):3} labels  {one:.3f} {two:.3f}  {two - one:+.3f} [{low:+.3f}, {high:+.3f}]  "
        f"p {found.p_value:.4f}"
    )


def _mean_auroc(targets: NDArray[np.uint8], values: NDArray[np.floating]) -> float:
    from sklearn.metrics import roc_auc_score

    pairs = zip(targets.T, values.T, strict=True)
    return float(np.mean([roc_auc_score(*pair) for pair in pairs]))
