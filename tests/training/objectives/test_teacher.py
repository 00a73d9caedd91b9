"""The teacher is frozen: weights, statistics, mode, gradients, state, after real training steps."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from ecgcore.models.hrnn import HRNN
from ecgcore.models.registry import build_network
from ecgcore.training.objectives.distilled import Distilled, Lesson
from ecgcore.training.objectives.soft_targets import MultilabelDistillation
from ecgcore.training.objectives.teacher import FrozenTeacher
from ecgcore.training.objectives.watched import Seen
from tests.training.objectives.example import Small, records, step_of

ALL = tuple(range(12))


class Everything(Lesson):
    """Uses all that a teacher gives, through weights that are trained."""

    def __init__(self) -> None:
        super().__init__()
        self.features, self.cam = nn.Linear(6, 6), nn.Conv1d(6, 6, 1)

    def forward(self, student: Seen, teacher: Seen, rows: Tensor) -> Tensor:
        distance = (self.features(student.features) - self.features(teacher.features)).square()
        map_ = (self.cam(student.cam) - self.cam(teacher.cam)).square()
        logits = (student.logits - teacher.logits).square()
        total: Tensor = distance.mean() + map_.mean() + logits.mean()
        return total


def snapshot(network: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}


def unchanged(network: nn.Module, before: dict[str, Tensor]) -> bool:
    return all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_training_changes_the_student_and_nothing_of_the_teacher() -> None:
    torch.manual_seed(0)
    given, student = Small(leads=12).train(), Small(leads=1)
    teacher = FrozenTeacher(given, ALL)
    objective = Distilled(student, teacher, [(1.0, Everything()), (1.0, MultilabelDistillation())])
    before, student_before = snapshot(teacher.network), snapshot(student)
    lesson_before = snapshot(objective)
    trained = [*student.parameters(), *objective.parameters()]
    optimiser = torch.optim.AdamW(trained, lr=0.05, weight_decay=0.1)
    whole, targets = records(8)
    answers = []
    for _ in range(5):
        student.train()
        objective.train()
        loss = objective(step_of(student, torch.arange(8), whole, targets))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        answers.append(teacher(whole).logits)
    assert unchanged(teacher.network, before)
    assert all(torch.equal(answer, answers[0]) for answer in answers)
    assert not any(
        torch.equal(value, student_before[name]) for name, value in student.state_dict().items()
    )
    moved = [k for k, v in objective.state_dict().items() if not torch.equal(v, lesson_before[k])]
    assert sorted(moved) == [
        f"lessons.0.{layer}.{part}" for layer in ("cam", "features") for part in ("bias", "weight")
    ]
    weights = list(teacher.network.parameters())
    assert not any(weight.requires_grad or weight.grad is not None for weight in weights)


def test_it_stays_in_eval_mode_through_every_way_to_train() -> None:
    teacher = FrozenTeacher(Small(leads=12), ALL)
    objective = Distilled(Small(leads=1), teacher, [])
    objective.train()
    teacher.train()
    assert not any(module.training for module in teacher.network.modules())
    whole, _ = records()
    first = teacher(whole)
    statistics = teacher.network.norm.running_mean.clone()
    teacher.network.train()  # someone reached for it
    second = teacher(whole)
    assert torch.equal(first.logits, second.logits)  # no drop-out
    assert torch.equal(teacher.network.norm.running_mean, statistics)


def test_it_gives_no_gradient_to_what_it_saw() -> None:
    teacher = FrozenTeacher(Small(leads=12), ALL)
    whole, _ = records()
    seen = teacher(whole.requires_grad_())
    assert not any(t.requires_grad for t in (seen.logits, seen.features, seen.cam))


def test_it_is_a_copy() -> None:
    given = Small(leads=12)
    teacher = FrozenTeacher(given, ALL)
    before = snapshot(teacher.network)
    with torch.no_grad():
        given.head.weight.add_(1.0)
    assert unchanged(teacher.network, before)
    assert given.head.weight.requires_grad and given.training


def test_it_is_left_out_of_parameters_and_state_but_for_its_fingerprint() -> None:
    objective = Distilled(Small(leads=1), FrozenTeacher(Small(leads=12), ALL), [])
    assert list(objective.parameters()) == []
    assert list(objective.state_dict()) == ["teacher.fingerprint"]


def test_a_run_does_not_go_on_with_another_teacher() -> None:
    torch.manual_seed(0)
    given = Small(leads=12)
    kept = FrozenTeacher(given, ALL).state_dict()
    FrozenTeacher(given, ALL).load_state_dict(kept)
    with torch.no_grad():
        given.norm.running_var.mul_(2.0)
    with pytest.raises(RuntimeError, match="the run had another teacher"):
        FrozenTeacher(given, ALL).load_state_dict(kept)


def test_it_follows_moves_between_types_and_devices() -> None:
    objective = Distilled(Small(leads=1), FrozenTeacher(Small(leads=12), ALL), [])
    objective.double()
    assert {p.dtype for p in objective.teacher.network.parameters()} == {torch.float64}
    objective.to("meta")
    assert {p.device.type for p in objective.teacher.network.parameters()} == {"meta"}
    assert not any(p.requires_grad for p in objective.teacher.network.parameters())


def test_it_sees_the_rows_it_was_given_in_their_order() -> None:
    torch.manual_seed(0)
    network = Small(leads=2).eval()
    whole, _ = records()
    seen = FrozenTeacher(network, (7, 3))(whole)
    with torch.no_grad():
        torch.testing.assert_close(seen.logits, network(whole[:, [7, 3]]))
        torch.testing.assert_close(seen.features, network.features(whole[:, [7, 3]]))
    assert seen.cam.shape == (5, 6, 20)


def test_wrong_rows_are_refused() -> None:
    for rows in ((), (-1,)):
        with pytest.raises(ValueError, match="give the place, from 0, of each of its leads"):
            FrozenTeacher(Small(leads=1), rows)
    teacher = FrozenTeacher(Small(leads=1), (11,))
    with pytest.raises(ValueError, match=r"rows \[11\] and 1 leads were loaded"):
        teacher(records()[0][:, [0]])


def test_a_teacher_that_is_told_things_aside_is_told_them() -> None:
    torch.manual_seed(0)
    options = {"blocks": [1], "channels": [4], "rules": ["LAD", "", ""]}
    network = build_network("hrnn", leads=12, labels=3, options=options)
    assert isinstance(network, HRNN)
    teacher = FrozenTeacher(network, ALL)
    whole, _ = records()
    told = torch.full((5, 17), 1.0)
    assert not torch.equal(teacher(whole, told).logits, teacher(whole).logits)
    plain = FrozenTeacher(Small(leads=12), ALL)
    assert torch.equal(plain(whole, told).logits, plain(whole).logits)


@pytest.mark.parametrize("name", ["ecgencode_m2", "inception", "mlwgat", "classifier_chain"])
def test_registered_networks_can_teach(name: str) -> None:
    """Also one that keeps leads apart only in its published order, and heads of other kinds."""
    torch.manual_seed(0)
    network = build_network(name, leads=2, labels=3).eval()
    whole = torch.randn(2, 2, 5000)
    seen = FrozenTeacher(network, (0, 1))(whole)
    with torch.no_grad(), network.as_published():
        torch.testing.assert_close(seen.logits, network(whole))
    assert seen.features.shape == (2, network.head.in_features)
    assert seen.cam.ndim == 3 and len(seen.cam) == 2
