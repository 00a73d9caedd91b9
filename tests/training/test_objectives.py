"""Objectives against slow plain references and by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from ecgcore.training.objectives import (
    binary_cross_entropy,
    categorical_focal,
    double_soft_f1,
    focal,
    objective,
)


@pytest.fixture
def batch() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(6, 4, generator=generator, dtype=torch.float64)
    return logits, (torch.rand(6, 4, generator=generator) < 0.4).double()


def test_focal_equals_the_formula(batch: tuple[Tensor, Tensor]) -> None:
    logits, targets = batch
    alpha, gamma = [0.2, 0.5, 0.9, 0.25], 2.0
    total = 0.0
    for i in range(6):
        for j in range(4):
            p = 1 / (1 + math.exp(-float(logits[i, j])))
            p_t = p if targets[i, j] else 1 - p
            alpha_t = alpha[j] if targets[i, j] else 1 - alpha[j]
            total -= alpha_t * (1 - p_t) ** gamma * math.log(p_t)
    loss = focal(torch.tensor(alpha, dtype=torch.float64), gamma)(logits, targets)
    assert float(loss) == pytest.approx(total / 24, rel=1e-12)


def test_focal_without_focus_is_half_the_cross_entropy(batch: tuple[Tensor, Tensor]) -> None:
    loss = focal(0.5, 0.0)(*batch)
    assert float(loss) == pytest.approx(float(binary_cross_entropy(*batch)) / 2, rel=1e-12)


def test_categorical_focal_equals_the_formula() -> None:
    logits = torch.tensor([[1.0, -1.0], [0.5, 2.0]], dtype=torch.float64)
    targets = torch.tensor([[1.0, 0.0], [1.0, 0.0]], dtype=torch.float64)
    first, second = 1 / (1 + math.exp(-2)), 1 / (1 + math.exp(1.5))
    expected = sum(-0.25 * (1 - p) ** 2 * math.log(p) for p in (first, second)) / 2
    assert float(categorical_focal()(logits, targets)) == pytest.approx(expected, rel=1e-12)


def test_double_soft_f1_equals_the_formula(batch: tuple[Tensor, Tensor]) -> None:
    logits, targets = batch
    losses = []
    for j in range(4):
        p = [1 / (1 + math.exp(-float(v))) for v in logits[:, j]]
        y = [float(v) for v in targets[:, j]]
        tp = sum(a * b for a, b in zip(p, y, strict=True))
        fp = sum(a * (1 - b) for a, b in zip(p, y, strict=True))
        fn = sum((1 - a) * b for a, b in zip(p, y, strict=True))
        tn = sum((1 - a) * (1 - b) for a, b in zip(p, y, strict=True))
        positive = 1 - 2 * tp / (2 * tp + fp + fn)
        negative = 1 - 2 * tn / (2 * tn + fp + fn)
        losses.append((positive + negative) / 2)
    assert float(double_soft_f1(logits, targets)) == pytest.approx(sum(losses) / 4, rel=1e-9)


def test_perfect_answers_cost_nothing_and_extreme_logits_stay_finite() -> None:
    targets = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    right = (targets * 2 - 1) * 80
    for name in ("bce", "focal", "categorical_focal", "double_soft_f1"):
        loss = objective(name)
        assert float(loss(right, targets)) == pytest.approx(0, abs=1e-6)
        wrong = (-right).requires_grad_()
        loss(wrong, targets).backward()
        assert wrong.grad is not None and torch.isfinite(wrong.grad).all()


def test_an_unknown_objective_lists_the_known() -> None:
    with pytest.raises(ValueError, match=r"unknown objective 'hinge'; known: bce, focal"):
        objective("hinge")
