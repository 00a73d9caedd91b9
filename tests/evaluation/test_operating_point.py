"""What a threshold leads to: counts by hand, Wilson's interval, predictive values by Bayes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecgcore.evaluation.operating_point import operating_point, wilson

TARGET = np.array([1, 1, 1, 1, 0, 0, 0, 0, 0, 0], dtype=np.uint8)
SAID = np.array([0.9, 0.8, 0.5, 0.1, 0.7, 0.5, 0.4, 0.3, 0.2, 0.1], dtype=np.float32)


def test_counts_and_shares_by_hand() -> None:
    point = operating_point(TARGET, SAID, 0.5)
    counts = (
        point.true_positive, point.false_positive, point.false_negative, point.true_negative,
    )  # fmt: skip
    assert counts == (3, 2, 1, 4) and point.records == 10
    assert point.sensitivity.value == 0.75
    assert point.specificity.value == pytest.approx(4 / 6)
    assert point.false_positive_rate == pytest.approx(2 / 6)
    # At the records' own prevalence a predictive value is the plain share.
    assert point.prevalence == 0.4
    assert point.ppv.value == pytest.approx(3 / 5)
    assert point.npv.value == pytest.approx(4 / 5)


def test_a_threshold_belongs_to_its_yes() -> None:
    assert operating_point(TARGET, SAID, 0.7).false_positive == 1
    assert operating_point(TARGET, SAID, 0.71).false_positive == 0


def test_predictive_values_at_a_stated_prevalence() -> None:
    point = operating_point(TARGET, SAID, 0.5, prevalence=0.01)
    se, sp = 0.75, 4 / 6
    assert point.ppv.value == pytest.approx(se * 0.01 / (se * 0.01 + (1 - sp) * 0.99))
    assert point.npv.value == pytest.approx(sp * 0.99 / (sp * 0.99 + (1 - se) * 0.01))
    assert operating_point(TARGET, SAID, 0.5, prevalence=0.0).ppv.value == 0.0
    assert operating_point(TARGET, SAID, 0.5, prevalence=1.0).ppv.value == 1.0


def test_wilsons_interval() -> None:
    # Newcombe 1998, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29 (method 3, score).
    for count, of, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        told = wilson(count, of).interval
        assert told == pytest.approx((low, high), abs=5e-5)
    assert wilson(0, 0).value is None


@pytest.mark.parametrize(
    ("positives", "negatives", "se", "sp", "prevalence"),
    [(40, 150, 0.8, 0.9, 0.1), (15, 168, 0.9, 0.97, 0.01), (60, 120, 0.8, 0.9, 0.5)],
)
def test_the_interval_of_a_predictive_value_holds_the_truth_19_times_in_20(
    positives: int, negatives: int, se: float, sp: float, prevalence: float
) -> None:
    generator = np.random.default_rng(0)
    truth = se * prevalence / (se * prevalence + (1 - sp) * (1 - prevalence))
    target = np.repeat([1, 0], [positives, negatives]).astype(np.uint8)
    held = 0
    for _ in range(500):
        flagged = generator.random(len(target)) < np.where(target == 1, se, 1 - sp)
        point = operating_point(target, flagged.astype(np.float64), 0.5, prevalence)
        assert point.ppv.interval is not None
        held += point.ppv.interval[0] <= truth <= point.ppv.interval[1]
    assert 0.93 < held / 500 < 0.985


@given(
    st.lists(st.tuples(st.booleans(), st.floats(0, 1, width=32)), min_size=1, max_size=40),
    st.floats(0, 1),
    st.one_of(st.none(), st.floats(0, 1)),
)
def test_every_share_lies_in_its_interval_and_in_0_to_1(
    rows: list[tuple[bool, float]], threshold: float, prevalence: float | None
) -> None:
    target = np.array([there for there, _ in rows], dtype=np.uint8)
    said = np.array([value for _, value in rows], dtype=np.float32)
    point = operating_point(target, said, threshold, prevalence)
    for share in (point.sensitivity, point.specificity, point.ppv, point.npv):
        if share.value is None:
            assert share.interval is None
            continue
        assert share.interval is not None
        low, high = share.interval
        assert -1e-12 <= low <= share.value + 1e-12 <= high + 2e-12 <= 1 + 4e-12


def test_what_is_no_share_is_refused() -> None:
    for threshold, prevalence in ((1.5, 0.1), (0.5, -0.1), (float("nan"), 0.1)):
        with pytest.raises(ValueError, match=r"lie in 0\.\.1"):
            operating_point(TARGET, SAID, threshold, prevalence)
    with pytest.raises(ValueError, match="targets"):
        operating_point(TARGET[:0], SAID[:0], 0.5)
