"""Whether one model is better than another on the same records: paired bootstrap tests.

Both are scored on the same resamples, so that what makes a resample hard for both cancels out, and
the difference is known far better than two intervals beside each other suggest. Efron and
Tibshirani, An Introduction to the Bootstrap, 1993, chapters 13 and 15.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecgcore.evaluation.bootstrap import (
    RESAMPLES,
    SEED,
    Interval,
    bootstrap_areas,
    interval,
    macro,
    resampled_areas,
)


@dataclass(frozen=True)
class Difference:
    """Second model minus first: on all records, 95 % interval, and two-sided p-value.

    The p-value is twice the share of resamples in which the difference is not of the more frequent
    sign, never less than 2 / (resamples + 1) and at most 1. All are None where the score is absent.
    """

    difference: float | None
    interval: Interval | None
    p_value: float | None


@dataclass(frozen=True)
class Comparison:
    """Two models on the same records: macro differences and those of each label."""

    macro_auroc: Difference
    macro_auprc: Difference
    auroc: tuple[Difference, ...]
    auprc: tuple[Difference, ...]


def compare_models(
    targets: NDArray[np.uint8],
    first: NDArray[np.floating],
    second: NDArray[np.floating],
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Comparison:
    """Paired tests of two models' probabilities on the same (records, labels).

    Raises ValueError when the shapes differ.
    """
    if not targets.shape == first.shape == second.shape:
        raise ValueError(
            f"targets {targets.shape}, first {first.shape} and second {second.shape}; "
            "give both models' probabilities of the same records and labels"
        )
    every = np.ones((1, len(targets)), dtype=np.int32)
    one, two = (resampled_areas(targets, model, every) for model in (first, second))
    before, after = (bootstrap_areas(targets, model, resamples, seed) for model in (first, second))
    auroc = _tests(one.auroc, two.auroc, before.auroc, after.auroc)
    auprc = _tests(one.auprc, two.auprc, before.auprc, after.auprc)
    return Comparison(auroc[0], auprc[0], auroc[1], auprc[1])


def paired_difference(
    difference: float, first: NDArray[np.float64], second: NDArray[np.float64]
) -> Difference:
    """The paired test of a score, from its values in the same resamples, (resamples,) each.

    ``difference`` is that on all records; NaN where the score is absent. Resamples without a value
    are left out.
    """
    apart = second - first
    apart = apart[np.isfinite(apart)]
    if not (np.isfinite(difference) and len(apart)):
        return Difference(None, None, None)
    fewest = min((apart <= 0).sum(), (apart >= 0).sum())
    p_value = min(1.0, 2 * float(fewest + 1) / (len(apart) + 1))
    return Difference(float(difference), interval(apart), p_value)


def _tests(
    one: NDArray[np.float64],
    two: NDArray[np.float64],
    before: NDArray[np.float64],
    after: NDArray[np.float64],
) -> tuple[Difference, tuple[Difference, ...]]:
    """The macro test and each label's, from (1, labels) on all records and the resamples'."""
    together = paired_difference(macro(two)[0] - macro(one)[0], macro(before), macro(after))
    rows = zip((two - one)[0], before.T, after.T, strict=True)
    return together, tuple(paired_difference(apart, mine, other) for apart, mine, other in rows)
