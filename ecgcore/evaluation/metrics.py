"""Scores of each label of multi-label predictions. An absent class is absent (None), never 0.

Point estimates come from scikit-learn, intervals from ``bootstrap``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecgcore.evaluation.bootstrap import Interval, bootstrap_areas, interval, macro


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


@dataclass(frozen=True)
class SetScores:
    """Scores of several labels on the same records, and intervals of their mean areas."""

    labels: tuple[LabelScores, ...]
    macro_auroc_interval: Interval | None
    macro_auprc_interval: Interval | None


def score_label(
    target: NDArray[np.uint8], probability: NDArray[np.floating], threshold: float
) -> LabelScores:
    """Scores of one label from (records,) targets 0/1 and probabilities; see ``score_labels``."""
    return score_labels(target[:, None], probability[:, None], (threshold,)).labels[0]


def score_labels(
    targets: NDArray[np.uint8], probabilities: NDArray[np.floating], thresholds: tuple[float, ...]
) -> SetScores:
    """Scores of (records, labels) targets 0/1 and probabilities.

    Positive is a probability of at least the label's threshold. Precision and F1 of a label that is
    never predicted are None and 0. Intervals hold 95 % of the areas of resampled records; those of
    one class only are left out, and the macro interval takes in each resample the mean over the
    labels of which it holds both classes.
    """
    areas = bootstrap_areas(targets, probabilities)
    labels = tuple(
        _label_scores(
            targets[:, i],
            probabilities[:, i],
            threshold,
            (interval(areas.auroc[:, i]), interval(areas.auprc[:, i])),
        )
        for i, threshold in enumerate(thresholds)
    )
    return SetScores(labels, interval(macro(areas.auroc)), interval(macro(areas.auprc)))


def _label_scores(
    target: NDArray[np.uint8],
    probability: NDArray[np.floating],
    threshold: float,
    intervals: tuple[Interval | None, Interval | None],
) -> LabelScores:
    from sklearn.metrics import average_precision_score, roc_auc_score

    positives = int(target.sum())
    if positives in (0, len(target)):
        return LabelScores(positives, None, None, None, None, None, None, None, None)
    predicted = probability >= threshold
    hits = int((predicted & (target == 1)).sum())
    false_alarms = int(predicted.sum()) - hits
    negatives = len(target) - positives
    return LabelScores(
        n_positive=positives,
        auroc=float(roc_auc_score(target, probability)),
        auroc_interval=intervals[0],
        auprc=float(average_precision_score(target, probability)),
        auprc_interval=intervals[1],
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
