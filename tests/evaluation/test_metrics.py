"""Scores against scikit-learn and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from ecgcore.evaluation.metrics import (
    best_f1_threshold,
    bootstrap_intervals,
    bootstrap_weights,
    macro_interval,
    resampled_areas,
    score_label,
)

records = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 6).map(lambda n: n / 6)), min_size=4, max_size=40
)


@given(records, st.integers(0, 2**31))
@settings(max_examples=60, deadline=None)
def test_resampled_areas_equal_scikit_learn_on_each_resample(
    rows: list[tuple[int, float]], seed: int
) -> None:
    target = np.array([row[0] for row in rows], dtype=np.uint8)
    probability = np.array([row[1] for row in rows])
    weights = bootstrap_weights(len(rows), resamples=5, seed=seed)
    areas, precisions = resampled_areas(target, probability, weights)
    for weight, area, precision in zip(weights, areas, precisions, strict=True):
        drawn = np.repeat(np.arange(len(rows)), weight)
        if len(set(target[drawn])) < 2:
            assert np.isnan(area)
            continue
        assert area == pytest.approx(roc_auc_score(target[drawn], probability[drawn]), abs=1e-12)
        expected = average_precision_score(target[drawn], probability[drawn])
        assert precision == pytest.approx(expected, abs=1e-12)


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
    first, second = (bootstrap_intervals(target, probability) for _ in range(2))
    assert first == second
    assert first[0] is not None
    assert first[0][0] < roc_auc_score(target, probability) < first[0][1]


def test_macro_interval_is_narrower_than_one_labels() -> None:
    generator = np.random.default_rng(4)
    targets = (generator.random((150, 8)) < 0.3).astype(np.uint8)
    probabilities = generator.random((150, 8)) + 0.3 * targets
    single, _ = bootstrap_intervals(targets[:, 0], probabilities[:, 0])
    macro, _ = macro_interval(targets, probabilities)
    assert single is not None and macro is not None
    assert macro[1] - macro[0] < single[1] - single[0]
