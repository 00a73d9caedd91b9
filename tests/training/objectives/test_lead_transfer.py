"""CLT and its memory against a slow plain reference over several steps, and MVKT-ECG's sum."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from ecgcore.training.objectives.contrastive_memory import ContrastiveMemory, contrastive_loss
from ecgcore.training.objectives.lead_transfer import LeadTransfer, LeadTransferOptions
from ecgcore.training.objectives.mvkt import MvktLoss
from ecgcore.training.objectives.projection import Projection
from ecgcore.training.objectives.soft_targets import MultilabelDistillation, SoftmaxDistillation
from ecgcore.training.objectives.teacher import FrozenTeacher
from tests.training.objectives.example import Small, records, step_of, value

RECORDS, SIZE, NEGATIVES = 9, 4, 6


def memory(seed: int = 0, momentum: float = 0.5) -> ContrastiveMemory:
    return ContrastiveMemory(
        RECORDS, SIZE, negatives=NEGATIVES, temperature=0.07, momentum=momentum, seed=seed
    )


def units(count: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return functional.normalize(torch.randn(count, SIZE, generator=generator), dim=1)


class Plain:
    """The published text, record by record, in NumPy."""

    def __init__(self, banks: tuple[np.ndarray, np.ndarray]) -> None:
        self.banks = [bank.copy() for bank in banks]
        self.constants: list[float] = []

    def step(self, projections: list[np.ndarray], rows: list[int], negatives: np.ndarray) -> float:
        t, n = 0.07, RECORDS
        scores = []
        for anchors, bank in zip(projections, reversed(self.banks), strict=True):
            scores.append(
                [
                    [math.exp(float(v @ bank[j]) / t) for j in (row, *others)]
                    for v, row, others in zip(anchors, rows, negatives, strict=True)
                ]
            )
        if not self.constants:
            self.constants = [float(np.mean(score)) * n for score in scores]
        loss = 0.0
        for score, z in zip(scores, self.constants, strict=True):
            for positive, *others in score:
                p = positive / z
                loss -= math.log(p / (p + NEGATIVES / n))
                for other in others:
                    p = other / z
                    loss -= math.log((NEGATIVES / n) / (p + NEGATIVES / n))
        for bank, anchors in zip(self.banks, projections, strict=True):
            for v, row in zip(anchors, rows, strict=True):
                moved = 0.5 * bank[row] + 0.5 * v
                bank[row] = moved / math.sqrt(float((moved**2).sum()))
        return loss / len(rows)


def negatives_of(kept: ContrastiveMemory, rows: Tensor) -> np.ndarray:
    """Those that the next step will draw."""
    twin = memory()
    twin.load_state_dict(kept.state_dict())
    return twin._draw(rows).numpy()


def test_equals_the_publication_over_several_steps() -> None:
    kept = memory()
    plain = Plain((kept.students.double().numpy(), kept.teachers.double().numpy()))
    for step, rows in enumerate(([0, 4, 2], [8, 4, 1], [2, 0, 8])):
        batch = torch.tensor(rows)
        student, teacher = units(3, 2 * step), units(3, 2 * step + 1)
        negatives = negatives_of(kept, batch)
        expected = plain.step([student.double().numpy(), teacher.double().numpy()], rows, negatives)
        first, second = kept(student, teacher, batch)
        got = contrastive_loss(first) + contrastive_loss(second)
        assert float(got) == pytest.approx(expected, rel=1e-4)
        for bank, reference in zip((kept.students, kept.teachers), plain.banks, strict=True):
            np.testing.assert_allclose(bank.numpy(), reference, atol=1e-6)
        assert kept.constants.tolist() == pytest.approx(plain.constants, rel=1e-4)


def test_loss_by_hand() -> None:
    """h = 3/4 of the positive, 1/4 and 1/2 of the negatives."""
    logits = torch.tensor([[math.log(3), -math.log(3), 0.0]])
    expected = -math.log(3 / 4) - math.log(3 / 4) - math.log(1 / 2)
    assert float(contrastive_loss(logits)) == pytest.approx(expected)


@given(st.integers(2, 40), st.integers(0, 1000))
def test_negatives_are_other_records(count: int, seed: int) -> None:
    kept = ContrastiveMemory(count, 2, negatives=30, temperature=0.07, momentum=0.5, seed=seed)
    rows = torch.arange(count)
    drawn = kept._draw(rows)
    assert drawn.shape == (count, 30)
    assert int(drawn.min()) >= 0 and int(drawn.max()) < count
    assert not (drawn == rows[:, None]).any()


def test_negatives_are_uniform_over_the_others() -> None:
    kept = ContrastiveMemory(5, 2, negatives=40000, temperature=0.07, momentum=0.5, seed=3)
    counts = torch.bincount(kept._draw(torch.tensor([2]))[0], minlength=5)
    assert counts[2] == 0
    assert counts[[0, 1, 3, 4]].float().sub(10000).abs().max() < 400  # over four deviations


def test_each_step_draws_anew() -> None:
    kept = memory()
    assert not torch.equal(kept._draw(torch.arange(5)), kept._draw(torch.arange(5)))


def test_memory_starts_alike_for_a_seed_and_differently_for_another() -> None:
    assert torch.equal(memory(1).students, memory(1).students)
    assert not torch.equal(memory(1).students, memory(2).students)
    assert float(memory().students.abs().max()) <= 1 / math.sqrt(SIZE / 3)


def test_a_resumed_run_goes_on_exactly() -> None:
    whole, other = memory(), memory(seed=7)
    rows = torch.tensor([0, 3])
    whole(units(2, 0), units(2, 1), rows)
    other.load_state_dict({name: v.clone() for name, v in whole.state_dict().items()})
    torch.rand(5)  # the run's own draws are no matter
    for step in range(3):
        first = whole(units(2, step), units(2, step + 9), rows)
        second = other(units(2, step), units(2, step + 9), rows)
        assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    assert all(torch.equal(v, other.state_dict()[k]) for k, v in whole.state_dict().items())


def test_a_step_leaves_the_global_random_state_alone() -> None:
    before = torch.get_rng_state()
    memory()(units(2, 0), units(2, 1), torch.tensor([0, 3]))
    assert torch.equal(torch.get_rng_state(), before)


def test_a_record_held_twice_moves_once_by_the_mean() -> None:
    kept = memory()
    old = kept.students[5].clone()
    student = units(3, 0)
    kept(student, units(3, 1), torch.tensor([5, 1, 5]))
    moved = 0.5 * old + 0.5 * (student[0] + student[2]) / 2
    torch.testing.assert_close(kept.students[5], functional.normalize(moved, dim=0))


def test_memory_rests_in_eval_and_passes_no_gradient_into_the_banks() -> None:
    kept = memory().eval()
    before = kept.students.clone()
    student = units(2, 0).requires_grad_()
    first, second = kept(student, units(2, 1), torch.tensor([0, 3]))
    (contrastive_loss(first) + contrastive_loss(second)).backward()
    assert torch.equal(kept.students, before)
    assert student.grad is not None and not kept.students.requires_grad


def test_projections_are_two_dense_layers_of_length_1() -> None:
    torch.manual_seed(0)
    projection = Projection(6, 128)
    sizes = [tuple(weight.shape) for weight in projection.parameters()]
    assert sizes == [(128, 6), (128,), (128, 128), (128,)]
    lengths = projection(torch.randn(4, 6)).norm(dim=1)
    torch.testing.assert_close(lengths, torch.ones(4))


def test_wrong_numbers_are_refused() -> None:
    for records_, negatives in ((1, 5), (5, 0)):
        with pytest.raises(ValueError, match="give 2 and 1 or more"):
            ContrastiveMemory(
                records_, 2, negatives=negatives, temperature=0.07, momentum=0.5, seed=0
            )
    for temperature, momentum in ((0, 0.5), (0.07, 1.0)):
        with pytest.raises(ValueError, match="give one above 0 and one in"):
            ContrastiveMemory(5, 2, negatives=5, temperature=temperature, momentum=momentum, seed=0)


def mvkt(**weights: float) -> tuple[Small, MvktLoss]:
    torch.manual_seed(0)
    student = Small(leads=1, channels=5)
    teacher = FrozenTeacher(Small(leads=12, channels=7), range(12))
    transfer = LeadTransferOptions(size=8, negatives=16)
    return student, MvktLoss(student, teacher, 20, transfer=transfer, **weights)


def test_mvkt_is_labels_plus_mkd_plus_four_fifths_clt() -> None:
    student, objective = mvkt()
    _, twin = mvkt()
    whole, targets = records()
    step = step_of(student, torch.arange(5), whole, targets)
    learnt, taught = objective.watched.seen(step.logits), objective.teacher(whole)
    clt = twin.lessons[1]
    assert isinstance(clt, LeadTransfer)
    expected = (
        objective.of_labels(step.logits, targets)
        + 1.0 * MultilabelDistillation()(learnt, taught, step.rows)
        + 0.8 * clt(learnt, taught, step.rows)
    )
    loss = objective(step)
    assert value(loss) == pytest.approx(value(expected))
    loss.backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in objective.parameters())
    assert all(p.grad is not None for p in student.parameters())


def test_the_papers_numbers_are_the_defaults() -> None:
    options = LeadTransferOptions()
    assert (options.size, options.negatives, options.temperature) == (128, 1024, 0.07)
    assert options.momentum == 0.5
    _, objective = mvkt()
    assert objective.weights == (1.0, 0.8)


def test_ablations_leave_parts_out() -> None:
    _, labels_alone = mvkt(mkd=0, clt=0)
    assert len(labels_alone.lessons) == 0
    _, no_clt = mvkt(clt=0)
    assert [type(lesson) for lesson in no_clt.lessons] == [MultilabelDistillation]
    _, classical = mvkt(classical=True)
    assert type(classical.lessons[0]) is SoftmaxDistillation
    with pytest.raises(ValueError, match="weights -1 of MKD"):
        mvkt(mkd=-1)


def test_training_draws_the_records_features_together() -> None:
    student, objective = mvkt(mkd=0)
    whole, targets = records(20)
    rows = torch.arange(20)
    optimiser = torch.optim.Adam([*student.parameters(), *objective.parameters()], lr=0.01)
    losses = []
    for _ in range(60):
        loss = objective(step_of(student, rows, whole, targets))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(value(loss))
    assert np.mean(losses[-5:]) < 0.8 * np.mean(losses[:5])
