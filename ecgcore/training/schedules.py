"""How the learning rate goes: shares of the peak rate, step by step or after a bad epoch."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from ecgcore.training.checkpoint import Progress
    from ecgcore.training.options import TrainOptions

Schedule = Literal["constant", "one_cycle", "warm_restarts", "warmup_cosine", "plateau"]

PLATEAU_FACTOR, PLATEAU_COOLDOWN = 0.1, 2
"""Singstad et al. 2022; patience is 0."""


def learning_rate(options: TrainOptions, progress: Progress, steps: int) -> float:
    """The learning rate of the next step; ``steps`` is their number an epoch."""
    epoch = progress.step / steps
    if options.schedule == "one_cycle":
        return options.learning_rate * one_cycle(progress.step / (steps * options.epochs))
    if options.schedule == "warm_restarts":
        return options.learning_rate * warm_restarts(
            epoch, options.restart_epochs, options.restart_factor
        )
    if options.schedule == "warmup_cosine":
        warmup = options.warmup_epochs * steps
        return options.learning_rate * warmup_cosine(progress.step, warmup, steps * options.epochs)
    return options.learning_rate * progress.rate_factor


def one_cycle(done: float) -> float:
    """Share of the peak rate after a share ``done`` of the run: cosine up over 25 %, then down.

    Starts at 1/25 and ends at 1e-4 of the peak (Smith, Super-Convergence, 2018; fastai's numbers).
    """
    rise, start, end = 0.25, 1 / 25, 1e-4
    if done < rise:
        return start + (1 - start) * (1 - math.cos(math.pi * done / rise)) / 2
    fall = min((done - rise) / (1 - rise), 1.0)
    return end + (1 - end) * (1 + math.cos(math.pi * fall)) / 2


def warm_restarts(epoch: float, first: int, factor: int) -> float:
    """Share of the peak rate at an epoch, fractions included: from 1 by a cosine to 0, again and
    again.

    The first fall lasts ``first`` epochs (T_0), each next one ``factor`` (T_mult) times the one
    before (Loshchilov and Hutter, SGDR, 2017, with their lowest rate of 0).
    """
    length = float(first)
    if factor == 1:
        epoch %= length
    while epoch >= length:
        epoch -= length
        length *= factor
    return (1 + math.cos(math.pi * epoch / length)) / 2


def warmup_cosine(step: int, warmup: int, steps: int) -> float:
    """Share of the peak rate at a step of ``steps``: a line up over ``warmup`` steps, then a
    cosine to 0.

    The last step of the warm-up has the peak rate, and the first one of it already learns (Goyal
    et al. 2017, gradual warm-up).
    """
    if step < warmup:
        return (step + 1) / warmup
    fall = (step - warmup) / max(steps - warmup, 1)
    return (1 + math.cos(math.pi * min(fall, 1.0))) / 2


def reduce_on_plateau(progress: Progress, loss: float) -> None:
    """After an epoch: a tenth of the rate when the loss did not improve, then two epochs of rest.

    The very steps of PyTorch's ReduceLROnPlateau with patience 0, cool-down 2 and threshold 0;
    ``progress.best_loss`` is that of the epochs before.
    """
    if progress.cooldown:
        progress.cooldown -= 1
    elif not loss < progress.best_loss:
        progress.rate_factor *= PLATEAU_FACTOR
        progress.cooldown = PLATEAU_COOLDOWN
