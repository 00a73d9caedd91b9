"""Small networks and steps that the tests of the objectives share."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from ecgcore.models.network import Network
from ecgcore.training.objectives import Step

LABELS, LEADS, SAMPLES = 3, 12, 40


class Small(Network):
    """Two convolutions with a batch norm, drop-out before the head: all that a teacher could leak
    through.
    """

    def __init__(
        self, leads: int, channels: int = 6, stride: int = 2, labels: int = LABELS
    ) -> None:
        super().__init__()
        self.first = nn.Conv1d(leads, 4, 5, stride=stride, padding=2)
        self.norm = nn.BatchNorm1d(4)
        self.last = nn.Conv1d(4, channels, 3, padding=1)
        self.dropout = nn.Dropout(0.5)
        self.head = nn.Linear(channels, labels)

    def features(self, x: Tensor) -> Tensor:
        """(batch, channels): the mean over time."""
        map_ = self.last(functional.relu(self.norm(self.first(x))))
        dropped: Tensor = self.dropout(map_.mean(-1))
        return dropped

    @property
    def cam_layer(self) -> nn.Module:
        """The last convolution."""
        return self.last


def records(count: int = 5, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Signals (count, 12, samples) and targets (count, labels)."""
    generator = torch.Generator().manual_seed(seed)
    whole = torch.randn(count, LEADS, SAMPLES, generator=generator)
    return whole, (torch.rand(count, LABELS, generator=generator) < 0.4).float()


def step_of(
    network: Network, rows: Tensor, whole: Tensor, targets: Tensor, lead: int | None = 0
) -> Step:
    """A step of these records, with the network's answer to one lead (or, with None, to all)."""
    inputs = whole if lead is None else whole[:, [lead]]
    return Step(rows, whole, inputs, targets, network(inputs), network)


def value(loss: Tensor) -> float:
    """The number of a loss."""
    return float(loss.detach())
