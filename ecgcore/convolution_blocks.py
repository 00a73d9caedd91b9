"""Blocks that the convolutional backbones share: residual blocks, squeeze-and-excitation, and the
ways from a feature map to the input of the last dense layer.

Tensors are (batch, channels, time). Convolutions before a batch norm have no bias; kernels are odd
and padded so that a stride of 1 keeps the length and a stride of s gives ceil(time / s).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import torch
from torch import Tensor, nn

HeadName = Literal["average", "benchmark"]
"""How a feature map becomes the features: average pooling alone, or ``BenchmarkHead``."""


class ConvNorm(nn.Sequential):
    """Convolution without bias, batch norm. ValueError for an even kernel."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1) -> None:
        if kernel % 2 == 0:
            raise ValueError(f"kernel {kernel}; only odd kernels keep the length")
        super().__init__(
            nn.Conv1d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False),
            nn.BatchNorm1d(outputs),
        )


class ConvNormReLU(ConvNorm):
    """Convolution without bias, batch norm, ReLU."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1) -> None:
        super().__init__(inputs, outputs, kernel, stride)
        self.append(nn.ReLU())


class SqueezeExcitation(nn.Module):
    """Weighs channels by a gate computed from their means (Hu et al., CVPR 2018); no biases."""

    def __init__(self, channels: int, reduction: int) -> None:
        super().__init__()
        narrow = max(channels // reduction, 1)
        self.gate = nn.Sequential(
            nn.Linear(channels, narrow, bias=False),
            nn.ReLU(),
            nn.Linear(narrow, channels, bias=False),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, time), the same shape."""
        gates: Tensor = self.gate(x.mean(-1))
        return x * gates[..., None]


class BasicBlock(nn.Module):
    """Two convolutions around a shortcut (He et al., CVPR 2016), the sum through a ReLU.

    The shortcut is a 1-wide convolution with batch norm where channels or length change, else the
    input itself. ``dropout`` stands between the convolutions; ``excitation`` is the reduction of a
    squeeze-and-excitation before the sum (0: none).
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernels: tuple[int, int],
        stride: int = 1,
        *,
        dropout: float = 0.0,
        excitation: int = 0,
    ) -> None:
        super().__init__()
        self.path = nn.Sequential(
            ConvNormReLU(inputs, outputs, kernels[0], stride),
            nn.Dropout(dropout),
            ConvNorm(outputs, outputs, kernels[1]),
        )
        if excitation:
            self.path.append(SqueezeExcitation(outputs, excitation))
        changed = stride != 1 or inputs != outputs
        self.shortcut = ConvNorm(inputs, outputs, 1, stride) if changed else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """(batch, inputs, time) to (batch, outputs, ceil(time / stride))."""
        return torch.relu(self.path(x) + self.shortcut(x))


def block_plan(widths: Sequence[int], blocks: Sequence[int]) -> list[list[tuple[int, int]]]:
    """Width and stride of every block, stage by stage; each stage but the first halves the length.

    ValueError unless there is one width and one number of blocks a stage.
    """
    if len(widths) != len(blocks) or not widths:
        raise ValueError(
            f"{len(widths)} widths and {len(blocks)} numbers of blocks; give one of each a stage"
        )
    return [
        [(width, 2 if stage > 0 and index == 0 else 1) for index in range(count)]
        for stage, (width, count) in enumerate(zip(widths, blocks, strict=True))
    ]


class AveragePool(nn.Module):
    """The mean over time: (batch, channels, time) to (batch, channels)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.features = channels

    def forward(self, x: Tensor) -> Tensor:
        """The mean over time."""
        return x.mean(-1)


class BenchmarkHead(nn.Module):
    """All of the PTB-XL benchmark's head but its last dense layer (Strodthoff et al. 2021).

    Maximum and mean over time, concatenated; batch norm, half the drop-out, dense to ``hidden``,
    ReLU; batch norm, drop-out. (batch, channels, time) to (batch, hidden).
    """

    def __init__(self, channels: int, hidden: int = 128, dropout: float = 0.5) -> None:
        super().__init__()
        self.features = hidden
        self.layers = nn.Sequential(
            nn.BatchNorm1d(2 * channels),
            nn.Dropout(dropout / 2),
            nn.Linear(2 * channels, hidden),
            nn.ReLU(),
            nn.BatchNorm1d(hidden),
            nn.Dropout(dropout),
        )

    def forward(self, x: Tensor) -> Tensor:
        """The input of the last dense layer."""
        features: Tensor = self.layers(torch.cat([x.amax(-1), x.mean(-1)], dim=1))
        return features


def pooling_head(
    name: HeadName, channels: int, hidden: int, dropout: float
) -> AveragePool | BenchmarkHead:
    """A head by name; ``hidden`` and ``dropout`` are BenchmarkHead's. ValueError lists the known
    names.
    """
    if name not in get_args(HeadName):
        raise ValueError(f"head {name!r}; known: {', '.join(get_args(HeadName))}")
    return AveragePool(channels) if name == "average" else BenchmarkHead(channels, hidden, dropout)


def initialise_backbone(network: nn.Module, head: HeadName) -> None:
    """Kaiming's normal start for ReLU networks.

    With the benchmark's head as in its program: every convolution and dense layer by its inputs,
    dense biases zero. Else as in He et al.'s: convolutions by their outputs, dense layers left.
    """
    mode: Literal["fan_in", "fan_out"] = "fan_in" if head == "benchmark" else "fan_out"
    for module in network.modules():
        if isinstance(module, nn.Conv1d):
            nn.init.kaiming_normal_(module.weight, mode=mode, nonlinearity="relu")
        elif isinstance(module, nn.Linear) and head == "benchmark":
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:  # squeeze and excitation has none
                nn.init.zeros_(module.bias)
