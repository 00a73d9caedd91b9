"""Inception network for 12-lead ECG (Singstad, Muten, Brekke 2022).

conv 64@7, max-pool 3/2, conv 64@1, two inception modules, max-pool 7/2, global average pool, dense;
each convolution with batch norm and ReLU, zero-padded "same"; 10 s at 75 Hz (FFT resampling).

The authors' program concatenates a module's four branches along time; the usual Inception (Szegedy
et al. 2015) concatenates channels. Ours is channels, ``concat="time"`` reproduces theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from ecgcore.layers import pad_same
from ecgcore.models.input_spec import InputSpec
from ecgcore.models.network import Network, count_parameters
from ecgcore.models.registry import register

PAPER = "Singstad et al. 2022, Inception with double soft F1"
SPEC = InputSpec(sampling_rate=75.0, seconds=10.0, resampling="fft")


@dataclass(frozen=True)
class InceptionOptions:
    """Filters of every branch, drop-out before the dense layer (0 in the paper), and the
    concatenation axis of a module's branches."""

    filters: int = 64
    dropout: float = 0.0
    concat: Literal["channels", "time"] = "channels"


class ConvNormReLU(nn.Sequential):
    """Convolution ("same", stride 1), batch norm, ReLU."""

    def __init__(self, inputs: int, outputs: int, kernel: int) -> None:
        super().__init__(
            nn.Conv1d(inputs, outputs, kernel, padding="same"), nn.BatchNorm1d(outputs), nn.ReLU()
        )


class MaxPool(nn.Module):
    """Max-pooling padded "same"; the padding never wins."""

    def __init__(self, kernel: int, stride: int) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, time) to (batch, channels, ceil(time / stride)).

        Inputs follow a ReLU, so that zero padding never exceeds the maximum.
        """
        return functional.max_pool1d(
            pad_same(x, self.kernel, self.stride), self.kernel, self.stride
        )


class InceptionModule(nn.Module):
    """Branches 1; 1 then 3; 1 then 5; max-pool 3 then 1."""

    def __init__(self, inputs: int, options: InceptionOptions) -> None:
        super().__init__()
        width = options.filters
        self.axis = 1 if options.concat == "channels" else 2
        self.branches = nn.ModuleList(
            [
                ConvNormReLU(inputs, width, 1),
                nn.Sequential(ConvNormReLU(inputs, width, 1), ConvNormReLU(width, width, 3)),
                nn.Sequential(ConvNormReLU(inputs, width, 1), ConvNormReLU(width, width, 5)),
                nn.Sequential(MaxPool(3, 1), ConvNormReLU(inputs, width, 1)),
            ]
        )

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, time) to four times the channels, or four times the time."""
        return torch.cat([branch(x) for branch in self.branches], dim=self.axis)


@register(
    "inception",
    options=InceptionOptions,
    paper=PAPER,
    spec=SPEC,
    labels=30,
    output="sigmoid",
    count=count_parameters,
)
class Inception(Network):
    """The whole network; features are the pooled channels."""

    parts_at_maps = True

    def __init__(self, options: InceptionOptions, leads: int, labels: int) -> None:
        super().__init__()
        width = options.filters
        wide = 4 * width if options.concat == "channels" else width
        self.stem = nn.Sequential(
            ConvNormReLU(leads, width, 7), MaxPool(3, 2), ConvNormReLU(width, width, 1)
        )
        self.modules_ = nn.Sequential(
            InceptionModule(width, options), InceptionModule(wide, options)
        )
        self.pool = MaxPool(7, 2)
        self.dropout = nn.Dropout(options.dropout)
        self.head = nn.Linear(wide, labels)

    def features(self, x: Tensor) -> Tensor:
        """(batch, features): the global average over time."""
        return self.pooled(self.maps(x))

    def maps(self, x: Tensor) -> Tensor:
        """The output of the last inception module."""
        maps: Tensor = self.modules_(self.stem(x))
        return maps

    def pooled(self, maps: Tensor) -> Tensor:
        """The global average of the maps after a maximum over seven samples."""
        features: Tensor = self.dropout(self.pool(maps).mean(-1))
        return features

    @property
    def cam_layer(self) -> nn.Module:
        """The last inception module."""
        return self.modules_[1]
