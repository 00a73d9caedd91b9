"""Training of the delineation network: AdamW, one cycle, an average of the weights over the steps.

The loss is the cross-entropy of each known sample against the share of it that lies in each wave,
lead by lead and for the heart as a whole. Calculates in bfloat16 on a GPU, and where the processor
multiplies matrices in it (five times as fast there); the weights are float32 throughout. The crops
of a step depend on seed and step alone, so that any number of processes may draw them beforehand.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from ecgcore.signal.delineation.wave_network import WaveNetwork, WaveNetworkOptions, by_sample
from ecgcore.training.delineation_crops import CropOptions, Crops, draw_crops, together
from ecgcore.training.delineation_data import MarkedSet

_LARGEST_GRADIENT = 1.0
_REPORTED = 100


@dataclass(frozen=True)
class DelineationOptions:
    """How one network learns. ``average`` is the decay a step of the moving average of the weights,
    which is what is kept."""

    network: WaveNetworkOptions = field(default_factory=WaveNetworkOptions)
    crops: CropOptions = field(default_factory=CropOptions)
    steps: int = 2500
    learning_rate: float = 3e-3
    weight_decay: float = 0.02
    average: float = 0.997
    joint_weight: float = 1.0
    seed: int = 0


@dataclass(frozen=True)
class Share:
    """Recordings to learn from, and how many of them stand in every batch, with all leads each."""

    data: MarkedSet
    batch: int


class _Steps(Dataset[Crops]):
    """The batch of every step."""

    def __init__(self, shares: Sequence[Share], options: DelineationOptions) -> None:
        self.shares, self.options = shares, options

    def __len__(self) -> int:
        return self.options.steps

    def __getitem__(self, step: int) -> Crops:
        rng = np.random.default_rng([self.options.seed, step])
        parts = []
        for share in self.shares:
            records = rng.integers(0, len(share.data), share.batch)
            parts.append(draw_crops(share.data, records, self.options.crops, rng))
        return together(parts)


def train_delineation(
    shares: Sequence[Share],
    options: DelineationOptions,
    report: Callable[[int, float], None] = lambda step, loss: None,
    device: torch.device | None = None,
    processes: int = 0,
) -> WaveNetwork:
    """The averaged network after all steps, in eval mode on the CPU.

    ``report`` gets the mean loss of each hundred steps; ``processes`` draw the crops beside this
    one, 0 for none.
    """
    device = device or torch.device("cpu")
    torch.manual_seed(options.seed)
    network = by_sample(WaveNetwork(options.network)).to(device)
    averaged = copy.deepcopy(network)
    optimiser = torch.optim.AdamW(
        network.parameters(),
        lr=options.learning_rate,
        weight_decay=options.weight_decay,
        fused=device.type == "cuda",
    )
    # Without a batch size the loader hands on whole batches, in the order of the steps.
    batches = DataLoader(_Steps(shares, options), batch_size=None, num_workers=processes)
    losses = []
    for step, crops in enumerate(batches):
        for group in optimiser.param_groups:
            group["lr"] = options.learning_rate * _one_cycle(step / options.steps)
        optimiser.zero_grad(set_to_none=True)
        loss = _loss(network, crops.to(device), options)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(network.parameters(), _LARGEST_GRADIENT)
        optimiser.step()
        _follow(averaged, network, min(options.average, (1 + step) / (10 + step)))
        losses.append(loss.detach())
        if (step + 1) % _REPORTED == 0:
            report(step + 1, float(torch.stack(losses[-_REPORTED:]).mean()))
    return averaged.to("cpu").eval()


def _one_cycle(done: float) -> float:
    """Share of the peak rate: up over a tenth of the steps, down along a cosine."""
    rise = 0.1
    if done < rise:
        return 0.04 + 0.96 * done / rise
    return 1e-3 + (1 - 1e-3) * (1 + math.cos(math.pi * (done - rise) / (1 - rise))) / 2


def _loss(network: WaveNetwork, crops: Crops, options: DelineationOptions) -> Tensor:
    device = crops.values.device.type
    with torch.autocast(device, torch.bfloat16, enabled=device == "cuda" or has_fast_bfloat16()):
        leads, joint = network(crops.values, crops.present)
    by_lead = _cross_entropy(leads.float(), crops.target[:, :-1], crops.known[:, :-1])
    whole = _cross_entropy(joint.float(), crops.target[:, -1], crops.known[:, -1])
    return by_lead + options.joint_weight * whole


def _cross_entropy(logits: Tensor, target: Tensor, known: Tensor) -> Tensor:
    each = -(torch.log_softmax(logits, dim=-2) * target).sum(dim=-2)
    return (each * known).sum() / known.sum().clamp(min=1)


def _follow(averaged: WaveNetwork, network: WaveNetwork, decay: float) -> None:
    """The running statistics of the normalisation are averaged like the weights."""
    state, kept = network.state_dict(), averaged.state_dict()
    moved = [name for name, value in kept.items() if value.dtype.is_floating_point]
    with torch.no_grad():
        torch._foreach_lerp_([kept[n] for n in moved], [state[n] for n in moved], 1 - decay)
        for name in kept.keys() - set(moved):
            kept[name].copy_(state[name])


def has_fast_bfloat16() -> bool:
    """Whether this processor has instructions for bfloat16 matrices (Intel AMX)."""
    return bool(torch.cpu._is_amx_tile_supported())
