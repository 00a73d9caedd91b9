"""Training of the delineation network: AdamW, one cycle, an average of the weights over the steps.

The loss is the cross-entropy of each known sample against the share of it that lies in each wave,
lead by lead and for the heart as a whole. Calculates in bfloat16 where the processor multiplies
matrices in it (five times as fast there); the weights are float32 throughout.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from ecgcore.signal.delineation.wave_network import WaveNetwork, WaveNetworkOptions, by_sample
from ecgcore.training.delineation_crops import CropOptions, Crops, draw_crops
from ecgcore.training.delineation_data import MarkedSet

_LARGEST_GRADIENT = 1.0
_REPORTED = 100


@dataclass(frozen=True)
class DelineationOptions:
    """A recipe. ``batch`` counts recordings, each with all its leads; ``average`` is the decay a
    step of the moving average of the weights, which is what is kept."""

    network: WaveNetworkOptions = field(default_factory=WaveNetworkOptions)
    crops: CropOptions = field(default_factory=CropOptions)
    steps: int = 2500
    batch: int = 8
    learning_rate: float = 3e-3
    weight_decay: float = 0.02
    average: float = 0.997
    joint_weight: float = 1.0
    seed: int = 0


def train_delineation(
    data: MarkedSet,
    options: DelineationOptions,
    report: Callable[[int, float], None] = lambda step, loss: None,
) -> WaveNetwork:
    """The averaged network after all steps, in eval mode.

    ``report`` gets the mean loss of each hundred steps.
    """
    torch.manual_seed(options.seed)
    rng = np.random.default_rng(options.seed)
    network = by_sample(WaveNetwork(options.network))
    averaged = copy.deepcopy(network)
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=options.learning_rate, weight_decay=options.weight_decay
    )
    losses = []
    for step in range(options.steps):
        records = rng.integers(0, len(data), options.batch)
        crops = draw_crops(data, records, options.crops, rng)
        for group in optimiser.param_groups:
            group["lr"] = options.learning_rate * _one_cycle(step / options.steps)
        optimiser.zero_grad(set_to_none=True)
        loss = _loss(network, crops, options)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(network.parameters(), _LARGEST_GRADIENT)
        optimiser.step()
        _follow(averaged, network, min(options.average, (1 + step) / (10 + step)))
        losses.append(loss.detach())
        if (step + 1) % _REPORTED == 0:
            report(step + 1, float(torch.stack(losses[-_REPORTED:]).mean()))
    return averaged.eval()


def _one_cycle(done: float) -> float:
    """Share of the peak rate: up over a tenth of the steps, down along a cosine."""
    rise = 0.1
    if done < rise:
        return 0.04 + 0.96 * done / rise
    return 1e-3 + (1 - 1e-3) * (1 + math.cos(math.pi * (done - rise) / (1 - rise))) / 2


def _loss(network: WaveNetwork, crops: Crops, options: DelineationOptions) -> Tensor:
    with torch.autocast("cpu", torch.bfloat16, enabled=has_fast_bfloat16()):
        leads, joint = network(crops.values, crops.present)
    by_lead = _cross_entropy(leads.float(), crops.target[:, :-1], crops.known[:, :-1])
    whole = _cross_entropy(joint.float(), crops.target[:, -1], crops.known[:, -1])
    return by_lead + options.joint_weight * whole


def _cross_entropy(logits: Tensor, target: Tensor, known: Tensor) -> Tensor:
    each = -(torch.log_softmax(logits, dim=-2) * target).sum(dim=-2)
    return (each * known).sum() / known.sum().clamp(min=1)


def _follow(averaged: WaveNetwork, network: WaveNetwork, decay: float) -> None:
    """The running statistics of the normalisation are averaged like the weights."""
    with torch.no_grad():
        state = network.state_dict()
        for name, value in averaged.state_dict().items():
            if value.dtype.is_floating_point:
                value.lerp_(state[name], 1 - decay)
            else:
                value.copy_(state[name])


def has_fast_bfloat16() -> bool:
    """Whether this processor has instructions for bfloat16 matrices (Intel AMX)."""
    return bool(torch.cpu._is_amx_tile_supported())
