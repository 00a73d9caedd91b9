"""Encoder (Serrà, Pascual, Karatzoglou 2018; Ismail Fawaz et al. 2019), a baseline of Inception.

Three convolutions of 128, 256 and 512 channels with kernels 5, 11 and 21, each with instance norm,
PReLU and dropout 0.2, the first two with max-pool 2; one half of the last maps weighs the other by
a softmax; a sigmoid dense layer of 256 with instance norm; the dense output layer. Singstad,
Muten and Brekke 2022 compare it on 5,000 samples at 500 Hz, resampled by FFT.

The publications and the programs differ, and the option ``readout`` has both:
- "summed", the default, is the text: the softmax runs over time and the weighted maps are summed
  over it, so that a recording of any length becomes 256 numbers. Then no time is left for the last
  instance norm, which therefore normalises a record's 256 numbers.
- "flat" is the program of Ismail Fawaz et al., which Singstad's group took over: the softmax runs
  over channels, the dense layer and its norm work at every moment, and all moments are flattened.
  It reads exactly ``samples`` samples and has 320,000 features for 5,000 of them.

Settled: PReLU has one slope a channel that starts at 0.25 (He et al. 2015); instance norm is
trained (scale and shift) and steadied by 1e-3, as in the programs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from ecgcore.models.input_spec import InputSpec
from ecgcore.models.network import Network, count_parameters
from ecgcore.models.registry import register

PAPER = "Singstad et al. 2022, baseline Encoder (Serrà et al. 2018, Ismail Fawaz et al. 2019)"
ENCODER_SPEC = InputSpec(sampling_rate=500.0, seconds=10.0, resampling="fft")

CHANNELS, KERNELS, DENSE = (128, 256, 512), (5, 11, 21), 256
POOLED = 4
"""Samples that become one moment: two max-pools of 2."""

STEADYING = 1e-3
"""Added to the variances of the instance norms."""

Readout = Literal["summed", "flat"]


@dataclass(frozen=True)
class EncoderOptions:
    """How maps become features (see above), and the samples of a recording if "flat"."""

    readout: Readout = "summed"
    dropout: float = 0.2
    samples: int = ENCODER_SPEC.samples


class EncoderBlock(nn.Sequential):
    """Convolution ("same"), instance norm, PReLU, dropout (of ``kind``), max-pool of 2 if
    ``pools``."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, dropout: nn.Module, pools: bool
    ) -> None:
        super().__init__(
            nn.Conv1d(inputs, outputs, kernel, padding=kernel // 2),
            nn.InstanceNorm1d(outputs, eps=STEADYING, affine=True),
            nn.PReLU(outputs),
            dropout,
        )
        if pools:
            self.append(nn.MaxPool1d(2))


class EncoderConvolutions(nn.Sequential):
    """(batch, leads, samples) to (batch, 512, samples // 4).

    ``spatial`` drops whole channels in the first two blocks (the classifier chain does).
    """

    def __init__(self, leads: int, dropout: float, spatial: bool = False) -> None:
        super().__init__()
        inputs = leads
        for outputs, kernel in zip(CHANNELS, KERNELS, strict=True):
            last = outputs == CHANNELS[-1]
            drop = nn.Dropout1d(dropout) if spatial and not last else nn.Dropout(dropout)
            self.append(EncoderBlock(inputs, outputs, kernel, drop, pools=not last))
            inputs = outputs


class AttentionReadout(nn.Module):
    """Maps weighed by a softmax, then a dense layer and an instance norm.

    (batch, channels, time) to (batch, units) if "summed", to (batch, units * time) if "flat".
    ``halves``: the second half of the channels weighs the first; else all channels weigh
    themselves.
    """

    def __init__(
        self, channels: int, units: int, activation: nn.Module, readout: Readout, halves: bool
    ) -> None:
        super().__init__()
        self.summed, self.halves = readout == "summed", halves
        self.dense = nn.Linear(channels // 2 if halves else channels, units)
        self.activation = activation
        self.norm: nn.Module = (
            nn.LayerNorm(units, eps=STEADYING)
            if self.summed
            else nn.InstanceNorm1d(units, eps=STEADYING, affine=True)
        )

    def forward(self, maps: Tensor) -> Tensor:
        """See the class."""
        data, scores = maps.chunk(2, dim=1) if self.halves else (maps, maps)
        weighed = data * scores.softmax(dim=2 if self.summed else 1)
        seen = weighed.sum(2) if self.summed else weighed.transpose(1, 2)
        dense = self.activation(self.dense(seen))
        normed: Tensor = self.norm(dense if self.summed else dense.transpose(1, 2))
        return normed if self.summed else normed.transpose(1, 2).flatten(1)


def readout_features(readout: Readout, units: int, samples: int) -> int:
    """The width that ``AttentionReadout`` gives."""
    return units if readout == "summed" else units * (samples // POOLED)


@register(
    "encoder",
    options=EncoderOptions,
    paper=PAPER,
    spec=ENCODER_SPEC,
    labels=30,
    output="sigmoid",
    count=count_parameters,
)
class Encoder(Network):
    """The whole network."""

    def __init__(self, options: EncoderOptions, leads: int, labels: int) -> None:
        super().__init__()
        self.convolutions = EncoderConvolutions(leads, options.dropout)
        self.readout = AttentionReadout(
            CHANNELS[-1], DENSE, nn.Sigmoid(), options.readout, halves=True
        )
        self.head = nn.Linear(readout_features(options.readout, DENSE, options.samples), labels)

    def features(self, x: Tensor) -> Tensor:
        """(batch, 256), or all moments' 256 in a row if "flat"."""
        features: Tensor = self.readout(self.convolutions(x))
        return features

    @property
    def cam_layer(self) -> nn.Module:
        """The convolutions, before attention."""
        return self.convolutions
