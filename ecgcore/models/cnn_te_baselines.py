"""The five networks that CNN-TE is compared with (Ford and Lan): VGG11, GRU, LSTM, CNN-GRU,
CNN-LSTM.

The paper names them, their sources and what each can see, and no sizes. All read the same ten
seconds at 500 Hz and are started by Xavier's numbers, as CNN-TE is. Settled:
- VGG11 is configuration A of Simonyan and Zisserman 2014 in one dimension: 8 convolutions of 3
  samples, five max-pools of 2, three dense layers. The average pool to 7 moments before the dense
  layers, as usual in its programs, frees it from a fixed length. Batch norm, which the paper lists
  among its means, is on; without it Xavier's start and a rate of 1e-3 learn nothing.
- GRU and LSTM are one layer of 128 units over the 5,000 samples of all leads.
- CNN-GRU and CNN-LSTM put a layer of 256 units on CNN-TE's own convolutional module: they differ
  from it only in what reads the 157 moments.
- All four average their states over time, as CNN-TE does: the last state alone forgets thousands
  of steps.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ecgcore.models.cnn_te import (
    CNN_TE_LABELS,
    CNN_TE_SPEC,
    ConvolutionalModule,
    ConvolutionOptions,
    xavier,
)
from ecgcore.models.network import Network, count_parameters
from ecgcore.models.registry import register

PAPER = "Ford and Lan, baseline of CNN-TE"

MOMENTS = 7
"""Moments that VGG11's dense layers see: the side of the 7 x 7 maps that the original flattens."""


@dataclass(frozen=True)
class VGG11Options:
    """Channels of the five blocks, convolutions in each, width of the dense layers."""

    channels: tuple[int, ...] = (64, 128, 256, 512, 512)
    convolutions: tuple[int, ...] = (1, 1, 2, 2, 2)
    dense: int = 4096
    batch_norm: bool = True
    dropout: float = 0.5


@dataclass(frozen=True)
class RecurrentOptions:
    """Units of a layer, layers, and dropout between them and before the dense layer."""

    units: int = 128
    layers: int = 1
    dropout: float = 0.1


@dataclass(frozen=True)
class ConvolutionalRecurrentOptions(ConvolutionOptions):
    """CNN-TE's convolutional module with a recurrent layer behind it."""

    units: int = 256
    layers: int = 1
    dropout: float = 0.1


@register(
    "vgg11",
    options=VGG11Options,
    paper=PAPER,
    spec=CNN_TE_SPEC,
    labels=CNN_TE_LABELS,
    output="sigmoid",
    count=count_parameters,
)
class VGG11(Network):
    """Eight convolutions, three dense layers; features are the input of the last."""

    def __init__(self, options: VGG11Options, leads: int, labels: int) -> None:
        super().__init__()
        self.convolutions = nn.Sequential()
        width = leads
        for outputs, number in zip(options.channels, options.convolutions, strict=True):
            for _ in range(number):
                self.convolutions.append(
                    nn.Conv1d(width, outputs, 3, padding=1, bias=not options.batch_norm)
                )
                if options.batch_norm:
                    self.convolutions.append(nn.BatchNorm1d(outputs))
                self.convolutions.append(nn.ReLU())
                width = outputs
            self.convolutions.append(nn.MaxPool1d(2))
        self.dense = nn.Sequential(
            nn.AdaptiveAvgPool1d(MOMENTS),
            nn.Flatten(),
            nn.Linear(MOMENTS * width, options.dense),
            nn.ReLU(),
            nn.Dropout(options.dropout),
            nn.Linear(options.dense, options.dense),
            nn.ReLU(),
            nn.Dropout(options.dropout),
        )
        self.head = nn.Linear(options.dense, labels)
        xavier(self)

    def features(self, x: Tensor) -> Tensor:
        """(batch, dense)."""
        dense: Tensor = self.dense(self.convolutions(x))
        return dense

    @property
    def cam_layer(self) -> nn.Module:
        """The last max-pool, whose output is (batch, 512, 156) for ten seconds."""
        return self.convolutions


