"""What the hooks remember is what the network computed, and no second pass is made."""

from __future__ import annotations

import pytest
import torch

from ecgcore.training.objectives.distilled import Distilled
from ecgcore.training.objectives.teacher import FrozenTeacher
from ecgcore.training.objectives.watched import Watched, look
from tests.training.objectives.example import Small, records, step_of, value


def test_remembers_the_last_pass_with_its_gradients() -> None:
    network = Small(leads=1).eval()
    watched = Watched(network)
    whole, _ = records()
    network(whole[:2, [3]])
    logits = network(whole[:, [0]])
    seen = watched.seen(logits)
    torch.testing.assert_close(network.head(seen.features), logits)
    torch.testing.assert_close(seen.cam.mean(-1), seen.features)
    seen.cam.sum().backward()
    assert network.first.weight.grad is not None


def test_a_step_costs_the_student_one_pass() -> None:
    student = Small(leads=1)
    passes = []
    student.register_forward_hook(lambda *_: passes.append(1))
    student.first.register_forward_hook(lambda *_: passes.append(1))
    objective = Distilled(student, FrozenTeacher(Small(leads=12), range(12)), [])
    whole, targets = records()
    objective(step_of(student, torch.arange(5), whole, targets))
    assert len(passes) == 2


def test_without_a_pass_or_with_another_it_says_so() -> None:
    network = Small(leads=1)
    watched = Watched(network)
    with pytest.raises(RuntimeError, match="Small has had no forward pass since it is watched"):
        watched.seen(torch.zeros(5, 3))
    network(records()[0][:, [0]])
    with pytest.raises(RuntimeError, match="had 5 records and the logits have 4"):
        watched.seen(torch.zeros(4, 3))


def test_another_network_is_refused() -> None:
    objective = Distilled(Small(leads=1), FrozenTeacher(Small(leads=12), range(12)), [])
    whole, targets = records()
    with pytest.raises(ValueError, match="made for another network"):
        objective(step_of(Small(leads=1), torch.arange(5), whole, targets))


def test_a_look_leaves_no_trace() -> None:
    network = Small(leads=1)
    network.norm.eval()  # modes that differ are restored as they were
    before = {name: v.clone() for name, v in network.state_dict().items()}
    look(network, records()[0][:, [0]])
    assert network.training and network.dropout.training and not network.norm.training
    assert all(torch.equal(v, before[name]) for name, v in network.state_dict().items())
    assert not network.head._forward_pre_hooks and not network.last._forward_hooks


def test_without_lessons_the_labels_remain() -> None:
    student = Small(leads=1)
    objective = Distilled(student, FrozenTeacher(Small(leads=12), range(12)), [])
    whole, targets = records()
    step = step_of(student, torch.arange(5), whole, targets)
    expected = torch.nn.functional.binary_cross_entropy_with_logits(step.logits, targets)
    assert value(objective(step)) == value(expected)
    assert value(objective.of_labels(step.logits, targets)) == value(expected)
