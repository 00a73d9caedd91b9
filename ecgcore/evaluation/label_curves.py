"""The curves of one label: ROC, precision over recall, reliability, scores over the threshold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecgcore.evaluation.calibration import ReliabilityTable, reliability
from ecgcore.evaluation.thresholds import ThresholdCurve, threshold_curve


@dataclass(frozen=True)
class LabelCurves:
    """``false_positive_rate`` and ``sensitivity`` (points,) of the ROC curve from (0, 0) to (1, 1);
    ``recall`` falls while ``precision`` follows the threshold upwards; the rest as their modules
    say."""

    false_positive_rate: NDArray[np.float64]
    sensitivity: NDArray[np.float64]
    recall: NDArray[np.float64]
    precision: NDArray[np.float64]
    over_thresholds: ThresholdCurve
    reliability: ReliabilityTable


def label_curves(
    target: NDArray[np.uint8], probability: NDArray[np.floating]
) -> LabelCurves | None:
    """From (records,) targets 0/1 and probabilities; None where a class is absent."""
    from sklearn.metrics import precision_recall_curve, roc_curve

    over = threshold_curve(target, probability)
    if over is None or target.all():
        return None
    false_positives, found, _ = roc_curve(target, probability, drop_intermediate=False)
    precision, recall, _ = precision_recall_curve(target, probability)
    return LabelCurves(
        false_positives, found, recall, precision, over, reliability(target, probability)
    )
