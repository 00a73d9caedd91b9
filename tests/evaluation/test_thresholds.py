"""Threshold curves against scikit-learn, CNN-TE's correlation from its own table, co-occurrence."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score, precision_score, recall_score

from ecgcore.evaluation.metrics import best_f1_threshold
from ecgcore.evaluation.thresholds import (
    co_occurrence,
    correlation,
    label_thresholds,
    threshold_curve,
)

# CNN-TE, Table 3: share of positives in %, best threshold.
PREVALENCE = [48.84, 8.13, 7.25, 2.45, 5.62, 4.25, 13.28, 14.32, 5.55, 5.63, 7.97, 8.82, 6.02]
THRESHOLDS = [0.68, 0.97, 0.84, 0.97, 0.88, 0.89, 0.88, 0.79, 0.97, 0.90, 0.73, 0.94, 0.84]


def test_cnn_tes_table_gives_its_correlation() -> None:
    found = correlation(np.array(PREVALENCE), np.array(THRESHOLDS))
    assert found == pytest.approx(-0.68, abs=0.005)


def test_a_curve_is_the_scores_at_each_threshold() -> None:
    generator = np.random.default_rng(0)
    target = (generator.random(60) < 0.3).astype(np.uint8)
    probability = np.round(generator.random(60), 1)
    curve = threshold_curve(target, probability)
    assert curve is not None
    np.testing.assert_array_equal(curve.threshold, np.unique(probability))
    for place, threshold in enumerate(curve.threshold):
        said = probability >= threshold
        assert curve.precision[place] == pytest.approx(precision_score(target, said))
        assert curve.recall[place] == pytest.approx(recall_score(target, said))
        assert curve.f1[place] == pytest.approx(f1_score(target, said))


def test_an_absent_label_has_no_curve_and_no_threshold() -> None:
    generator = np.random.default_rng(1)
    targets = (generator.random((200, 4)) < [0.1, 0.3, 0.5, 0.7]).astype(np.uint8)
    targets[:, 2] = 0
    probabilities = generator.random((200, 4))
    assert threshold_curve(targets[:, 2], probabilities[:, 2]) is None
    found = label_thresholds(targets, probabilities)
    assert np.isnan(found.threshold[2])
    assert found.threshold[1] == best_f1_threshold(targets[:, 1], probabilities[:, 1])
    np.testing.assert_allclose(found.prevalence, targets.mean(axis=0))
    kept = [0, 1, 3]
    expected = np.corrcoef(found.prevalence[kept], found.threshold[kept])[0, 1]
    assert found.correlation == pytest.approx(expected)


@pytest.mark.parametrize("one", [[0.1], [0.1, np.nan], [0.2, 0.2]])
def test_a_correlation_that_does_not_exist_is_none(one: list[float]) -> None:
    assert correlation(np.array(one), np.arange(len(one), dtype=np.float64)) is None


def test_co_occurrence_by_hand() -> None:
    targets = np.array([[1, 1, 0], [1, 0, 0], [1, 1, 1]], dtype=np.uint8)
    np.testing.assert_array_equal(co_occurrence(targets), [[3, 2, 1], [2, 2, 1], [1, 1, 1]])
    many = np.ones((300, 2), dtype=np.uint8)
    assert co_occurrence(many)[0, 1] == 300
