"""Fitting the lead reversal network and choosing its thresholds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ecgcore.signal.arrangement import mistake_margins
from ecgcore.signal.reversal import load_reversal_model, margins, threshold_names
from ecgcore.training import reversal
from ecgcore.training.reversal import LEAST_MARGIN, choose_thresholds, fit, training_inputs, write


def test_one_false_warning_of_a_kind_is_left() -> None:
    gained = np.full((100, len(threshold_names())), -5.0)
    gained[:3, 2] = (6.0, 4.0, 3.0)
    gained[3:5, 0] = (1.0, 0.5)
    gained[1:4, -1] = (7.0, 5.0, 2.0)
    thresholds = choose_thresholds(gained)
    for kind, chosen in ((2, 4.001), (len(gained[0]) - 1, 5.001)):
        assert thresholds[kind] == pytest.approx(chosen)
        assert np.count_nonzero(gained[:, kind] >= thresholds[kind]) == 1
    assert np.delete(thresholds, [2, -1]) == pytest.approx(LEAST_MARGIN)


def test_a_fitted_network_prefers_the_true_arrangement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reversal, "EPOCHS", 15)
    random = np.random.default_rng(0)
    shapes = random.normal(size=(12, 72))
    beats = shapes + random.normal(0, 0.3, (60, 12, 72))
    beats /= np.linalg.norm(beats, axis=-1, keepdims=True)
    model = fit(training_inputs(beats[:40]))
    for one in beats[40:]:
        assert margins(model, one).max() < 0
        assert max(ways.max() for ways in mistake_margins(model, one)) < 0
    write(model, {"name": "test"}, tmp_path)
    loaded = load_reversal_model(tmp_path)
    np.testing.assert_allclose(margins(loaded, beats[50]), margins(model, beats[50]), atol=0.05)
    np.testing.assert_allclose(loaded.thresholds, LEAST_MARGIN, atol=1e-3)
