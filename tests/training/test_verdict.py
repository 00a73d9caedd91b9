"""Fitting the verdict: it learns which lead was meant, and chooses its threshold as promised."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ecgcore.signal.verdict import load_model
from ecgcore.signal.verdict_features import FEATURES, Values
from ecgcore.training.verdict import (
    WANTED_SENSITIVITY,
    Labels,
    choose_penalty,
    choose_threshold,
    cross_validate,
    fit,
    summarise,
    write,
)


def recordings(count: int = 120) -> tuple[Values, Labels]:
    """Twelve leads each; every third recording has one lead whose first feature is high."""
    random = np.random.default_rng(4)
    features = random.normal(size=(count, 12, len(FEATURES)))
    unfit = np.arange(count) % 3 == 0
    features[unfit, np.arange(count)[unfit] % 12, 0] += 9
    return features, unfit


def test_the_lead_that_was_meant_is_found() -> None:
    features, unfit = recordings()
    model = fit(features, unfit)
    leads = model.lead.scores(features[unfit]).argmax(axis=1)
    assert (leads == np.flatnonzero(unfit) % 12).mean() > 0.95
    assert int(np.argmax(model.lead.weights)) == 0


def test_cross_validation_tells_signal_from_chance() -> None:
    features, unfit = recordings()
    none = np.zeros(unfit.size, dtype=bool)
    found = summarise(*cross_validate(features, unfit, none, 0), unfit)
    assert found.auroc > 0.9
    assert found.sensitivity > 0.8
    low, high = found.accuracy_interval
    assert low < found.accuracy < high
    shuffled = np.random.default_rng(5).permutation(unfit)
    assert summarise(*cross_validate(features, shuffled, none, 0), shuffled).auroc < 0.75


def test_the_threshold_is_the_most_accurate_that_is_sensitive_enough() -> None:
    scores = np.array([0.95, 0.8, 0.6, 0.3, 0.5, 0.4, 0.2, 0.1, 0.1, 0.1])
    unfit = np.array([True, True, True, True, False, False, False, False, False, False])
    threshold = choose_threshold(scores, unfit)
    assert (scores >= threshold)[unfit].mean() >= WANTED_SENSITIVITY
    assert 0.2 < threshold <= 0.3


def test_the_penalty_is_that_of_the_likeliest_scores() -> None:
    unfit = np.array([True, False, False])
    sure, unsure = np.array([0.9, 0.1, 0.1]), np.array([0.6, 0.4, 0.4])
    wrong = np.array([0.0, 0.0, 0.0])
    assert choose_penalty({30.0: unsure, 100.0: sure, 300.0: wrong}, unfit) == 100.0
    assert choose_penalty({30.0: unsure, 300.0: wrong}, unfit) == 30.0


def test_the_figures_are_those_of_the_decisions() -> None:
    unfit = np.array([True] * 10 + [False] * 40)
    scores = np.where(unfit, 1.0, 0.0)
    scores[8:14] = (0.2, 0.2, 1.0, 1.0, 1.0, 1.0)
    found = summarise(scores, scores >= 0.5, unfit)
    assert (found.accuracy, found.sensitivity, found.specificity) == (0.88, 0.8, 0.9)
    assert found.auroc == pytest.approx((8 * 36 + 8 * 4 / 2 + 2 * 36) / 400)
    for figure in ("accuracy", "sensitivity", "specificity", "auroc"):
        low, high = getattr(found, f"{figure}_interval")
        assert 0 <= low < getattr(found, figure) < high <= 1


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    features, unfit = recordings()
    model = fit(features, unfit, 0.4)
    write(model, {"name": "test"}, tmp_path / "verdict.json")
    loaded = load_model(tmp_path / "verdict.json")
    assert loaded.threshold == pytest.approx(0.4)
    np.testing.assert_allclose(loaded.scores(features), model.scores(features), atol=1e-3)
