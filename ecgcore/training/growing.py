"""Growing trees: scikit-learn's as the weights of ``models.forest`` and ``models.boosted_trees``.

In a forest one tree answers for all labels, so that rare labels profit from what the frequent ones
teach; squared error on targets of 0 and 1 chooses the same splits as Gini's impurity. Boosted trees
are grown for each label by itself. Neither takes long beside measuring the records, both repeat to
the bit from their seed; there is nothing to go on with, and no checkpoint.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ecgcore.datasets.packed import PackedData
from ecgcore.models.boosted_trees import BoostedTreesOptions
from ecgcore.models.forest import LEAF, ForestOptions
from ecgcore.models.forest import NAME as FOREST
from ecgcore.models.trees import GROWN
from ecgcore.training.checkpoint import Progress, TrainingError
from ecgcore.training.loop import Trained
from ecgcore.training.options import TrainOptions
from ecgcore.training.records import split, usual_values

_FEW_TREES = 15
"""So many are grown to tell how long all take."""

_Floats = NDArray[np.floating]


def grow(
    options: TrainOptions, data: PackedData, before: Callable[[str], None] = lambda words: None
) -> Trained:
    """Grow the trees on the training folds. ``before`` is told each part of it, and may raise.

    Raises TrainingError for another network, where no biomarker is known, or where no label has
    records enough.
    """
    if options.network not in GROWN:
        raise TrainingError(f"{options.network!r} does not grow; only {' and '.join(GROWN)} do")
    began = time.perf_counter()
    records = split(data, options, options.train_folds)
    values, medians = fill_gaps(records.aside.numpy())
    targets = records.targets.numpy()
    if options.network == FOREST:
        before("growing trees")
        told = ForestOptions(**options.network_options)
        trees = fit_trees(told, values, targets, options.seed)
        width = _widths(values, told.softness)
        tables = forest_tables([tree.tree_ for tree in trees.estimators_], width)
    else:
        tables = boosted_tables(
            BoostedTreesOptions(**options.network_options),
            values,
            targets,
            fewest=options.fewest_positives,
            seed=options.seed,
            before=before,
        )
    weights = {f"head.{name}": table for name, table in tables.items()}
    weights["medians"] = torch.from_numpy(medians)
    return Trained(weights, Progress(), time.perf_counter() - began)


def fit_trees(told: ForestOptions, values: _Floats, targets: _Floats, seed: int) -> Any:
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
    medians, _ = usual_values(values)
    return np.where(np.isfinite(values), values, medians), medians


def forest_tables(trees: list[Any], width: NDArray[np.float64]) -> dict[str, Tensor]:
    """``ForestHead``'s tables of scikit-learn's trees; ``width`` (columns,) is the limits'."""
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
        "shares": shares.clip(0, 1), "width": width,
    }  # fmt: skip
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


def boosted_tables(
    told: BoostedTreesOptions,
    values: _Floats,
    targets: _Floats,
    *,
    fewest: int,
    seed: int,
    before: Callable[[str], None] = lambda words: None,
) -> dict[str, Tensor]:
    """``BoostedHead``'s tables, of values without gaps (records, columns) and targets of 0 and 1
    (records, labels): trees for labels that ``fewest`` records have, and not all. Raises
    TrainingError where there is none."""
    positives, count = targets.sum(axis=0), len(targets)
    label = boosted_labels(targets, fewest)
    if not len(label):
        raise TrainingError(
            f"no label has {fewest} recordings to grow trees on, and one without it; choose other "
            "data, or ask for fewer"
        )
    start = np.log((positives + 0.5) / (count - positives + 0.5))
    start[label] = np.log(positives[label] / (count - positives[label]))
    nodes = 2**told.levels - 1
    column = np.zeros((len(label), told.trees, nodes), dtype=np.int16)
    threshold = np.full(column.shape, np.inf)
    added = np.zeros((len(label), told.trees, nodes + 1), dtype=np.float32)
    for row, one in enumerate(label):
        before(f"growing trees of label {row + 1} of {len(label)}")
        grown = _boost(told, values, targets[:, one], seed)
        for at, (estimator,) in enumerate(grown.estimators_):
            tree = estimator.tree_
            for node, place in _places(tree, nodes):
                if place < nodes:
                    column[row, at, place] = tree.feature[node]
                    threshold[row, at, place] = tree.threshold[node]
                else:
                    added[row, at, place - nodes] = told.rate * tree.value[node].item()
    arrays = {
        "start": start.astype(np.float32), "label": label.astype(np.int32), "column": column,
        "threshold": threshold, "added": added, "width": _widths(values, told.softness),
    }  # fmt: skip
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


def boosted_labels(targets: _Floats, fewest: int) -> NDArray[np.intp]:
    """The labels that get trees of their own."""
    positives = targets.sum(axis=0)
    return np.flatnonzero((positives >= max(1, fewest)) & (positives < len(targets)))


def _widths(values: _Floats, softness: float) -> NDArray[np.float64]:
    """How far a limit reaches in each column; 1 where all values are the same and none is asked."""
    deviation = values.std(axis=0, dtype=np.float64)
    return np.where(np.ptp(values, axis=0) > 0, softness * deviation, 1.0)


def growing_seconds(options: TrainOptions, values: _Floats, targets: _Floats) -> float:
    """About how long growing takes on values and targets of all training records: from a few trees,
    and of boosted ones for one label."""
    import sklearn.ensemble  # noqa: F401 - its import takes seconds that no tree costs

    began = time.perf_counter()
    if options.network == FOREST:
        forest = ForestOptions(**options.network_options)
        few = min(forest.trees, _FEW_TREES)
        fit_trees(replace(forest, trees=few), values, targets, options.seed)
        return (time.perf_counter() - began) * forest.trees / few
    boosted = BoostedTreesOptions(**options.network_options)
    label = boosted_labels(targets, options.fewest_positives)
    if not len(label):
        return 0.0
    few = min(boosted.trees, _FEW_TREES)
    _boost(replace(boosted, trees=few), values, targets[:, label[0]], options.seed)
    return (time.perf_counter() - began) * boosted.trees / few * len(label)


def _boost(told: BoostedTreesOptions, values: _Floats, target: _Floats, seed: int) -> Any:
    """scikit-learn's boosted trees of one label."""
    from sklearn.ensemble import GradientBoostingClassifier

    trees = GradientBoostingClassifier(
        n_estimators=told.trees,
        learning_rate=told.rate,
        max_depth=told.levels,
        min_samples_leaf=told.smallest_leaf,
        max_features=told.columns_share,
        subsample=told.records_share,
        random_state=seed,
    )
    return trees.fit(values, target)


def _places(tree: Any, nodes: int) -> Iterator[tuple[int, int]]:
    """Each node of a tree and its place in a complete one of so many inner nodes, behind which the
    leaves stand; a leaf that comes earlier is where all get who go left from there."""
    waiting = [(0, 0)]
    while waiting:
        node, place = waiting.pop()
        if tree.children_left[node] == LEAF:
            while place < nodes:
                place = 2 * place + 1
        else:
            waiting.append((tree.children_left[node], 2 * place + 1))
            waiting.append((tree.children_right[node], 2 * place + 2))
        yield node, place
