"""Hints and attention transfer against slow plain references, and their invariants."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from ecgcore.models.registry import build_network
from ecgcore.training.objectives.attention_transfer import (
    ATTENTION_WEIGHT,
    AttentionTransfer,
    attention,
    attention_loss,
)
from ecgcore.training.objectives.hints import HINT_WEIGHT, Hints, at_times, fitnet_loss
from ecgcore.training.objectives.soft_targets import SoftmaxDistillation
from ecgcore.training.objectives.teacher import FrozenTeacher
from ecgcore.training.objectives.watched import Seen, look
from tests.training.objectives.example import SAMPLES, Small, records, step_of, value

ROWS = torch.arange(2)


def seen(map_: Tensor) -> Seen:
    return Seen(torch.zeros(len(map_), 1), torch.zeros(len(map_), 1), map_)


def maps(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))


def interpolated(row: np.ndarray, times: int) -> np.ndarray:
    """Linear interpolation between the middles of equal parts of the duration."""
    middles = (np.arange(len(row)) + 0.5) / len(row)
    return np.interp((np.arange(times) + 0.5) / times, middles, row)


def test_hints_equal_the_formula() -> None:
    torch.manual_seed(0)
    lesson = Hints(3, 4)
    student, teacher = maps(2, 3, 5), maps(2, 4, 9)
    weight = lesson.regressor.weight.detach().numpy()[:, :, 0]
    bias = lesson.regressor.bias.detach().numpy()
    total = 0.0
    for record in range(2):
        for channel in range(4):
            regressed = weight[channel] @ student[record].numpy() + bias[channel]
            wrong = interpolated(regressed, 9) - teacher[record, channel].numpy()
            total += float((wrong**2).sum())
    got = value(lesson(seen(student), seen(teacher), ROWS))
    assert got == pytest.approx(total / (2 * 4 * 9), rel=1e-5)


def test_attention_equals_the_formula() -> None:
    student, teacher = maps(2, 3, 5), maps(2, 4, 9)
    total = 0.0
    for record in range(2):
        looked = []
        for map_ in (student[record].numpy(), teacher[record].numpy()):
            squares = interpolated((map_.astype(np.float64) ** 2).sum(0), 9)
            looked.append(squares / math.sqrt((squares**2).sum()))
        total += float(((looked[0] - looked[1]) ** 2).sum())
    got = value(AttentionTransfer()(seen(student), seen(teacher), ROWS))
    assert got == pytest.approx(total / (2 * 9), rel=1e-5)


def test_attention_by_hand() -> None:
    """Squares 9 + 16 = 25 and 0; a teacher with 0 and 1: (1, 0) against (0, 1)."""
    student = torch.tensor([[[3.0, 0.0], [4.0, 0.0]]])
    teacher = torch.tensor([[[0.0, -1.0]]])
    assert attention(student, 2).tolist() == [[1.0, 0.0]]
    assert value(AttentionTransfer()(seen(student), seen(teacher), ROWS)) == 1.0


@given(
    st.floats(0.01, 100),
    st.permutations([0, 1, 2]),
    st.lists(st.booleans(), min_size=3, max_size=3),
)
def test_attention_minds_neither_scale_nor_sign_nor_order_of_channels(
    scale: float, order: list[int], flipped: list[bool]
) -> None:
    map_ = maps(2, 3, 7)
    signs = torch.tensor([-1.0 if flip else 1.0 for flip in flipped])[:, None]
    changed = (map_ * signs * scale)[:, order]
    torch.testing.assert_close(attention(changed, 7), attention(map_, 7))
    assert value(AttentionTransfer()(seen(changed), seen(map_), ROWS)) == pytest.approx(
        0, abs=1e-12
    )


def test_a_silent_map_has_a_finite_gradient() -> None:
    student = torch.zeros(2, 3, 5, requires_grad=True)
    AttentionTransfer()(seen(student), seen(maps(2, 4, 9)), ROWS).backward()
    assert student.grad is not None and torch.isfinite(student.grad).all()


@given(st.integers(2, 12), st.integers(2, 12), st.floats(-5, 5))
def test_a_constant_map_stays_constant_at_any_times(times: int, others: int, level: float) -> None:
    changed = at_times(torch.full((1, 2, times), level), others)
    torch.testing.assert_close(changed, torch.full((1, 2, others), level))


def test_both_losses_are_labels_answers_and_maps_by_their_weights() -> None:
    torch.manual_seed(0)
    teacher = FrozenTeacher(Small(leads=12, channels=7), range(12))
    whole, targets = records()
    for kind, weight in (("hints", HINT_WEIGHT), ("attention", ATTENTION_WEIGHT)):
        student = Small(leads=1, stride=4)
        if kind == "hints":
            objective = fitnet_loss(student, teacher, leads=1, samples=SAMPLES)
        else:
            objective = attention_loss(student, teacher)
        step = step_of(student, torch.arange(5), whole, targets)
        learnt, taught = objective.watched.seen(step.logits), teacher(whole)
        assert learnt.cam.shape == (5, 6, 10) and taught.cam.shape == (5, 7, 20)
        expected = (
            objective.of_labels(step.logits, targets)
            + SoftmaxDistillation()(learnt, taught, step.rows)
            + weight * objective.lessons[1](learnt, taught, step.rows)
        )
        assert value(objective(step)) == pytest.approx(value(expected))
        objective(step).backward()
        assert student.first.weight.grad is not None
        assert all(weight.grad is not None for weight in objective.parameters())


def test_leads_that_the_layer_keeps_apart_count_as_channels() -> None:
    torch.manual_seed(0)
    network = build_network("ecgencode_m1", leads=2, labels=3)
    x = torch.randn(2, 2, 5000)
    kept = look(network, x).cam
    assert kept.shape[1] % 2 == 0
    student = build_network("inception", leads=1, labels=3)
    objective = fitnet_loss(student, FrozenTeacher(network, (0, 1)), leads=1, samples=5000)
    assert objective.lessons[1].regressor.out_channels == kept.shape[1]
