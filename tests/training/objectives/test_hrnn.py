"""HRNN's two-part loss against Equations 5 and 6, written out in NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from ecgcore.models.aside import PAPER_RULES
from ecgcore.models.hrnn import HRNN
from ecgcore.models.registry import build_network
from ecgcore.training.objectives import Step
from ecgcore.training.objectives.hrnn import HrnnLoss
from tests.training.objectives.example import Small, records, step_of, value

WEIGHTS = torch.tensor([2.0, 5.0, 1.5])
RULES = ("", "LAD", "TACH")


def network() -> HRNN:
    torch.manual_seed(0)
    options = {"blocks": [1], "channels": [4], "rules": list(RULES)}
    built = build_network("hrnn", leads=12, labels=3, options=options)
    assert isinstance(built, HRNN)
    return built


def aside_of(found: list[list[float]]) -> Tensor:
    """Aside values of records in which LAD and TACH were found as given."""
    rows = torch.full((len(found), 2 + len(PAPER_RULES)), torch.nan)
    for name, column in zip(("LAD", "TACH"), (0, 1), strict=True):
        rows[:, 2 + PAPER_RULES.index(name)] = torch.tensor([record[column] for record in found])
    return rows


def step(built: HRNN, found: list[list[float]]) -> Step:
    whole, targets = records(len(found))
    aside = aside_of(found)
    logits = built(whole, aside)
    return Step(torch.arange(len(found)), whole, whole, targets, logits, built, aside)


def test_equals_the_printed_equations() -> None:
    nan = float("nan")
    taken = step(network(), [[1, 0], [nan, 1], [0, nan], [nan, nan]])
    p = 1 / (1 + np.exp(-taken.logits.detach().double().numpy()))
    y, w = taken.targets.double().numpy(), WEIGHTS.double().numpy()
    rules = np.array([[0, 1, 0], [0, 0, 1], [0, 0, 0], [0, 0, 0]])
    decided = np.array([[0, 1, 1], [0, 0, 1], [0, 1, 0], [0, 0, 0]])

    def equation_5(truth: np.ndarray, counted: np.ndarray) -> float:
        terms = w * truth * np.log(p) + (1 - truth) * np.log(1 - p)
        return float(-(terms * counted).sum(1).mean())

    for lambda_ in (0.0, 1.0, 0.3):
        expected = equation_5(y, np.ones_like(y)) + lambda_ * equation_5(rules, decided)
        assert value(HrnnLoss(WEIGHTS, lambda_)(taken)) == pytest.approx(expected, rel=1e-5)


def test_validation_sees_the_labels_part() -> None:
    taken = step(network(), [[1, 0], [0, 1]])
    whole = HrnnLoss(WEIGHTS, 1.0)
    of_labels = whole.of_labels(taken.logits, taken.targets)
    assert value(of_labels) == value(HrnnLoss(WEIGHTS, 0.0)(taken))
    assert value(of_labels) < value(whole(taken))


def test_undecided_rules_guide_nothing() -> None:
    nan = float("nan")
    taken = step(network(), [[nan, nan]] * 3)
    assert value(HrnnLoss(WEIGHTS, 1.0)(taken)) == value(HrnnLoss(WEIGHTS, 0.0)(taken))


def test_both_learners_and_their_trust_are_taught() -> None:
    built = network()
    HrnnLoss(WEIGHTS)(step(built, [[1, 0], [0, 1]])).backward()
    assert built.trust.grad is not None and built.trust.grad[1:].abs().min() > 0
    head = built.head
    assert isinstance(head, torch.nn.Linear)
    assert head.weight.grad is not None and head.weight.grad.abs().max() > 0


def test_the_weights_are_kept_and_not_trained() -> None:
    loss = HrnnLoss(WEIGHTS)
    assert list(loss.parameters()) == []
    assert torch.equal(loss.state_dict()["weights"], WEIGHTS)


def test_a_network_without_rules_and_a_negative_lambda_are_refused() -> None:
    whole, targets = records()
    small = Small(leads=12)
    with pytest.raises(TypeError, match="Small has none; train the network 'hrnn'"):
        HrnnLoss(WEIGHTS)(step_of(small, torch.arange(5), whole, targets, lead=None))
    with pytest.raises(ValueError, match=r"lambda -1; give 0"):
        HrnnLoss(WEIGHTS, -1)
