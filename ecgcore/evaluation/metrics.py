"""Scores of multi-label predictions. An absent class is absent (None), never 0.

Point estimates come from scikit-learn. Bootstrap intervals of AUROC and AUPRC are computed for many
resamples at once from the sorted scores, which equals scikit-learn on each resample.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Interval = tuple[float, float]

RESAMPLES = 2000
COVERAGE = 0.95
SEED = 0
_AT_ONCE = 500


@dataclass(frozen=True)
class LabelScores:
    """Scores of one label; None where the data do not hold both classes."""

    n_positive: int
    auroc: float | None
    auroc_interval: Interval | None
    auprc: float | None
    auprc_interval: Interval | None
    f1: float | None
    sensitivity: float | None
    specificity: float | None
    precision: float | None


def score_label(
    target: NDArray[np.uint8], probability: NDArray[np.floating], threshold: float
) -> LabelScores:
    """Scores of one label from (records,) targets 0/1 and probabilities.

    Positive is a probability of at least ``threshold``. Precision and F1 of a label that is never
    predicted are None and 0.
    """
    from sklearn.metrics import average_precision_score, roc_auc_score

    positives = int(target.sum())
    if positives in (0, len(target)):
        return LabelScores(positives, None, None, None, None, None, None, None, None)
    predicted = probability >= threshold
    hits = int((predicted & (target == 1)).sum())
    false_alarms = int(predicted.sum()) - hits
    negatives = len(target) - positives
    auroc, auprc = bootstrap_intervals(target, probability)
    return LabelScores(
        n_positive=positives,
        auroc=float(roc_auc_score(target, probability)),
        auroc_interval=auroc,
        auprc=float(average_precision_score(target, probability)),
        auprc_interval=auprc,
        f1=2 * hits / (int(predicted.sum()) + positives),
        sensitivity=hits / positives,
        specificity=1 - false_alarms / negatives,
        precision=hits / int(predicted.sum()) if predicted.any() else None,
    )


def best_f1_threshold(target: NDArray[np.uint8], probability: NDArray[np.floating]) -> float:
    """The threshold of the best F1 score, halfway between two neighbouring probabilities.

    Halfway, so that a rounding difference between machines never turns an answer over. Of several
    best ones the highest. Raises ValueError without a positive.
    """
    if not target.any():
        raise ValueError("no positive record to choose a threshold from")
    order = np.argsort(-probability, kind="stable")
    ranked, hits = probability[order].astype(np.float64), np.cumsum(target[order])
    f1 = 2 * hits / (np.arange(1, len(ranked) + 1) + target.sum())
    last_of_ties = np.append(ranked[1:] < ranked[:-1], True)
    best = int(np.argmax(np.where(last_of_ties, f1, -1.0)))
    below = ranked[best + 1] if best + 1 < len(ranked) else 0.0
    return float((ranked[best] + below) / 2)


def bootstrap_weights(
    records: int, resamples: int = RESAMPLES, seed: int = SEED
) -> NDArray[np.int32]:
    """How often each record is drawn in each resample, (resamples, records)."""
    generator = np.random.default_rng(seed)
    return generator.multinomial(records, np.full(records, 1 / records), resamples).astype(np.int32)


def bootstrap_intervals(
    target: NDArray[np.uint8], probability: NDArray[np.floating]
) -> tuple[Interval | None, Interval | None]:
    """95 % percentile intervals of AUROC and AUPRC over resampled records.

    Resamples that hold one class only are left out.
    """
    areas, precisions = resampled_areas(target, probability, bootstrap_weights(len(target)))
    return _interval(areas), _interval(precisions)


def resampled_areas(
    target: NDArray[np.uint8],
    probability: NDArray[np.floating],
    weights: NDArray[np.int32],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """AUROC and average precision of every resample, (resamples,) each; NaN where a class is
    absent.

    ``weights`` (resamples, records) says how often each record counts.
    """
    order = np.argsort(-probability, kind="stable")
    ranked, positive = probability[order], target[order].astype(bool)
    starts = np.flatnonzero(np.append(True, ranked[1:] < ranked[:-1]))
    parts = [
        _areas(weights[first : first + _AT_ONCE][:, order], positive, starts)
        for first in range(0, len(weights), _AT_ONCE)
    ]
    areas, precisions = zip(*parts, strict=True)
    return np.concatenate(areas), np.concatenate(precisions)


def _areas(
    weights: NDArray[np.int32], positive: NDArray[np.bool_], starts: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Areas from weights sorted by falling score; ``starts`` are the first of each run of ties."""
    hits = np.add.reduceat(weights * positive, starts, axis=1).astype(np.float64)
    misses = np.add.reduceat(weights * ~positive, starts, axis=1).astype(np.float64)
    hits_so_far, misses_so_far = hits.cumsum(axis=1), misses.cumsum(axis=1)
    n_positive, n_negative = hits_so_far[:, -1], misses_so_far[:, -1]
    below = n_negative[:, None] - misses_so_far
    with np.errstate(invalid="ignore", divide="ignore"):
        areas = (hits * (below + misses / 2)).sum(axis=1) / (n_positive * n_negative)
        flagged = hits_so_far + misses_so_far
        precision = np.where(flagged > 0, hits_so_far / flagged, 0.0)
        precisions = (hits * precision).sum(axis=1) / n_positive
    absent = (n_positive == 0) | (n_negative == 0)
    areas[absent] = np.nan
    precisions[absent] = np.nan
    return areas, precisions


def _interval(values: NDArray[np.float64]) -> Interval | None:
    values = values[np.isfinite(values)]
    if not len(values):
        return None
    tail = (1 - COVERAGE) / 2
    low, high = np.quantile(values, (tail, 1 - tail))
    return float(low), float(high)


def macro_interval(
    targets: NDArray[np.uint8], probabilities: NDArray[np.floating]
) -> tuple[Interval | None, Interval | None]:
    """95 % intervals of macro AUROC and AUPRC: records are resampled, all labels together.

    In a resample the mean is over the labels of which it holds both classes.
    """
    weights = bootstrap_weights(len(targets))
    both = [resampled_areas(t, p, weights) for t, p in zip(targets.T, probabilities.T, strict=True)]
    if not both:
        return None, None
    return tuple(  # type: ignore[return-value]
        _interval(_mean_of_present(np.stack([pair[i] for pair in both]))) for i in (0, 1)
    )


def _mean_of_present(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over labels (axis 0) without NaN; NaN where a resample has no label at all."""
    present = np.isfinite(values)
    counts = present.sum(axis=0)
    sums = np.where(present, values, 0.0).sum(axis=0)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
