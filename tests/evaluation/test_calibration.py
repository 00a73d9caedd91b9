"""Reliability against scikit-learn, calibration error by hand, a temperature found again."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import expit, logit
from sklearn.calibration import calibration_curve
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score

from ecgcore.evaluation.calibration import (
    HIGHEST_TEMPERATURE,
    LOWEST_TEMPERATURE,
    Bins,
    Calibration,
    cross_fitted,
    expected_calibration_error,
    fit_calibration,
    fit_temperature,
    reliability,
)
from ecgcore.evaluation.calibration import log_loss as ours


def made(temperature: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """20,000 labels drawn from true probabilities, and a model's whose logits are too large."""
    generator = np.random.default_rng(seed)
    logits = generator.normal(-1, 1.5, (10_000, 2))
    targets = (generator.random(logits.shape) < expit(logits)).astype(np.uint8)
    return targets, expit(logits * temperature)


@pytest.mark.parametrize("strategy", ["uniform", "quantile"])
def test_a_table_is_scikit_learns_with_its_counts(strategy: Bins) -> None:
    targets, probabilities = made(2.0)
    target, probability = targets[:500, 0], np.round(probabilities[:500, 0], 3)
    table = reliability(target, probability, 8, strategy)
    share, mean = calibration_curve(target, probability, n_bins=8, strategy=strategy)
    filled = table.count > 0
    np.testing.assert_allclose(table.share_positive[filled], share)
    np.testing.assert_allclose(table.mean_probability[filled], mean)
    assert table.count.sum() == 500
    if strategy == "quantile":
        assert np.ptp(table.count) <= 15


def test_the_calibration_error_by_hand() -> None:
    target = np.array([0, 0, 1, 1, 1], dtype=np.uint8)
    probability = np.array([0.1, 0.3, 0.3, 0.8, 0.9])
    # Two bins: 3 records say 0.7 / 3 and one is positive; 2 say 0.85 and both are.
    expected = 3 / 5 * abs(0.7 / 3 - 1 / 3) + 2 / 5 * 0.15
    assert expected_calibration_error(target, probability, 2) == pytest.approx(expected)


def test_empty_bins_are_absent() -> None:
    table = reliability(np.array([1], dtype=np.uint8), np.array([1.0]), 4)
    assert table.count.tolist() == [0, 0, 0, 1]
    assert np.isnan(table.share_positive[:3]).all() and table.share_positive[3] == 1
    assert table.expected_error == 0.0
    nothing = np.empty(0)
    assert expected_calibration_error(nothing.astype(np.uint8), nothing) is None


