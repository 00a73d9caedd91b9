"""Scores of yes/no answers over all labels together: Hamming, accuracy, OR, CR, OF1, CF1.

The Hamming loss is that of ECGencode's Equation 14; the accuracy is Equation 2 of the Inception
paper (the mean over classes of the share of records answered rightly), which is one minus it.
OR, CR, OF1 and CF1 are HRNN's: recall and F1 over all answers at once ("overall", micro) and as
means over the classes ("per class", macro). Its words leave open whether CF1 is the mean of the
classes' F1 or the harmonic mean of CP and CR, as image tagging has it; the comparison with MLWGAT
decides for the mean: that paper (Wang et al., EMBC 2020) reports micro-F1 and macro-F1. The other
reading is given as ``cf1_harmonic``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class MultilabelScores:
    """Scores over all labels; None where nothing could be counted.

    Means over classes (``cr``, ``cp``, ``cf1``) are over the classes with at least one positive
    record; one of these that is never predicted has a precision and an F1 of 0 in them, as in the
    papers. Overall scores, Hamming loss and accuracy take every class.
    """

    hamming: float | None
    accuracy: float | None
    exact_match: float | None
    overall_precision: float | None
    overall_recall: float | None
    of1: float | None
    cp: float | None
    cr: float | None
    cf1: float | None
    cf1_harmonic: float | None


def multilabel_scores(targets: NDArray[np.uint8], predicted: NDArray[np.bool_]) -> MultilabelScores:
    """Scores of (records, labels) answers against 0/1 targets.

    Raises ValueError when the shapes differ.
    """
    if targets.ndim != 2 or targets.shape != predicted.shape:
        raise ValueError(
            f"targets {targets.shape} and answers {predicted.shape}; give (records, labels) of both"
        )
    if not targets.size:
        return MultilabelScores(*[None] * 10)
    from sklearn.metrics import accuracy_score, hamming_loss

    truth, answers = _matrix(targets), _matrix(predicted)
    hamming = float(hamming_loss(truth, answers))
    overall = _averaged(truth, answers, "micro")
    present = truth.any(axis=0)
    per_class = _averaged(truth[:, present], answers[:, present], "macro")
    return MultilabelScores(
        hamming,
        1 - hamming,
        float(accuracy_score(truth, answers)),
        overall[0] if answers.any() else None,
        overall[1] if truth.any() else None,
        overall[2] if truth.any() or answers.any() else None,
        *per_class,
        _harmonic(per_class[0], per_class[1]),
    )


def _matrix(values: NDArray[np.uint8] | NDArray[np.bool_]) -> NDArray[np.uint8]:
    """0/1 with at least two columns: scikit-learn would take a single one for a list of classes.

    A single column is repeated, which changes none of these scores.
    """
    filled = (values != 0).astype(np.uint8)
    return np.repeat(filled, 2, axis=1) if filled.shape[1] == 1 else filled


def _averaged(
    truth: NDArray[np.uint8], answers: NDArray[np.uint8], average: str
) -> tuple[float | None, float | None, float | None]:
    """Precision, recall and F1; None without a column."""
    from sklearn.metrics import precision_recall_fscore_support

    if not truth.shape[1]:
        return None, None, None
    truth, answers = _matrix(truth), _matrix(answers)
    scores = precision_recall_fscore_support(truth, answers, average=average, zero_division=0)
    return float(scores[0]), float(scores[1]), float(scores[2])


def _harmonic(one: float | None, other: float | None) -> float | None:
    if one is None or other is None:
        return None
    return 2 * one * other / (one + other) if one + other else 0.0
