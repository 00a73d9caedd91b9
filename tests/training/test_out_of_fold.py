"""Out-of-fold answers never learned from the labels that they are held against."""

from __future__ import annotations

import numpy as np
import pytest

from ecgcore.training.out_of_fold import LEARNERS, PARTS, out_of_fold, parts_of


def _data(records: int = 150) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    values = generator.normal(size=(records, 12))
    odds = values[:, :3] * 3
    labels = generator.random((records, 3)) < 1 / (1 + np.exp(-odds))
    return values, labels, np.arange(records) % PARTS


def test_both_learners_learn() -> None:
    from sklearn.metrics import roc_auc_score

    values, labels, parts = _data()
    told = out_of_fold(values, labels, parts)
    assert tuple(told) == LEARNERS
    for probabilities in told.values():
        assert probabilities.shape == labels.shape
        assert probabilities.min() >= 0 and probabilities.max() <= 1
        assert roc_auc_score(labels, probabilities) > 0.75


@pytest.mark.parametrize("part", range(PARTS))
def test_a_part_is_not_told_of_its_own_labels(part: int) -> None:
    values, labels, parts = _data()
    other = np.where((parts == part)[:, None], ~labels, labels)
    before, after = (out_of_fold(values, one, parts) for one in (labels, other))
    for name in LEARNERS:
        assert np.array_equal(before[name][parts == part], after[name][parts == part])
        assert not np.array_equal(before[name][parts != part], after[name][parts != part])


def test_the_same_seed_gives_the_same_answers() -> None:
    values, labels, parts = _data(80)
    one, two = (out_of_fold(values, labels, parts, seed=3) for _ in range(2))
    assert all(np.array_equal(one[name], two[name]) for name in LEARNERS)


def test_folds_one_and_six_are_one_part() -> None:
    assert parts_of(np.arange(1, 11)).tolist() == [0, 1, 2, 3, 4, 0, 1, 2, 3, 4]


def test_records_of_one_fold_are_dealt_out() -> None:
    assert parts_of(np.full(7, 9)).tolist() == [0, 1, 2, 3, 4, 0, 1]
