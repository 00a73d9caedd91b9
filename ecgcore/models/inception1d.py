"""inception1d of the PTB-XL benchmark (Strodthoff et al. 2021), after InceptionTime (Fawaz et al.
2020); a backbone of MVKT-ECG (Qin et al. 2023).

Six modules of 4 x 32 channels: a 1-wide bottleneck to 32 feeds convolutions of 39, 19 and 9, a
max-pool of 3 feeds a 1-wide convolution; the four are concatenated, batch norm, ReLU. A shortcut
(1-wide convolution, batch norm) spans each three modules, added before another ReLU. No convolution
is biased, and no step is skipped: the map keeps the input's length. Then the benchmark's head with
a hidden layer of 128. With 12 leads and 71 outputs these are 516,167 weights.

Its features, the input of the last dense layer, are the hidden layer's 128 numbers after ReLU and
norm. MVKT-ECG's 128 may be these or, by its Eq. 1, the 128 channels averaged over time:
``head="average"`` gives the latter.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ecgcore.convolution_blocks import (
    ConvNorm,
    HeadName,
    initialise_backbone,
    pooling_head,
)
from ecgcore.models.network import PooledNetwork, count_parameters
from ecgcore.models.registry import register
from ecgcore.models.resnet1d import MVKT_SPEC

PAPER = "Qin et al. 2023, MVKT-ECG (Strodthoff et al. 2021, PTB-XL benchmark)"

MODULES_PER_SHORTCUT = 3


@dataclass(frozen=True)
class Inception1dOptions:
    """Modules (a multiple of three), filters of every branch and of the bottleneck, kernels, head.

    ``hidden`` and ``head_dropout`` belong to the benchmark's head.
    """

    depth: int = 6
    filters: int = 32
    kernels: tuple[int, ...] = (39, 19, 9)
    head: HeadName = "benchmark"
    hidden: int = 128
    head_dropout: float = 0.5


class InceptionTimeModule(nn.Module):
    """Bottlenecked convolutions of several lengths and a pooled branch, side by side."""

    def __init__(self, inputs: int, filters: int, kernels: tuple[int, ...]) -> None:
        super().__init__()
        self.bottleneck = nn.Conv1d(inputs, filters, 1, bias=False)
        self.branches = nn.ModuleList(
            nn.Conv1d(filters, filters, kernel, padding="same", bias=False) for kernel in kernels
        )
        self.pooled = nn.Sequential(
            nn.MaxPool1d(3, stride=1, padding=1), nn.Conv1d(inputs, filters, 1, bias=False)
        )
        self.norm = nn.BatchNorm1d((len(kernels) + 1) * filters)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, inputs, time) to (batch, (kernels + 1) filters, time)."""
        narrow = self.bottleneck(x)
        joined = torch.cat([*(branch(narrow) for branch in self.branches), self.pooled(x)], dim=1)
        return torch.relu(self.norm(joined))


class ResidualModules(nn.Module):
    """Three modules with a shortcut around them."""

    def __init__(self, inputs: int, filters: int, kernels: tuple[int, ...]) -> None:
        super().__init__()
        outputs = (len(kernels) + 1) * filters
        self.path = nn.Sequential(
            *(
                InceptionTimeModule(inputs if number == 0 else outputs, filters, kernels)
                for number in range(MODULES_PER_SHORTCUT)
            )
        )
        self.shortcut = ConvNorm(inputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, inputs, time) to (batch, (kernels + 1) filters, time)."""
        return torch.relu(self.path(x) + self.shortcut(x))


@register(
    "inception1d",
    options=Inception1dOptions,
    paper=PAPER,
    spec=MVKT_SPEC,
    labels=71,
    output="sigmoid",
    count=count_parameters,
)
class Inception1d(PooledNetwork):
    """The whole network; features are the benchmark's hidden layer, or the channels' averages."""

    def __init__(self, options: Inception1dOptions, leads: int, labels: int) -> None:
        super().__init__()
        if options.depth < 1 or options.depth % MODULES_PER_SHORTCUT:
            raise ValueError(
                f"depth {options.depth}; a shortcut spans three modules: give 3, 6, 9, ..."
            )
        channels = (len(options.kernels) + 1) * options.filters
        self.trunk = nn.Sequential(
            *(
                ResidualModules(
                    leads if number == 0 else channels, options.filters, options.kernels
                )
                for number in range(options.depth // MODULES_PER_SHORTCUT)
            )
        )
        self.pool = pooling_head(options.head, channels, options.hidden, options.head_dropout)
        self.head = nn.Linear(self.pool.features, labels)
        initialise_backbone(self, options.head)
