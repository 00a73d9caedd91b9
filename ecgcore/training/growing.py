"""Growing a forest: scikit-learn's trees as the weights of ``models.forest``.

Squared error on targets of 0 and 1 chooses the same splits as Gini's impurity, and one tree answers
for all labels, so that rare labels profit from what the frequent ones teach. Takes a minute and
repeats to the bit from its seed; there is nothing to go on with, and no checkpoint.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ecgcore.datasets.packed import PackedData
from ecgcore.models.forest import LEAF, NAME, ForestOptions
from ecgcore.training.checkpoint import Progress, TrainingError
from ecgcore.training.loop import Trained
from ecgcore.training.options import TrainOptions
from ecgcore.training.records import split


def grow(options: TrainOptions, data: PackedData) -> Trained:
    """Grow the trees on the training folds. Raises TrainingError for another network or where no
    biomarker is known.
    """
    if options.network != NAME:
        raise TrainingError(f"{options.network!r} does not grow; only the network {NAME!r} does")
    began = time.perf_counter()
    told = ForestOptions(**options.network_options)
    records = split(data, options, options.train_folds)
    values, medians = fill_gaps(records.aside.numpy())
    trees = fit_trees(told, values, records.targets.numpy(), options.seed)
    weights = {"medians": torch.from_numpy(medians)}
    tables = _tables([tree.tree_ for tree in trees.estimators_])
    weights |= {f"head.{name}": table for name, table in tables.items()}
    return Trained(weights, Progress(), time.perf_counter() - began)


def fit_trees(
    told: ForestOptions, values: NDArray[np.floating], targets: NDArray[np.floating], seed: int
) -> Any:
    """scikit-learn's trees on values without gaps (records, columns) and targets of 0 and 1."""
    from sklearn.ensemble import ExtraTreesRegressor

    trees = ExtraTreesRegressor(
        told.trees,
        min_samples_leaf=told.smallest_leaf,
        max_features=told.columns_share,
        random_state=seed,
    )
    return trees.fit(values, targets)


def fill_gaps(values: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Gaps filled by the columns' medians, and those; a column that is never known is 0."""
    known = np.isfinite(values)
    if not known.any():
        raise TrainingError("no biomarker is known of any training record; choose other data")
    medians = np.zeros(values.shape[1], dtype=np.float32)
    ever = known.any(axis=0)
    medians[ever] = np.nanmedian(np.where(known, values, np.nan)[:, ever], axis=0)
    return np.where(known, values, medians), medians


def _tables(trees: list[Any]) -> dict[str, Tensor]:
    """``Trees``' tables of scikit-learn's trees."""
    nodes = max(tree.node_count for tree in trees)
    labels = trees[0].value.shape[1]
    inner = [tree.children_left != LEAF for tree in trees]
    leaves = max(int((~one).sum()) for one in inner)
    whole = np.zeros((len(trees), nodes), dtype=np.int32)
    column, left, right, leaf = whole + LEAF, whole.copy(), whole.copy(), whole.copy()
    threshold = np.zeros(whole.shape)
    shares = np.zeros((len(trees), leaves, labels), dtype=np.float32)
    for k, (tree, asks) in enumerate(zip(trees, inner, strict=True)):
        at = np.flatnonzero(asks)
        column[k, at], threshold[k, at] = tree.feature[at], tree.threshold[at]
        left[k, at], right[k, at] = tree.children_left[at], tree.children_right[at]
        ends = np.flatnonzero(~asks)
        leaf[k, ends] = np.arange(len(ends))
        shares[k, : len(ends)] = tree.value[ends, :, 0]
    arrays = {
        "column": column, "threshold": threshold, "left": left, "right": right, "leaf": leaf,
        "shares": shares.clip(0, 1),
    }  # fmt: skip
    return {name: torch.from_numpy(array) for name, array in arrays.items()}
