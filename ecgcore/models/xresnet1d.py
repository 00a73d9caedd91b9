"""xresnet1d101 of the PTB-XL benchmark, and the wide one of MVKT-ECG.

A ResNet-101 along time with the "bag of tricks" (He et al., CVPR 2019): a stem of three
convolutions 32@/2, 32, 64, max-pool 3/2; bottleneck blocks 3, 4, 23, 3 (1-wide, k-wide with the
stride, 1-wide to four times the width); a shortcut that averages before its 1-wide convolution.

``xresnet1d101`` is the benchmark's (Strodthoff et al. 2021, structure from their program): kernels
of 5, a width of 64 in every stage (256 channels), the benchmark's head with a hidden layer of 128.
With 12 leads and 71 outputs these are the published 1,880,775 weights. Its features, the input of
the last dense layer, are the 128 of the hidden layer; pooled, the map has 512 numbers (maximum and
mean of 256 channels). Neither is MVKT-ECG's D = 2048.

``xresnet1d101_wide`` has those 2048 features: the usual widths 64, 128, 256, 512, times four, so
that the last stage has 2048 channels, kernels of 3, and average pooling as in the paper's Eq. 1
before the dense layer. So it stands in MVKT's own program, except that its published state
concatenates maximum and average (4096) with the average alone commented out; the paper's number
decides.

Any length of input fits. The benchmark trains on crops of 2.5 s and takes the maximum over the
crops of a recording; here a recording's 10 s go through at once. The weights start as in its
program, which sets every batch norm to 1 before training and so undoes the zero that the last norm
of a block has in other xresnets.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ecgcore.convolution_blocks import (
    ConvNorm,
    ConvNormReLU,
    HeadName,
    block_plan,
    initialise_backbone,
    pooling_head,
)
from ecgcore.models.network import PooledNetwork, count_parameters
from ecgcore.models.registry import register
from ecgcore.models.resnet1d import MVKT_LABELS, MVKT_SPEC

PAPER = "Strodthoff et al. 2021, PTB-XL benchmark"
WIDE_PAPER = "Qin et al. 2023, MVKT-ECG (He et al. 2019, XResNet)"

EXPANSION = 4
"""Channels of a bottleneck's output over its width."""


@dataclass(frozen=True)
class XResNetOptions:
    """Shape of an xresnet; the defaults are the benchmark's xresnet1d101.

    ``widths`` are the inner channels of each stage's bottlenecks, ``blocks`` their number.
    ``hidden`` and ``head_dropout`` belong to the benchmark's head.
    """

    widths: tuple[int, ...] = (64, 64, 64, 64)
    blocks: tuple[int, ...] = (3, 4, 23, 3)
    stem: tuple[int, ...] = (32, 32, 64)
    kernel: int = 5
    head: HeadName = "benchmark"
    hidden: int = 128
    head_dropout: float = 0.5


@dataclass(frozen=True)
class WideXResNetOptions(XResNetOptions):
    """MVKT-ECG's: 2048 features."""

    widths: tuple[int, ...] = (64, 128, 256, 512)
    kernel: int = 3
    head: HeadName = "average"


class Bottleneck(nn.Module):
    """Three convolutions around a shortcut, the sum through a ReLU."""

    def __init__(self, inputs: int, width: int, kernel: int, stride: int) -> None:
        super().__init__()
        outputs = EXPANSION * width
        self.path = nn.Sequential(
            ConvNormReLU(inputs, width, 1),
            ConvNormReLU(width, width, kernel, stride),
            ConvNorm(width, outputs, 1),
        )
        self.shortcut = nn.Sequential()
        if stride != 1:
            self.shortcut.append(nn.AvgPool1d(stride, ceil_mode=True))
        if inputs != outputs:
            self.shortcut.append(ConvNorm(inputs, outputs, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(batch, inputs, time) to (batch, 4 width, ceil(time / stride))."""
        return torch.relu(self.path(x) + self.shortcut(x))


def _trunk(options: XResNetOptions, leads: int) -> nn.Sequential:
    """Stem and stages: (batch, leads, samples) to (batch, 4 last width, time)."""
    trunk = nn.Sequential()
    channels = leads
    for number, width in enumerate(options.stem):
        trunk.append(ConvNormReLU(channels, width, options.kernel, 2 if number == 0 else 1))
        channels = width
    trunk.append(nn.MaxPool1d(3, stride=2, padding=1))
    for blocks in block_plan(options.widths, options.blocks):
        stage = nn.Sequential()
        for width, stride in blocks:
            stage.append(Bottleneck(channels, width, options.kernel, stride))
            channels = EXPANSION * width
        trunk.append(stage)
    return trunk


@register(
    "xresnet1d101_wide",
    options=WideXResNetOptions,
    paper=WIDE_PAPER,
    spec=MVKT_SPEC,
    labels=MVKT_LABELS,
    output="sigmoid",
    count=count_parameters,
)
@register(
    "xresnet1d101",
    options=XResNetOptions,
    paper=PAPER,
    spec=MVKT_SPEC,
    labels=71,
    output="sigmoid",
    count=count_parameters,
)
class XResNet1d(PooledNetwork):
    """The whole network; features are the benchmark's hidden layer, or the last stage's
    averages."""

    def __init__(self, options: XResNetOptions, leads: int, labels: int) -> None:
        super().__init__()
        self.trunk = _trunk(options, leads)
        channels = EXPANSION * options.widths[-1]
        self.pool = pooling_head(options.head, channels, options.hidden, options.head_dropout)
        self.head = nn.Linear(self.pool.features, labels)
        initialise_backbone(self, options.head)
