"""Resampled areas against scikit-learn on each resample, and intervals."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from ecgcore.evaluation.bootstrap import (
    bootstrap_areas,
    bootstrap_weights,
    interval,
    macro,
    resampled_areas,
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
    targets = np.stack([target, 1 - target, target], axis=1)
    probabilities = np.stack([probability, probability, -probability], axis=1)
    weights = bootstrap_weights(len(rows), resamples=5, seed=seed)
    areas = resampled_areas(targets, probabilities, weights)
    for row, weight in enumerate(weights):
        drawn = np.repeat(np.arange(len(rows)), weight)
        for label in range(3):
            truth, scores = targets[drawn, label], probabilities[drawn, label]
            if len(set(truth)) < 2:
                assert np.isnan(areas.auroc[row, label]) and np.isnan(areas.auprc[row, label])
                continue
            area = roc_auc_score(truth, scores)
            assert areas.auroc[row, label] == pytest.approx(area, abs=1e-12)
            area = average_precision_score(truth, scores)
            assert areas.auprc[row, label] == pytest.approx(area, abs=1e-12)


def test_an_absent_label_disturbs_no_other() -> None:
    generator = np.random.default_rng(0)
    targets = (generator.random((50, 4)) < 0.4).astype(np.uint8)
    targets[:, 1], targets[:, 2] = 0, 1
    probabilities = generator.random((50, 4))
    areas = bootstrap_areas(targets, probabilities, resamples=20)
    alone = bootstrap_areas(targets[:, 3:], probabilities[:, 3:], resamples=20)
    assert np.isnan(areas.auroc[:, 1:3]).all() and np.isnan(areas.auprc[:, 1:3]).all()
    np.testing.assert_array_equal(areas.auroc[:, 3:], alone.auroc)
    np.testing.assert_array_equal(areas.auprc[:, 3:], alone.auprc)


@pytest.mark.parametrize(("targets", "resamples"), [(np.zeros((9, 0)), 3), (np.ones((9, 2)), 3)])
def test_nothing_to_score_has_no_interval(targets: np.ndarray, resamples: int) -> None:
    areas = bootstrap_areas(targets.astype(np.uint8), np.zeros(targets.shape), resamples)
    assert areas.auroc.shape == (resamples, targets.shape[1])
    assert interval(macro(areas.auroc)) is None


def test_the_draws_are_those_of_one_multinomial_call() -> None:
    expected = np.random.default_rng(7).multinomial(83, np.full(83, 1 / 83), 600)
    drawn = bootstrap_weights(83, resamples=600, seed=7)
    np.testing.assert_array_equal(drawn, expected)
    assert (drawn.sum(axis=1) == 83).all()


def test_macro_takes_the_labels_that_a_resample_holds() -> None:
    values = np.array([[0.5, 0.7], [np.nan, 0.9], [np.nan, np.nan]])
    np.testing.assert_allclose(macro(values), [0.6, 0.9, np.nan])


def test_interval_is_of_the_finite_values() -> None:
    values = np.append(np.arange(101.0), np.nan)
    assert interval(values) == pytest.approx((2.5, 97.5))
    assert interval(values, 0.9) == pytest.approx((5.0, 95.0))
    assert interval(np.array([np.nan])) is None


def test_published_predictions_give_the_published_macro_auroc_and_interval(
    ecg_data: Path,
) -> None:
    """The benchmark's interval is of 90 %, from 100 resamples that hold all 71 statements."""
    folder = ecg_data / "oracle"
    with np.load(folder / "ptbxl_fold9_xresnet1d101.npz") as arrays:
        targets, probabilities = arrays["y"], arrays["pred"]
    with (folder / "ptbxl_fold9_xresnet1d101_results.csv").open(encoding="utf-8") as table:
        published = {row[""]: float(row["macro_auc"]) for row in csv.DictReader(table)}
    every = np.ones((1, len(targets)), dtype=np.int32)
    point = macro(resampled_areas(targets, probabilities, every).auroc)[0]
    assert point == pytest.approx(0.92808, abs=5e-6)
    assert point == pytest.approx(published["point"], abs=1e-9)
    areas = bootstrap_areas(targets, probabilities, resamples=2000).auroc
    whole = macro(areas)[np.isfinite(areas).all(axis=1)]
    assert len(whole) > 200
    low, high = interval(whole, 0.9) or (0.0, 0.0)
    # The end of an interval from 100 resamples has a standard error of about 0.0008.
    assert low == pytest.approx(published["lower"], abs=0.002)
    assert high == pytest.approx(published["upper"], abs=0.002)
    assert whole.mean() == pytest.approx(published["mean"], abs=0.0012)
