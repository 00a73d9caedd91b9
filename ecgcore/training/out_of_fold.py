"""Out-of-fold probabilities: what learners say of records they have not learned from.

Two learners on the measured biomarkers, which see the data differently and take seconds: extremely
randomised trees (those of ``lightbox``), and kernel ridge regression on the biomarkers' normal
scores (Gaussian kernel, its width the median distance). Labels on file that are wrong mislead
both the less, the less they follow single records.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgcore.datasets.packed import PackedData
from ecgcore.models.forest import NAME, ForestOptions
from ecgcore.training.growing import fill_gaps, fit_trees
from ecgcore.training.recipes import recipe
from ecgcore.training.records import network_spec

PARTS = 5
_FOREST = ForestOptions(trees=80, smallest_leaf=3, columns_share=0.2)
RIDGE = 2.0
LEARNERS = ("trees", "kernel")
Floats = NDArray[np.float64]


def measured(data: PackedData) -> Floats:
    """The biomarkers of each record, (records, columns), gaps filled by the columns' medians."""
    spec = network_spec(recipe(NAME).options)
    return fill_gaps(data.aside_inputs(spec))[0].astype(np.float64)


def parts_of(folds: NDArray[np.integer[Any]]) -> NDArray[np.intp]:
    """A part 0 to 4 for each record; a fold, and so a patient, is in one. Records that are all of
    one fold are dealt out one by one: nothing says whose they are."""
    parts = (folds.astype(np.intp) - 1) % PARTS
    return np.arange(len(folds)) % PARTS if len(np.unique(parts)) == 1 else np.asarray(parts)


def out_of_fold(
    values: Floats, given: NDArray[np.bool_], parts: NDArray[np.intp], seed: int = 0
) -> dict[str, NDArray[np.float32]]:
    """Each learner's probabilities (records, labels), for each part from the other parts."""
    targets = given.astype(np.float64)
    kernel = _kernel(_normal_scores(values))
    trees, ridge = np.empty_like(targets), np.empty_like(targets)
    for part in np.unique(parts):
        rest, here = parts != part, parts == part
        forest = fit_trees(_FOREST, values[rest], targets[rest], seed)
        trees[here] = forest.predict(values[here]).reshape(here.sum(), -1)
        mean = targets[rest].mean(axis=0)
        system = kernel[np.ix_(rest, rest)] + RIDGE * np.eye(rest.sum())
        ridge[here] = kernel[np.ix_(here, rest)] @ np.linalg.solve(system, targets[rest] - mean)
        ridge[here] += mean
    return {
        "trees": trees.astype(np.float32),
        "kernel": ridge.clip(0, 1).astype(np.float32),
    }


def _normal_scores(values: Floats) -> Floats:
    from scipy.special import ndtri
    from scipy.stats import rankdata

    return np.asarray(ndtri((rankdata(values, axis=0) - 0.5) / len(values)))


def _kernel(scores: Floats) -> Floats:
    squares = (scores**2).sum(axis=1)
    apart = squares[:, None] + squares - 2 * scores @ scores.T
    return np.asarray(np.exp(-apart / np.median(apart)))
