"""The curves of a label go through the points that its thresholds lead to."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from ecgcore.evaluation.label_curves import label_curves
from ecgcore.evaluation.operating_point import operating_point
from tests.models.shelf_example import example_answers


def test_every_threshold_lies_on_both_curves() -> None:
    answers = example_answers()
    target, said = answers.targets[:, 1], answers.probabilities[:, 1]
    curves = label_curves(target, said)
    assert curves is not None
    roc = set(zip(curves.false_positive_rate.round(9), curves.sensitivity.round(9), strict=True))
    curve = set(zip(curves.recall.round(9), curves.precision.round(9), strict=True))
    for threshold in said[:20]:
        point = operating_point(target, said, float(threshold))
        assert point.false_positive_rate is not None and point.sensitivity.value is not None
        assert (round(point.false_positive_rate, 9), round(point.sensitivity.value, 9)) in roc
        assert (round(point.sensitivity.value, 9), round(point.ppv.value or 0.0, 9)) in curve


def test_their_areas_are_those_of_the_scores() -> None:
    answers = example_answers()
    target, said = answers.targets[:, 0], answers.probabilities[:, 0]
    curves = label_curves(target, said)
    assert curves is not None
    area = np.trapezoid(curves.sensitivity, curves.false_positive_rate)
    assert area == pytest.approx(roc_auc_score(target, said))
    steps = -np.diff(curves.recall) @ curves.precision[:-1]
    assert steps == pytest.approx(average_precision_score(target, said))
    assert curves.reliability.count.sum() == len(target)
    best = curves.over_thresholds.f1.max()
    assert 0 < best <= 1


def test_one_class_has_no_curves() -> None:
    said = np.linspace(0, 1, 5)
    assert label_curves(np.zeros(5, dtype=np.uint8), said) is None
    assert label_curves(np.ones(5, dtype=np.uint8), said) is None
