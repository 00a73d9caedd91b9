"""Scores of labels on the validation records."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from ecgcore.training.checkpoint import TrainingError
from ecgcore.training.scoring import by_label, macro_auroc, macro_sensitivity


@pytest.mark.parametrize("labels", [1, 2, 7])
@pytest.mark.parametrize("score", [roc_auc_score, average_precision_score])
def test_labels_at_once_are_scored_as_one_by_one(labels: int, score: object) -> None:
    draws = np.random.default_rng(labels)
    targets = (draws.random((60, labels)) < 0.3).astype(np.float32)
    probabilities = draws.random((60, labels)).round(1).astype(np.float32)  # with ties
    targets[:, -1] = 1.0
    found = by_label(score, targets, probabilities)  # type: ignore[arg-type]
    assert np.isnan(found[-1])
    for place in range(labels - 1):
        assert found[place] == score(targets[:, place], probabilities[:, place])  # type: ignore[operator]


def test_the_mean_is_over_labels_of_both_classes() -> None:
    targets = np.array([[1, 0, 1], [0, 0, 1], [1, 0, 1], [0, 0, 1]], dtype=np.float32)
    probabilities = np.array([[0.9], [0.2], [0.3], [0.4]]) * np.ones(3)
    assert macro_auroc(targets, probabilities) == 0.75
    with pytest.raises(TrainingError, match="no label occurs in the validation records"):
        macro_auroc(targets[:, 1:], probabilities[:, 1:])


def test_sensitivity_is_the_mean_share_of_positives_found() -> None:
    targets = np.array([[1, 0, 1], [1, 0, 1], [0, 0, 1]], dtype=np.float32)
    answers = np.array([[0.5, 0.9, 0.9], [0.4, 0.9, 0.9], [0.9, 0.9, 0.9]])
    assert macro_sensitivity(targets, answers) == pytest.approx((0.5 + 1) / 2)
