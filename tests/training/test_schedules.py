"""Learning rates against PyTorch's own schedulers."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgcore.training.checkpoint import Progress
from ecgcore.training.options import TrainOptions
from ecgcore.training.schedules import (
    learning_rate,
    one_cycle,
    reduce_on_plateau,
    warm_restarts,
    warmup_cosine,
)

OPTIONS = TrainOptions(network="inception", label_set="superclasses", learning_rate=0.5)


def _optimiser(rate: float = 1.0) -> torch.optim.SGD:
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=rate)


def test_one_cycle_rises_and_falls() -> None:
    assert one_cycle(0.0) == pytest.approx(1 / 25)
    assert one_cycle(0.25) == pytest.approx(1)
    assert one_cycle(1.0) == pytest.approx(1e-4)


def test_a_constant_rate_is_the_factor_of_the_run() -> None:
    assert learning_rate(OPTIONS, Progress(rate_factor=0.1), 10) == pytest.approx(0.05)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(first=st.integers(1, 12), factor=st.integers(1, 3), epoch=st.integers(0, 400))
def test_warm_restarts_are_those_of_torch(first: int, factor: int, epoch: int) -> None:
    optimiser = _optimiser()
    optimiser.step()
    reference = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimiser, first, factor)
    when = epoch / 8
    reference.step(when)
    expected = optimiser.param_groups[0]["lr"]
    assert warm_restarts(when, first, factor) == pytest.approx(expected, abs=1e-9)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(losses=st.lists(st.sampled_from([0.1, 0.2, 0.3, 0.4]) | st.floats(0, 1), max_size=30))
def test_plateau_is_that_of_torch(losses: list[float]) -> None:
    optimiser = _optimiser()
    reference = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimiser, factor=0.1, patience=0, cooldown=2, threshold=0, eps=0
    )
    progress = Progress()
    for loss in losses:
        reference.step(loss)
        reduce_on_plateau(progress, loss)
        progress.best_loss = min(progress.best_loss, loss)
        assert progress.rate_factor == pytest.approx(optimiser.param_groups[0]["lr"], rel=1e-9)


def test_warm_up_by_hand() -> None:
    shares = [warmup_cosine(step, 4, 8) for step in range(8)]
    assert shares[:5] == pytest.approx([0.25, 0.5, 0.75, 1.0, 1.0])
    assert shares[6] == pytest.approx(0.5)
    assert warmup_cosine(8, 4, 8) == pytest.approx(0.0)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(warmup=st.integers(0, 20), rest=st.integers(1, 60))
def test_warm_up_rises_then_falls_and_never_stands_still_at_nothing(warmup: int, rest: int) -> None:
    shares = [warmup_cosine(step, warmup, warmup + rest) for step in range(warmup + rest)]
    assert all(0 < share <= 1 for share in shares)
    assert shares[:warmup] == sorted(shares[:warmup])
    assert shares[warmup:] == sorted(shares[warmup:], reverse=True)


def test_each_schedule_is_reached_by_its_name() -> None:
    steps, at = 10, Progress(step=25)
    restarts = replace(OPTIONS, schedule="warm_restarts", restart_epochs=2, restart_factor=2)
    assert learning_rate(restarts, at, steps) == pytest.approx(0.5 * warm_restarts(2.5, 2, 2))
    warm = replace(OPTIONS, schedule="warmup_cosine", warmup_epochs=3, epochs=6)
    assert learning_rate(warm, at, steps) == pytest.approx(0.5 * 26 / 30)
    cycle = replace(OPTIONS, schedule="one_cycle", epochs=5)
    assert learning_rate(cycle, at, steps) == pytest.approx(0.5 * one_cycle(0.5))
