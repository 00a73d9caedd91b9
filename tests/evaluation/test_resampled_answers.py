"""Resampled answers against scikit-learn on each resample."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score, hamming_loss, precision_score, recall_score

from ecgcore.evaluation.bootstrap import bootstrap_weights
from ecgcore.evaluation.resampled_answers import bootstrap_answers


def test_answers_equal_scikit_learn_on_each_resample() -> None:
    generator = np.random.default_rng(0)
    targets = (generator.random((30, 4)) < [0.3, 0.05, 0.5, 0.97]).astype(np.uint8)
    answers = generator.random((30, 4)) < [0.3, 0.3, 0.02, 0.5]
    found = bootstrap_answers(targets, answers, resamples=40, seed=3)
    weights = bootstrap_weights(30, resamples=40, seed=3)
    absent = silent = 0
    for row, weight in enumerate(weights):
        drawn = np.repeat(np.arange(30), weight)
        assert found.hamming[row] == pytest.approx(hamming_loss(targets[drawn], answers[drawn]))
        for label in range(4):
            truth, said = targets[drawn, label], answers[drawn, label]
            if len(set(truth)) < 2:
                absent += 1
                assert np.isnan(found.f1[row, label]) and np.isnan(found.precision[row, label])
                assert np.isnan(found.sensitivity[row, label])
                assert np.isnan(found.specificity[row, label])
                continue
            assert found.f1[row, label] == pytest.approx(f1_score(truth, said))
            assert found.sensitivity[row, label] == pytest.approx(recall_score(truth, said))
            specificity = recall_score(1 - truth, ~said)
            assert found.specificity[row, label] == pytest.approx(specificity)
            if said.any():
                assert found.precision[row, label] == pytest.approx(precision_score(truth, said))
            else:
                silent += 1
                assert np.isnan(found.precision[row, label])
    assert absent and silent


def test_other_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one of each"):
        bootstrap_answers(np.zeros((3, 0), dtype=np.uint8), np.zeros((3, 0), dtype=bool))
    with pytest.raises(ValueError, match=r"answers \(3, 1\)"):
        bootstrap_answers(np.zeros((3, 2), dtype=np.uint8), np.zeros((3, 1), dtype=bool))
