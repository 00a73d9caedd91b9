"""Bootstrap of what depends on a threshold: F1, sensitivity, specificity, precision, Hamming loss.

ECGencode gives 95 % intervals of F1 from 10,000 resamples. Hits, false alarms and misses of every
label in every resample are matrix products of the draws with the records' answers; the resamples
are those of ``bootstrap_areas`` with the same seed, so that two models' values pair.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecgcore.evaluation.bootstrap import RESAMPLES, SEED, drawn_weights


@dataclass(frozen=True)
class ResampledAnswers:
    """Scores of each label, (resamples, labels); Hamming loss over all labels, (resamples,).

    NaN where a resample lacks one of the label's two classes; precision also where the label is
    never predicted.
    """

    f1: NDArray[np.float64]
    sensitivity: NDArray[np.float64]
    specificity: NDArray[np.float64]
    precision: NDArray[np.float64]
    hamming: NDArray[np.float64]


def bootstrap_answers(
    targets: NDArray[np.uint8],
    predicted: NDArray[np.bool_],
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> ResampledAnswers:
    """Scores of (records, labels) answers against 0/1 targets in resamples of the records.

    Raises ValueError when the shapes differ or there is nothing to answer.
    """
    if targets.shape != predicted.shape or not targets.size:
        raise ValueError(
            f"targets {targets.shape} and answers {predicted.shape}; give (records, labels) of "
            "both, at least one of each"
        )
    truth, said = (targets != 0).astype(np.float64), predicted.astype(np.float64)
    table = np.concatenate([truth * said, said, truth], axis=1)
    # float64 products of whole numbers are exact.
    parts = [w.astype(np.float64) @ table for w in drawn_weights(len(targets), resamples, seed)]
    counts = np.concatenate([np.empty((0, table.shape[1])), *parts])
    hits, flagged, positive = np.split(counts, 3, axis=1)
    negative = len(targets) - positive
    absent = (positive == 0) | (negative == 0)
    positive, negative = (np.where(absent, np.nan, n) for n in (positive, negative))
    false_alarms, misses = flagged - hits, positive - hits
    wrong = flagged + counts[:, -targets.shape[1] :] - 2 * hits
    return ResampledAnswers(
        f1=2 * hits / (flagged + positive),
        sensitivity=1 - misses / positive,
        specificity=1 - false_alarms / negative,
        precision=hits / np.where(absent | (flagged == 0), np.nan, flagged),
        hamming=wrong.mean(axis=1) / len(targets),
    )
