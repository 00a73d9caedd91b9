"""Runs compared on the same validation records agree with scikit-learn and with the paired test."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from ecgcore.evaluation.comparison import compare_models
from ecgcore.evaluation.run_comparison import RunAnswers, compare_runs

LABELS = (("superclasses", "MI"), ("superclasses", "CD"), ("rhythm", "AFIB"))


def _answers(name: str, told: float, seed: int = 1) -> RunAnswers:
    """Answers that know the truth the better, the larger ``told``; AFIB never occurs."""
    truth = (np.random.default_rng(0).random((200, 3)) < (0.4, 0.2, 0.0)).astype(np.uint8)
    noise = np.random.default_rng(seed).normal(size=(200, 3))
    probabilities = 1 / (1 + np.exp(-(told * truth + noise)))
    return RunAnswers(name, LABELS, truth, probabilities, np.full(200, 9))


def test_scores_are_scikit_learns_and_differences_those_of_the_paired_test() -> None:
    one, two = _answers("one", 0.5), _answers("two", 2.0, seed=2)
    found = compare_runs([one, two], resamples=300)
    assert found.records == 200 and found.labels == LABELS[:2]
    assert found.positives == tuple(one.targets[:, :2].sum(0))
    for run, answer in zip(found.runs, (one, two), strict=True):
        areas = [roc_auc_score(answer.targets[:, i], answer.probabilities[:, i]) for i in (0, 1)]
        precise = average_precision_score(answer.targets[:, 0], answer.probabilities[:, 0])
        assert [score.value for score in run.auroc] == pytest.approx(areas)
        assert run.macro_auroc.value == pytest.approx(np.mean(areas))
        assert run.auprc[0].value == pytest.approx(precise)
        assert run.macro_auroc.interval is not None
        assert run.macro_auroc.interval[0] < run.macro_auroc.value < run.macro_auroc.interval[1]
    paired = compare_models(
        one.targets[:, :2], one.probabilities[:, :2], two.probabilities[:, :2], resamples=300
    )
    assert found.runs[0].auroc_gain is None and found.runs[0].label_gains is None
    assert found.runs[1].auroc_gain == paired.macro_auroc
    assert found.runs[1].auprc_gain == paired.macro_auprc
    assert found.runs[1].label_gains == paired.auroc
    assert paired.macro_auroc.p_value is not None and paired.macro_auroc.p_value < 0.05


def test_only_labels_that_all_have_are_compared_whatever_their_order() -> None:
    one, two = _answers("one", 0.5), _answers("two", 2.0)
    turned = two.columns((LABELS[1], LABELS[0]))
    found = compare_runs([one, turned], resamples=50)
    assert found.labels == LABELS[:2]
    assert found.runs == compare_runs([one, two], resamples=50).runs


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"folds": np.full(200, 8)}, "not validated on the same recordings"),
        ({"targets": 1 - _answers("x", 0).targets}, "not validated on the same recordings"),
        ({"labels": (("a", "1"), ("a", "2"), ("a", "3"))}, "no label in common"),
    ],
)
def test_other_records_or_labels_are_refused(change: dict[str, object], said: str) -> None:
    one = _answers("one", 1)
    with pytest.raises(ValueError, match=said):
        compare_runs([one, replace(_answers("two", 1), **change)])  # type: ignore[arg-type]


def test_one_run_and_labels_of_one_class_are_refused() -> None:
    one = _answers("one", 1)
    with pytest.raises(ValueError, match="at least two"):
        compare_runs([one])
    rare = one.columns(LABELS[2:])
    with pytest.raises(ValueError, match="with and without"):
        compare_runs([rare, replace(rare, name="two")])
