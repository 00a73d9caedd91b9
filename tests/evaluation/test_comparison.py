"""The paired bootstrap test of two models."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from ecgcore.evaluation.bootstrap import bootstrap_areas, interval, macro
from ecgcore.evaluation.comparison import compare_models, paired_difference


def test_a_paired_difference_by_hand() -> None:
    first, second = np.zeros(99), np.where(np.arange(99) < 2, -1.0, 1.0)
    found = paired_difference(0.8, first, second)
    assert found.difference == 0.8
    assert found.p_value == pytest.approx(2 * 3 / 100)
    assert paired_difference(0.0, first, first).p_value == 1.0
    nothing = paired_difference(np.nan, first, second)
    assert nothing.difference is nothing.interval is nothing.p_value is None


def test_a_better_model_is_told_from_itself_and_the_sign_follows_the_order() -> None:
    generator = np.random.default_rng(1)
    targets = (generator.random((300, 3)) < 0.3).astype(np.uint8)
    targets[:, 2] = 0
    noise = generator.random((300, 3))
    worse, better = noise + 0.1 * targets, noise + 0.6 * targets
    found = compare_models(targets, worse, better, resamples=200)
    expected = np.mean(
        [
            roc_auc_score(targets[:, i], better[:, i]) - roc_auc_score(targets[:, i], worse[:, i])
            for i in (0, 1)
        ]
    )
    assert found.macro_auroc.difference == pytest.approx(expected, abs=1e-12)
    assert found.macro_auroc.p_value == pytest.approx(2 / 201)
    assert found.macro_auroc.interval is not None and found.macro_auroc.interval[0] > 0
    assert found.auroc[2].difference is None and found.auprc[2].p_value is None
    turned = compare_models(targets, better, worse, resamples=200)
    assert turned.macro_auprc.difference == pytest.approx(-(found.macro_auprc.difference or 0.0))
    itself = compare_models(targets, better, better, resamples=50)
    assert itself.macro_auroc.p_value == 1.0 and itself.macro_auroc.interval == (0.0, 0.0)


def test_a_pair_is_much_narrower_than_two_models_apart() -> None:
    generator = np.random.default_rng(2)
    targets = (generator.random((200, 2)) < 0.3).astype(np.uint8)
    first = generator.random((200, 2)) + 0.5 * targets
    second = first + 0.02 * generator.random((200, 2))
    paired = compare_models(targets, first, second, resamples=200).macro_auroc.interval
    alone = interval(macro(bootstrap_areas(targets, first, resamples=200).auroc))
    assert paired is not None and alone is not None
    assert paired[1] - paired[0] < 0.3 * (alone[1] - alone[0])


def test_models_of_other_records_are_refused() -> None:
    targets = np.zeros((5, 2), dtype=np.uint8)
    with pytest.raises(ValueError, match="same records and labels"):
        compare_models(targets, np.zeros((5, 2)), np.zeros((4, 2)))
