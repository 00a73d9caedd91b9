"""Bidirectional LSTM of the PTB-XL benchmark (Strodthoff, Wagner, Schaeffter, Samek 2021).

Two bidirectional LSTM layers of 256 units a direction; concat pooling of mean, maximum and last
states (6 x 256); then twice batch norm, drop-out and dense: 128 with ReLU, and the labels. The
structure is the benchmark's program (``rnn1d.py``, fastai's ``bn_drop_lin``) and the count is
exact: 2,330,629 weights with 5 labels, 2,339,143 with 71.

Settled: the benchmark means to take each direction's last state, the backward one's at the first
sample, but its slice takes both directions at the last sample, where the backward LSTM has read
one sample. Ours is what it means; ``last="final_sample"`` reproduces the program. The benchmark
trains on crops of 2.5 s and takes the maximum over a recording's crops; nothing here depends on the
length, so the whole 10 s are read at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from ecgcore.models.input_spec import InputSpec
from ecgcore.models.network import Network, count_parameters
from ecgcore.models.registry import register

PAPER = "Strodthoff et al. 2021, PTB-XL benchmark (lstm_bidir)"

LastStates = Literal["each_direction", "final_sample"]


@dataclass(frozen=True)
class LstmBidirOptions:
    """Units a direction, layers, width of the dense layer, drop-out before the last dense layer
    (half of it before the first), and which states count as last."""

    units: int = 256
    layers: int = 2
    dense: int = 128
    dropout: float = 0.5
    last: LastStates = "each_direction"


class Recurrence(nn.Module):
    """The LSTM as a layer from (batch, leads, samples) to (batch, 2 x units, samples).

    The first half of the channels read forward, the second backward.
    """

    def __init__(self, leads: int, units: int, layers: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(leads, units, num_layers=layers, batch_first=True, bidirectional=True)

    def forward(self, x: Tensor) -> Tensor:
        """The last layer's states, time last."""
        states: Tensor = self.lstm(x.transpose(1, 2))[0]
        return states.transpose(1, 2)


@register(
    "lstm_bidir",
    options=LstmBidirOptions,
    paper=PAPER,
    spec=InputSpec(sampling_rate=100.0, seconds=10.0),
    labels=71,
    output="sigmoid",
    count=count_parameters,
)
class LstmBidir(Network):
    """The whole network; features are the dense layer's, normed, as the last dense layer reads
    them.
    """

    def __init__(self, options: LstmBidirOptions, leads: int, labels: int) -> None:
        super().__init__()
        self.last = options.last
        self.recurrence = Recurrence(leads, options.units, options.layers)
        pooled = 6 * options.units
        self.dense = nn.Sequential(
            nn.BatchNorm1d(pooled),
            nn.Dropout(options.dropout / 2),
            nn.Linear(pooled, options.dense),
            nn.ReLU(),
            nn.BatchNorm1d(options.dense),
            nn.Dropout(options.dropout),
        )
        self.head = nn.Linear(options.dense, labels)

    def features(self, x: Tensor) -> Tensor:
        """(batch, dense): pooled states through the first dense layer."""
        features: Tensor = self.dense(concat_pool(self.recurrence(x), self.last))
        return features

    @property
    def cam_layer(self) -> nn.Module:
        """The recurrence: a map of both directions' states at every sample."""
        return self.recurrence


def concat_pool(states: Tensor, last: LastStates) -> Tensor:
    """(batch, 2 x units, time) to (batch, 6 x units): mean, maximum and last states.

    ``last`` "each_direction" takes the forward half at the last and the backward half at the first
    sample, "final_sample" both at the last.
    """
    forward, backward = states.chunk(2, dim=1)
    end = backward[..., -1] if last == "final_sample" else backward[..., 0]
    mean = functional.adaptive_avg_pool1d(states, 1).squeeze(-1)
    return torch.cat([mean, states.amax(-1), forward[..., -1], end], dim=1)
