"""Distillation of answers against slow plain references, and its invariants."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from ecgcore.training.objectives.distilled import Lesson
from ecgcore.training.objectives.soft_targets import MultilabelDistillation, SoftmaxDistillation
from ecgcore.training.objectives.watched import Seen

ROWS = torch.arange(4)
logits_strategy = st.lists(st.floats(-20, 20), min_size=12, max_size=12)


def seen(logits: Tensor) -> Seen:
    return Seen(logits, torch.zeros(len(logits), 1), torch.zeros(len(logits), 1, 2))


def lesson_value(lesson: Lesson, student: Tensor, teacher: Tensor) -> float:
    return float(lesson(seen(student), seen(teacher), ROWS[: len(student)]))


def some() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    student, teacher = torch.randn(2, 4, 3, generator=generator, dtype=torch.float64) * 3
    return student, teacher


def test_multilabel_equals_equations_7_and_8() -> None:
    student, teacher = some()
    t, total = 1.5, 0.0
    for record in range(4):
        for label in range(3):
            q = []
            for logits in (teacher, student):
                p = 1 / (1 + math.exp(-float(logits[record, label])))
                yes, no = math.exp(p / t), math.exp((1 - p) / t)
                q.append((yes / (yes + no), no / (yes + no)))
            total += sum(a * math.log(a / b) for a, b in zip(*q, strict=True))
    expected = t**2 * total / 4
    assert lesson_value(MultilabelDistillation(), student, teacher) == pytest.approx(expected)


def test_softmax_equals_hintons_formula() -> None:
    student, teacher = some()
    t = 2.0

    def softmax(logits: Tensor) -> np.ndarray:
        powers = np.exp(logits.numpy() / t)
        return np.asarray(powers / powers.sum(1, keepdims=True))

    q, p = softmax(teacher), softmax(student)
    expected = t**2 * float((q * np.log(q / p)).sum(1).mean())
    assert lesson_value(SoftmaxDistillation(t), student, teacher) == pytest.approx(expected)


def test_multilabel_by_hand() -> None:
    """A certain teacher and a student at 0.5: q is s(1/t) against 1/2."""
    q = 1 / (1 + math.exp(-1 / 1.5))
    expected = 2.25 * (q * math.log(2 * q) + (1 - q) * math.log(2 * (1 - q)))
    got = lesson_value(MultilabelDistillation(), torch.zeros(1, 1), torch.full((1, 1), 100.0))
    assert got == pytest.approx(expected, rel=1e-5)


@given(logits_strategy, logits_strategy)
def test_never_negative_and_nothing_for_the_teachers_own_answer(
    first: list[float], second: list[float]
) -> None:
    student = torch.tensor(first, dtype=torch.float64).reshape(4, 3)
    teacher = torch.tensor(second, dtype=torch.float64).reshape(4, 3)
    for lesson in (MultilabelDistillation(), SoftmaxDistillation()):
        assert lesson_value(lesson, student, teacher) >= -1e-12
        assert lesson_value(lesson, teacher, teacher) == pytest.approx(0, abs=1e-12)


@given(logits_strategy, logits_strategy)
def test_yes_and_no_count_alike(first: list[float], second: list[float]) -> None:
    student = torch.tensor(first, dtype=torch.float64).reshape(4, 3)
    teacher = torch.tensor(second, dtype=torch.float64).reshape(4, 3)
    lesson = MultilabelDistillation()
    there = lesson_value(lesson, student, teacher)
    assert lesson_value(lesson, -student, -teacher) == pytest.approx(there, abs=1e-12)


def test_labels_are_summed_and_records_averaged() -> None:
    student, teacher = some()
    lesson = MultilabelDistillation()
    once = lesson_value(lesson, student, teacher)
    twice = lesson_value(lesson, student.repeat(1, 2), teacher.repeat(1, 2))
    assert twice == pytest.approx(2 * once)
    assert lesson_value(lesson, student[:2], teacher[:2]) / 2 + lesson_value(
        lesson, student[2:], teacher[2:]
    ) / 2 == pytest.approx(once)


def test_gradients_pull_the_student_towards_the_teacher() -> None:
    for lesson in (MultilabelDistillation(), SoftmaxDistillation()):
        student = torch.zeros(1, 2, requires_grad=True)
        lesson(seen(student), seen(torch.tensor([[2.0, -2.0]])), ROWS[:1]).backward()
        assert student.grad is not None
        assert student.grad[0, 0] < 0 < student.grad[0, 1]


def test_other_labels_and_no_temperature_are_refused() -> None:
    with pytest.raises(ValueError, match="student has 3 labels and the teacher 2"):
        lesson_value(MultilabelDistillation(), torch.zeros(4, 3), torch.zeros(4, 2))
    for lesson in (MultilabelDistillation, SoftmaxDistillation):
        with pytest.raises(ValueError, match="temperature 0"):
            lesson(0)
