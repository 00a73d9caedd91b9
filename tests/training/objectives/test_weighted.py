"""The class-weighted cross-entropy by hand and against the printed formula."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ecgcore.training.objectives.labels import binary_cross_entropy
from ecgcore.training.objectives.weighted import class_weights, weighted_binary_cross_entropy


def test_weights_are_all_records_over_those_with_the_label_and_1_where_none_has_it() -> None:
    targets = torch.tensor([[1.0, 0, 1], [0, 0, 1], [0, 0, 1], [0, 0, 1]])
    assert class_weights(targets).tolist() == [4.0, 1.0, 1.0]


def test_loss_by_hand() -> None:
    """p = 0.75 and 0.2: record 1 costs 4 log(4/3) + log(5/4), record 2 log 4 + 2 log 5."""
    logits = torch.tensor([[math.log(3), -math.log(4)]] * 2, dtype=torch.float64)
    targets = torch.tensor([[1.0, 0.0], [0.0, 1.0]], dtype=torch.float64)
    loss = weighted_binary_cross_entropy(torch.tensor([4.0, 2.0], dtype=torch.float64))
    first = 4 * math.log(4 / 3) + math.log(5 / 4)
    second = math.log(4) + 2 * math.log(5)
    assert float(loss(logits, targets)) == pytest.approx((first + second) / 2, rel=1e-12)


@given(
    st.lists(st.floats(-30, 30), min_size=6, max_size=6),
    st.lists(st.booleans(), min_size=6, max_size=6),
)
def test_weights_of_1_make_the_plain_cross_entropy(logits: list[float], on: list[bool]) -> None:
    answers = torch.tensor(logits, dtype=torch.float64).reshape(3, 2)
    targets = torch.tensor(on, dtype=torch.float64).reshape(3, 2)
    loss = weighted_binary_cross_entropy(torch.ones(2))(answers, targets)
    plain = 2 * binary_cross_entropy(answers, targets)  # a sum over labels instead of a mean
    assert float(loss) == pytest.approx(float(plain), rel=1e-9, abs=1e-12)


def test_answers_far_off_cost_a_finite_amount_and_pass_a_finite_gradient() -> None:
    logits = torch.tensor([[-200.0, 200.0]], requires_grad=True)
    loss = weighted_binary_cross_entropy(torch.tensor([1000.0, 1.0]))
    loss(logits, torch.tensor([[1.0, 0.0]])).backward()
    assert logits.grad is not None and torch.isfinite(logits.grad).all()