def divided(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Probabilities whose logits were divided by a temperature."""
    shifts = (0.0,) * probabilities.shape[1]
    return Calibration(temperature, shifts).probabilities(logit(probabilities))


@pytest.mark.parametrize("true", [0.5, 1.0, 3.0])
def test_the_temperature_is_found_again(true: float) -> None:
    targets, probabilities = made(true)
    found = fit_temperature(targets, probabilities)
    assert found == pytest.approx(true, rel=0.05)
    mended = divided(probabilities, found)
    before = log_loss(targets.ravel(), probabilities.ravel())
    assert log_loss(targets.ravel(), mended.ravel()) <= before
    error = expected_calibration_error(targets[:, 0], mended[:, 0])
    assert error is not None and error < 0.02
    area = roc_auc_score(targets[:, 0], probabilities[:, 0])
    assert roc_auc_score(targets[:, 0], mended[:, 0]) == pytest.approx(area, abs=1e-12)


def test_no_other_temperature_is_likelier() -> None:
    targets, probabilities = made(2.0, seed=4)
    targets, probabilities = targets[:200], probabilities[:200]
    found = fit_temperature(targets, probabilities)
    best = log_loss(targets.ravel(), divided(probabilities, found).ravel())
    for other in np.geomspace(LOWEST_TEMPERATURE, HIGHEST_TEMPERATURE, 60):
        tried = divided(probabilities, float(other)).ravel()
        assert best <= log_loss(targets.ravel(), np.clip(tried, 1e-15, 1 - 1e-15)) + 1e-9


def test_certain_probabilities_stay_finite() -> None:
    targets = np.array([[1], [0], [1]], dtype=np.uint8)
    certain = np.array([[1.0], [0.0], [1.0]], dtype=np.float32)
    assert fit_temperature(targets, certain) == pytest.approx(LOWEST_TEMPERATURE, rel=1e-3)
    assert fit_temperature(1 - targets, certain) == pytest.approx(HIGHEST_TEMPERATURE, rel=1e-3)


def test_wrong_input_is_refused() -> None:
    target, probability = np.zeros(2, dtype=np.uint8), np.array([0.5, 1.5])
    with pytest.raises(ValueError, match="give probabilities"):
        reliability(target, probability)
    with pytest.raises(ValueError, match="at least 1"):
        reliability(target, target.astype(np.float64), 0)
    with pytest.raises(ValueError, match="known: uniform, quantile"):
        reliability(target, target.astype(np.float64), 3, "equal")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at least one"):
        fit_temperature(np.zeros((0, 2), dtype=np.uint8), np.zeros((0, 2)))


def shifted(records: int = 20_000) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Three labels whose true logits are 0.5 z + (-1, 0.3, 2)."""
    generator = np.random.default_rng(0)
    logits = generator.normal(0, 2, (records, 3))
    true = 1 / (1 + np.exp(-(0.5 * logits + np.array([-1, 0.3, 2]))))
    return (generator.random(true.shape) < true).astype(np.uint8), logits


def test_a_calibration_finds_temperature_and_shifts() -> None:
    targets, logits = shifted()
    found = fit_calibration(targets, logits)
    assert found.temperature == pytest.approx(2, rel=0.05)
    assert found.shifts == pytest.approx((-1, 0.3, 2), abs=0.06)
    # At the maximum of the likelihood a label's mean probability is its share of positives.
    np.testing.assert_allclose(found.probabilities(logits).mean(0), targets.mean(0), atol=2e-4)


@pytest.mark.parametrize("records", [40, 2000])
def test_one_label_is_platts_scaling(records: int) -> None:
    """Against scikit-learn: each record counts as both answers, by the share of its target."""
    targets, logits = shifted(records)
    yes = targets[:, 0] != 0
    share = np.where(yes, (yes.sum() + 1) / (yes.sum() + 2), 1 / ((~yes).sum() + 2))
    twice = np.concatenate([logits[:, :1]] * 2)
    answers, weights = np.repeat([1, 0], records), np.concatenate([share, 1 - share])
    model = LogisticRegression(C=np.inf, tol=1e-10).fit(twice, answers, sample_weight=weights)
    alone = fit_calibration(targets[:, :1], logits[:, :1])
    assert 1 / alone.temperature == pytest.approx(float(model.coef_[0, 0]), rel=1e-3)
    assert alone.shifts[0] == pytest.approx(float(model.intercept_[0]), abs=1e-3)


def test_few_or_separable_records_make_nobody_sure() -> None:
    generator = np.random.default_rng(0)
    targets = (np.arange(183) % 2)[:, None].astype(np.uint8)
    apart = np.where(targets, 9.0, -9.0) + generator.normal(0, 1, (183, 1))
    found = fit_calibration(targets, apart)
    answers = found.probabilities(apart).astype(np.float32)
    assert answers.max() < 1 and len(np.unique(answers)) == 183
    nowhere = fit_calibration(np.zeros((4, 1), dtype=np.uint8), np.zeros((4, 1)))
    assert nowhere.probabilities(np.zeros((1, 1)))[0, 0] == pytest.approx(1 / 6, abs=1e-3)


def test_log_loss_is_scikit_learns() -> None:
    targets, logits = shifted(200)
    assert ours(targets, expit(logits)) == pytest.approx(
        log_loss(targets.ravel(), expit(logits).ravel())
    )


def test_a_temperature_alone_shifts_nothing() -> None:
    targets, logits = shifted(2000)
    alone = fit_calibration(targets, logits, shifting=False)
    assert alone.shifts == (0, 0, 0)
    assert alone.temperature == pytest.approx(fit_temperature(targets, expit(logits)), rel=5e-3)


def test_cross_fitting_uses_no_record_for_itself() -> None:
    targets, logits = shifted(200)
    found = cross_fitted(targets, logits)
    changed = targets.copy()
    changed[7] = 1 - changed[7]
    np.testing.assert_array_equal(cross_fitted(changed, logits)[7], found[7])
    assert not np.array_equal(cross_fitted(changed, logits), found)
    with pytest.raises(ValueError, match="2 parts or more"):
        cross_fitted(targets[:3], logits[:3], parts=4)
    with pytest.raises(ValueError, match="no record to calibrate on"):
        fit_calibration(targets[:0], logits[:0])