class Recurrence(nn.Module):
    """A recurrent layer from (batch, channels, time) to (batch, units, time)."""

    def __init__(self, layer: nn.RNNBase) -> None:
        super().__init__()
        if not layer.batch_first:
            raise ValueError("a recurrent layer with time first; build it with batch_first=True")
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        """The states of the last layer at every moment."""
        explained = x.is_cuda and torch.is_grad_enabled() and not self.training
        # Outside training, cuDNN keeps nothing for the way back that explanations take.
        with torch.backends.cudnn.flags(enabled=False) if explained else nullcontext():
            states: Tensor = self.layer(x.transpose(1, 2))[0]
        return states.transpose(1, 2)


class RecurrentNetwork(Network):
    """A recurrence over samples or, behind ``convolutions``, over maps; features are the states'
    mean over time."""

    def __init__(
        self, convolutions: nn.Module | None, layer: nn.RNNBase, dropout: float, labels: int
    ) -> None:
        super().__init__()
        self.convolutions = convolutions
        self.recurrence = Recurrence(layer)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(layer.hidden_size, labels)
        xavier(self)

    def features(self, x: Tensor) -> Tensor:
        """(batch, units)."""
        maps = x if self.convolutions is None else self.convolutions(x)
        pooled: Tensor = self.dropout(self.recurrence(maps).mean(-1))
        return pooled

    @property
    def cam_layer(self) -> nn.Module:
        """The convolutions, whose moments are each their own; else the recurrence."""
        return self.recurrence if self.convolutions is None else self.convolutions


def _layer(
    kind: type[nn.GRU] | type[nn.LSTM],
    inputs: int,
    options: RecurrentOptions | ConvolutionalRecurrentOptions,
) -> nn.RNNBase:
    between = options.dropout if options.layers > 1 else 0.0
    return kind(inputs, options.units, options.layers, batch_first=True, dropout=between)


@register(
    "gru",
    options=RecurrentOptions,
    paper=PAPER,
    spec=CNN_TE_SPEC,
    labels=CNN_TE_LABELS,
    output="sigmoid",
    count=count_parameters,
)
def gru(options: RecurrentOptions, leads: int, labels: int) -> RecurrentNetwork:
    """A GRU over the samples."""
    return RecurrentNetwork(None, _layer(nn.GRU, leads, options), options.dropout, labels)


@register(
    "lstm",
    options=RecurrentOptions,
    paper=PAPER,
    spec=CNN_TE_SPEC,
    labels=CNN_TE_LABELS,
    output="sigmoid",
    count=count_parameters,
)
def lstm(options: RecurrentOptions, leads: int, labels: int) -> RecurrentNetwork:
    """An LSTM over the samples."""
    return RecurrentNetwork(None, _layer(nn.LSTM, leads, options), options.dropout, labels)


@register(
    "cnn_gru",
    options=ConvolutionalRecurrentOptions,
    paper=PAPER,
    spec=CNN_TE_SPEC,
    labels=CNN_TE_LABELS,
    output="sigmoid",
    count=count_parameters,
)
def cnn_gru(options: ConvolutionalRecurrentOptions, leads: int, labels: int) -> RecurrentNetwork:
    """The convolutional module, then a GRU."""
    return _behind_convolutions(nn.GRU, options, leads, labels)


@register(
    "cnn_lstm",
    options=ConvolutionalRecurrentOptions,
    paper=PAPER,
    spec=CNN_TE_SPEC,
    labels=CNN_TE_LABELS,
    output="sigmoid",
    count=count_parameters,
)
def cnn_lstm(options: ConvolutionalRecurrentOptions, leads: int, labels: int) -> RecurrentNetwork:
    """The convolutional module, then an LSTM."""
    return _behind_convolutions(nn.LSTM, options, leads, labels)


def _behind_convolutions(
    kind: type[nn.GRU] | type[nn.LSTM],
    options: ConvolutionalRecurrentOptions,
    leads: int,
    labels: int,
) -> RecurrentNetwork:
    convolutions = ConvolutionalModule(options, leads)
    layer = _layer(kind, options.channels[-1], options)
    return RecurrentNetwork(convolutions, layer, options.dropout, labels)
