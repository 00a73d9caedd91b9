"""Deep residual network with attention (Liu, He, Wang et al., MLMECH 2019): resnet1d_liu.

A baseline of MVKT-ECG (Qin et al. 2023), which runs one network of their ensemble. Settled from the
abstract alone (arXiv 1908.10088), "a novel structure that combines a deep residual network with an
attention mechanism": the full text was not at hand and may fix more, so its weights' number is not
claimed; MVKT-ECG's published program does not hold this network.

Settled: the residual part is He et al.'s ResNet-34 along time, as in ``resnet1d34``, so that the
baseline differs from it by the attention alone. The attention scores each time step through a tanh
layer of 128, takes the softmax over time and sums the steps so weighed (feed-forward attention,
Raffel and Ellis 2015): one weighing for all labels, so that the last layer stays a dense layer on
features (512). The same authors' later network (Biosensors 2021) weighs anew for each class.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ecgcore.convolution_blocks import initialise_backbone
from ecgcore.models.network import PooledNetwork, count_parameters
from ecgcore.models.registry import register
from ecgcore.models.resnet1d import MVKT_LABELS, MVKT_SPEC, TrunkOptions, residual_trunk

PAPER = "Qin et al. 2023, MVKT-ECG (Liu et al. 2019)"


@dataclass(frozen=True)
class LiuOptions(TrunkOptions):
    """The residual part, and the width of the attention's tanh layer."""

    attention: int = 128


class AttentionPool(nn.Module):
    """A weighted mean over time whose weights the network computes."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.score = nn.Sequential(
            nn.Linear(channels, width), nn.Tanh(), nn.Linear(width, 1, bias=False)
        )

    def weights(self, x: Tensor) -> Tensor:
        """(batch, channels, time) to weights (batch, time) that sum to 1 over time."""
        return torch.softmax(self.score(x.transpose(1, 2))[..., 0], dim=-1)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, time) to (batch, channels)."""
        return torch.einsum("bct,bt->bc", x, self.weights(x))


@register(
    "resnet1d_liu",
    options=LiuOptions,
    paper=PAPER,
    spec=MVKT_SPEC,
    labels=MVKT_LABELS,
    output="sigmoid",
    count=count_parameters,
)
class ResNetAttention(PooledNetwork):
    """The whole network; features are the time steps' attention-weighted mean."""

    def __init__(self, options: LiuOptions, leads: int, labels: int) -> None:
        super().__init__()
        self.trunk = residual_trunk(options, leads)
        self.pool = AttentionPool(options.widths[-1], options.attention)
        self.head = nn.Linear(options.widths[-1], labels)
        initialise_backbone(self, "average")
