"""densecnn_wang: a one-dimensional densely connected network (Wang, Yang, Tang, Li, MLMECH 2019).

A baseline of MVKT-ECG (Qin et al. 2023). The original's text was not at hand beyond its title, "a
12-lead ECG arrhythmia classification method based on 1D densely connected CNN", and MVKT-ECG's text
adds nothing, so its depth and widths are not claimed.

Settled: the DenseNet-121 along time that MVKT-ECG's own published program holds, which is Huang et
al.'s (CVPR 2017) with a bottleneck and compression: convolution 64@7/2, max-pool 3/2; dense blocks
of 6, 12, 24, 16 layers with growth 32, each layer norm-ReLU-conv 128@1-norm-ReLU-conv 32@3; between
them norm, ReLU, 1-wide convolution to half the channels, average pool 2; a last norm and ReLU,
average pooling, dense. No convolution is biased. 1024 features.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ecgcore.convolution_blocks import AveragePool, ConvNormReLU
from ecgcore.models.network import PooledNetwork, count_parameters
from ecgcore.models.registry import register
from ecgcore.models.resnet1d import MVKT_LABELS, MVKT_SPEC

PAPER = "Qin et al. 2023, MVKT-ECG (Wang et al. 2019)"


@dataclass(frozen=True)
class DenseNetOptions:
    """Layers of each dense block, channels that a layer adds, channels of the stem, width of a
    bottleneck in growths, and drop-out after each layer."""

    blocks: tuple[int, ...] = (6, 12, 24, 16)
    growth: int = 32
    stem: int = 64
    bottleneck: int = 4
    dropout: float = 0.0


class NormReLUConv(nn.Sequential):
    """Batch norm, ReLU, convolution without bias that keeps the length."""

    def __init__(self, inputs: int, outputs: int, kernel: int) -> None:
        super().__init__(
            nn.BatchNorm1d(inputs),
            nn.ReLU(),
            nn.Conv1d(inputs, outputs, kernel, padding=kernel // 2, bias=False),
        )


class DenseLayer(nn.Module):
    """Adds ``growth`` channels, computed from all that came before."""

    def __init__(self, inputs: int, options: DenseNetOptions) -> None:
        super().__init__()
        narrow = options.bottleneck * options.growth
        self.new = nn.Sequential(
            NormReLUConv(inputs, narrow, 1),
            NormReLUConv(narrow, options.growth, 3),
            nn.Dropout(options.dropout),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(batch, inputs, time) to (batch, inputs + growth, time)."""
        return torch.cat([x, self.new(x)], dim=1)


def _trunk(options: DenseNetOptions, leads: int) -> tuple[nn.Sequential, int]:
    """Stem, blocks and the last norm, with the number of their output channels."""
    channels = options.stem
    trunk = nn.Sequential(ConvNormReLU(leads, channels, 7, 2), nn.MaxPool1d(3, stride=2, padding=1))
    for number, layers in enumerate(options.blocks):
        if number:
            trunk.append(nn.Sequential(NormReLUConv(channels, channels // 2, 1), nn.AvgPool1d(2)))
            channels //= 2
        block = nn.Sequential()
        for _ in range(layers):
            block.append(DenseLayer(channels, options))
            channels += options.growth
        trunk.append(block)
    trunk.append(nn.Sequential(nn.BatchNorm1d(channels), nn.ReLU()))
    return trunk, channels


@register(
    "densecnn_wang",
    options=DenseNetOptions,
    paper=PAPER,
    spec=MVKT_SPEC,
    labels=MVKT_LABELS,
    output="sigmoid",
    count=count_parameters,
)
class DenseNet1d(PooledNetwork):
    """The whole network; features are the channels' averages over time."""

    def __init__(self, options: DenseNetOptions, leads: int, labels: int) -> None:
        super().__init__()
        self.trunk, channels = _trunk(options, leads)
        self.pool = AveragePool(channels)
        self.head = nn.Linear(channels, labels)
        for module in self.modules():
            if isinstance(module, nn.Conv1d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
