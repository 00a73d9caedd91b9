"""Scores over all labels: by hand, against the papers' formulas, and without the absent."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest
from sklearn.metrics import f1_score, recall_score

from ecgcore.evaluation.multilabel import multilabel_scores

# Four records, three labels; the third label is in no record.
TARGETS = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 1, 0]], dtype=np.uint8)
ANSWERS = np.array([[1, 0, 0], [1, 0, 1], [1, 0, 0], [0, 1, 0]], dtype=bool)


def test_scores_by_hand() -> None:
    scores = multilabel_scores(TARGETS, ANSWERS)
    # Wrong answers: record 2 labels 2 and 3, record 3 labels 1 and 2; hits 3, false 2, missed 2.
    assert scores.hamming == pytest.approx(4 / 12)
    assert scores.accuracy == pytest.approx(8 / 12)
    assert scores.exact_match == pytest.approx(2 / 4)
    assert scores.overall_precision == pytest.approx(3 / 5)
    assert scores.overall_recall == pytest.approx(3 / 5)
    assert scores.of1 == pytest.approx(3 / 5)
    # Label 1: precision 2/3, recall 1, F1 4/5; label 2: precision 1, recall 1/3, F1 1/2.
    assert scores.cp == pytest.approx((2 / 3 + 1) / 2)
    assert scores.cr == pytest.approx((1 + 1 / 3) / 2)
    assert scores.cf1 == pytest.approx((4 / 5 + 1 / 2) / 2)
    assert scores.cf1_harmonic == pytest.approx(2 * (5 / 6) * (4 / 6) / (9 / 6))


def test_accuracy_is_equation_2_of_the_paper() -> None:
    generator = np.random.default_rng(0)
    targets = (generator.random((37, 5)) < 0.3).astype(np.uint8)
    answers = generator.random((37, 5)) < 0.3
    total = 0.0
    for label in range(5):
        right = sum(int(answers[j, label]) == int(targets[j, label]) for j in range(37))
        total += right / 37
    assert multilabel_scores(targets, answers).accuracy == pytest.approx(total / 5)


def test_scores_equal_scikit_learns_averages_where_every_class_is_there() -> None:
    generator = np.random.default_rng(1)
    targets = (generator.random((80, 6)) < 0.3).astype(np.uint8)
    answers = generator.random((80, 6)) < 0.3
    scores = multilabel_scores(targets, answers)
    assert scores.of1 == pytest.approx(f1_score(targets, answers, average="micro"))
    assert scores.cf1 == pytest.approx(f1_score(targets, answers, average="macro"))
    assert scores.overall_recall == pytest.approx(recall_score(targets, answers, average="micro"))
    assert scores.cr == pytest.approx(recall_score(targets, answers, average="macro"))


def test_a_single_label_is_scored_as_yes_and_no() -> None:
    scores = multilabel_scores(TARGETS[:, :1], ANSWERS[:, :1])
    assert scores.accuracy == pytest.approx(3 / 4)
    assert scores.exact_match == pytest.approx(3 / 4)
    assert scores.of1 == scores.cf1 == pytest.approx(4 / 5)


def test_what_cannot_be_counted_is_none() -> None:
    empty = np.zeros((3, 2), dtype=np.uint8)
    nothing = multilabel_scores(empty, empty.astype(bool))
    assert nothing.accuracy == 1.0 and nothing.hamming == 0.0
    assert nothing.of1 is nothing.overall_recall is nothing.overall_precision is None
    assert nothing.cr is nothing.cp is nothing.cf1 is nothing.cf1_harmonic is None
    false = multilabel_scores(empty, np.ones((3, 2), dtype=bool))
    assert false.of1 == 0.0 and false.overall_recall is None and false.cf1 is None
    missed = multilabel_scores(np.ones((3, 2), dtype=np.uint8), np.zeros((3, 2), dtype=bool))
    assert missed.cr == 0.0 and missed.cp == 0.0 and missed.cf1_harmonic == 0.0
    assert missed.overall_precision is None and missed.overall_recall == 0.0
    assert set(astuple(multilabel_scores(empty[:, :0], np.zeros((3, 0), dtype=bool)))) == {None}


def test_other_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\(4, 3\) and answers \(4, 2\)"):
        multilabel_scores(TARGETS, ANSWERS[:, :2])
