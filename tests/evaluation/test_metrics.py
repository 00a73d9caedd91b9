"""Scores against scikit-learn and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from ecgcore.evaluation.metrics import best_f1_threshold, score_label, score_labels

records = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 6).map(lambda n: n / 6)), min_size=4, max_size=40
)


@given(records)
@settings(max_examples=60, deadline=None)
def test_no_other_threshold_has_a_better_f1(rows: list[tuple[int, float]]) -> None:
    target = np.array([row[0] for row in rows], dtype=np.uint8)
    probability = np.array([row[1] for row in rows])
    if not target.any():
        with pytest.raises(ValueError, match="no positive"):
            best_f1_threshold(target, probability)
        return
    threshold = best_f1_threshold(target, probability)
    reached = f1_score(target, probability >= threshold)
    for other in np.unique(probability):
        assert reached >= f1_score(target, probability >= other) - 1e-12


def test_threshold_lies_between_two_probabilities() -> None:
    target = np.array([0, 0, 1, 1], dtype=np.uint8)
    assert best_f1_threshold(target, np.array([0.1, 0.2, 0.6, 0.9])) == pytest.approx(0.4)


def test_scores_by_hand() -> None:
    target = np.array([1, 1, 1, 0, 0], dtype=np.uint8)
    scores = score_label(target, np.array([0.9, 0.6, 0.2, 0.7, 0.1]), 0.5)
    assert scores.n_positive == 3
    assert scores.sensitivity == pytest.approx(2 / 3)
    assert scores.specificity == pytest.approx(1 / 2)
    assert scores.precision == pytest.approx(2 / 3)
    assert scores.f1 == pytest.approx(2 / 3)
    assert scores.auroc == pytest.approx(4 / 6)


def test_an_absent_class_is_absent_not_zero() -> None:
    scores = score_label(np.zeros(4, dtype=np.uint8), np.linspace(0, 1, 4), 0.5)
    assert scores.n_positive == 0
    assert scores.auroc is None and scores.f1 is None and scores.auprc_interval is None


def test_a_label_never_predicted_has_no_precision() -> None:
    scores = score_label(np.array([1, 0], dtype=np.uint8), np.array([0.2, 0.1]), 0.5)
    assert scores.precision is None and scores.f1 == 0 and scores.sensitivity == 0


def test_intervals_hold_the_estimate_and_repeat() -> None:
    generator = np.random.default_rng(3)
    target = (generator.random(200) < 0.3).astype(np.uint8)
    probability = generator.random(200) + 0.4 * target
    first, second = (score_label(target, probability, 0.5) for _ in range(2))
    assert first == second
    assert first.auroc_interval is not None and first.auroc is not None
    assert first.auroc_interval[0] < first.auroc < first.auroc_interval[1]


def test_macro_interval_is_narrower_than_one_labels() -> None:
    generator = np.random.default_rng(4)
    targets = (generator.random((150, 8)) < 0.3).astype(np.uint8)
    probabilities = generator.random((150, 8)) + 0.3 * targets
    scores = score_labels(targets, probabilities, (0.5,) * 8)
    single, macro = scores.labels[0].auroc_interval, scores.macro_auroc_interval
    assert single is not None and macro is not None
    assert macro[1] - macro[0] < single[1] - single[0]


def test_labels_together_score_as_each_alone() -> None:
    generator = np.random.default_rng(5)
    targets = (generator.random((60, 3)) < 0.3).astype(np.uint8)
    targets[:, 1] = 0
    probabilities = generator.random((60, 3))
    thresholds = (0.4, 0.5, 0.6)
    together = score_labels(targets, probabilities, thresholds).labels
    for i, threshold in enumerate(thresholds):
        assert together[i] == score_label(targets[:, i], probabilities[:, i], threshold)
