"""What a threshold does: F1, precision and recall over all of them, and what the best ones follow.

CNN-TE chooses the threshold of the best F1 for each class and finds that rarer classes have higher
ones (Pearson correlation -0.68 with the share of positives over its 13 classes, Table 3). Labels
that never come together or always do are seen in the co-occurrence counts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecgcore.evaluation.metrics import best_f1_threshold


@dataclass(frozen=True)
class ThresholdCurve:
    """Precision, recall and F1 of answering "yes" from each ``threshold`` up; rising thresholds.

    All are (thresholds,); the thresholds are the distinct probabilities.
    """

    threshold: NDArray[np.float64]
    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    f1: NDArray[np.float64]


@dataclass(frozen=True)
class LabelThresholds:
    """Best-F1 thresholds and shares of positives, (labels,) each, and their correlation.

    Labels without a positive record have NaN as threshold and count in no correlation.
    """

    threshold: NDArray[np.float64]
    prevalence: NDArray[np.float64]
    correlation: float | None


def threshold_curve(
    target: NDArray[np.uint8], probability: NDArray[np.floating]
) -> ThresholdCurve | None:
    """The curve of one label from (records,) targets 0/1 and probabilities; None if absent."""
    from sklearn.metrics import precision_recall_curve

    if not target.any():
        return None
    precision, recall, threshold = precision_recall_curve(target, probability)
    # The last point belongs to no threshold: nothing is flagged there.
    precision, recall = precision[:-1], recall[:-1]
    f1 = 2 * precision * recall / np.maximum(precision + recall, np.finfo(np.float64).tiny)
    return ThresholdCurve(threshold.astype(np.float64), precision, recall, f1)


def label_thresholds(
    targets: NDArray[np.uint8], probabilities: NDArray[np.floating]
) -> LabelThresholds:
    """The best threshold of each label of (records, labels), beside its share of positives."""
    threshold = np.array(
        [
            best_f1_threshold(target, probability) if target.any() else np.nan
            for target, probability in zip(targets.T, probabilities.T, strict=True)
        ]
    )
    prevalence = targets.mean(axis=0, dtype=np.float64)
    return LabelThresholds(threshold, prevalence, correlation(prevalence, threshold))


def correlation(one: NDArray[np.float64], other: NDArray[np.float64]) -> float | None:
    """Pearson's product-moment correlation over the pairs without NaN.

    None with fewer than two pairs, or where one of the two does not vary.
    """
    from scipy.stats import pearsonr

    both = np.isfinite(one) & np.isfinite(other)
    one, other = one[both], other[both]
    if len(one) < 2 or np.ptp(one) == 0 or np.ptp(other) == 0:
        return None
    return float(pearsonr(one, other).statistic)


def co_occurrence(targets: NDArray[np.uint8]) -> NDArray[np.int64]:
    """How many records hold both labels, (labels, labels), from 0/1 (records, labels).

    The diagonal counts the records of each label.
    """
    filled = (targets != 0).astype(np.int64)
    return np.asarray(filled.T @ filled)
