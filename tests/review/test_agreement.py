"""Kappas against scikit-learn and by hand; annotators against what was settled."""

from __future__ import annotations

import numpy as np
import pytest

from ecgcore.review.agreement import (
    Calibration,
    calibration,
    cohen_kappa,
    fleiss_kappa,
    label_kappas,
)


def test_cohens_kappa_is_scikit_learns() -> None:
    from sklearn.metrics import cohen_kappa_score

    generator = np.random.default_rng(0)
    first = generator.random(80) < 0.4
    second = np.where(generator.random(80) < 0.8, first, ~first)
    found = cohen_kappa(first, second)
    assert found.value == pytest.approx(cohen_kappa_score(first, second), abs=1e-12)
    assert found.agreed == pytest.approx(np.mean(first == second))
    assert found.interval is not None
    assert found.interval[0] < found.value < found.interval[1]  # type: ignore[operator]


def test_the_interval_covers_the_true_kappa_about_as_often_as_it_says() -> None:
    generator = np.random.default_rng(1)
    # Both say yes to half by chance and agree on 80 %: the true kappa is 0.6.
    covered = 0
    for _ in range(200):
        first = generator.random(100) < 0.5
        second = np.where(generator.random(100) < 0.8, first, ~first)
        low, high = cohen_kappa(first, second).interval  # type: ignore[misc]
        covered += low <= 0.6 <= high
    assert 180 <= covered <= 200


def test_fleiss_kappa_by_hand() -> None:
    # Three readers, four recordings, yes by 3, 2, 0, 1: agreed pairs 1, 1/3, 1, 1/3, share 1/2.
    found = fleiss_kappa(np.array([3, 3, 3, 3]), np.array([3, 2, 0, 1]))
    assert found.value == pytest.approx((2 / 3 - 1 / 2) / (1 - 1 / 2))
    assert found.agreed == pytest.approx(2 / 3)


def test_fleiss_leaves_out_recordings_with_one_reader() -> None:
    with_lone = fleiss_kappa(np.array([2, 3, 1]), np.array([1, 3, 1]))
    without = fleiss_kappa(np.array([2, 3]), np.array([1, 3]))
    assert with_lone == without
    assert with_lone.recordings == 2


def test_no_kappa_where_chance_alone_agrees_always() -> None:
    nobody = np.zeros(5, dtype=bool)
    found = cohen_kappa(nobody, nobody)
    assert (found.value, found.interval, found.recordings, found.agreed) == (None, None, 5, 1.0)
    assert fleiss_kappa(np.array([1]), np.array([1])).recordings == 0


def test_kappas_of_labels_are_cohens_for_two_and_fleiss_for_three() -> None:
    two = {
        "ann": {"a": frozenset({"AFIB"}), "b": frozenset(), "c": frozenset({"AFIB"})},
        "bob": {"a": frozenset({"AFIB"}), "b": frozenset({"AFIB"}), "d": frozenset()},
    }
    found = label_kappas(two, ("AFIB", "NORM"))
    assert (found["AFIB"].recordings, found["AFIB"].value) == (2, 0.0)
    assert found["NORM"].value is None
    three = {**two, "eve": {"a": frozenset({"AFIB"})}}
    assert label_kappas(three, ("AFIB",))["AFIB"].recordings == 2
    assert label_kappas({"ann": {"a": frozenset()}, "bob": {}}, ("AFIB",))["AFIB"].recordings == 0


def test_each_person_is_held_against_what_was_settled_without_them() -> None:
    afib, norm = frozenset({"AFIB"}), frozenset({"NORM"})
    answers = {
        "ann": {"a": afib, "b": norm, "alone": afib},
        "bob": {"a": afib, "b": afib},
        "eve": {"a": afib | {"IMI"}, "b": norm},
    }
    found = {one.person: one for one in calibration(answers, {"b": norm})}
    # "a": ann and bob disagree with eve, so only eve has one answer to be held against.
    assert found["ann"] == Calibration("ann", 1, 1, 1, 0, 0)
    assert found["bob"] == Calibration("bob", 1, 0, 0, 1, 1)
    assert found["eve"] == Calibration("eve", 2, 1, 2, 0, 1)
    assert found["eve"].precision == pytest.approx(2 / 3)
    assert found["bob"].sensitivity == 0.0
    assert Calibration("x", 0, 0, 0, 0, 0).precision is None
