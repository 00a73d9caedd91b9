"""Attia's residual network (Attia et al. 2019, Lancet: atrial fibrillation from sinus rhythm).

What is fixed. ECGencode (Bontinck et al. 2024), which took the network as its benchmark, calls it
inspired by ResNet-9 and counts 217,350 numbers and about 670 MFLOP with 12 leads of 5000 samples
and 2 outputs. Public re-implementations of the group's networks for other tasks agree on
convolutions along time first, each lead alike, then across leads, with batch norm and ReLU; those
of the one for age and sex (Attia et al. 2019, Circ Arrhythm Electrophysiol) have eight temporal
stages of 16, 16, 32, 32, 64, 64, 64, 64 filters with kernels 7, 5, 5, 5, 5, 3, 3, 3 and max-pools
2, 4, 2, 4, 2, 2, 2, 2, and a spatial stage of 128.

What is open. The full text of the Lancet paper and its appendix could not be had, and no program
for this task is public. That its stages are those of the network for age and sex, that each is a
residual block of two convolutions, the spatial one too, and how its kernel lies, is our inference.

What was settled. Eight temporal blocks and a spatial one (nine blocks), pre-activated (batch norm,
ReLU, convolution with bias, twice) as He et al. 2016, a normed 1 x 1 shortcut where the number of
filters changes, max-pool after each temporal block, a spatial block of kernel 3 along the leads, a
last batch norm and ReLU, the mean over leads and time, and one dense layer. Two convolutions a
stage give the published cost; the rest was chosen among the usual variants by the published count,
which it meets exactly (each batch norm counted as four numbers a channel, as that paper does) at
692 MFLOP. Other variants meet the count too: it supports the structure and does not prove it.

Grad-CAM reads the fourth temporal block, where the leads are still apart and a step is 128 ms; the
last one leaves four steps for ten seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional

from ecgcore.models.input_spec import InputSpec
from ecgcore.models.network import Network, count_numbers
from ecgcore.models.registry import register

PAPER = "Attia et al. 2019, atrial fibrillation from sinus rhythm"

CAM_BLOCK = 3
"""Index of the temporal block that Grad-CAM reads."""


@dataclass(frozen=True)
class AttiaOptions:
    """Filters, kernels and max-pools of the temporal blocks; filters and kernel of the spatial
    block; drop-out before the dense layer (0 as counted)."""

    filters: tuple[int, ...] = (16, 16, 32, 32, 64, 64, 64, 64)
    kernels: tuple[int, ...] = (7, 5, 5, 5, 5, 3, 3, 3)
    pools: tuple[int, ...] = (2, 4, 2, 4, 2, 2, 2, 2)
    spatial_filters: int = 128
    spatial_kernel: int = 3
    dropout: float = 0.0

    def __post_init__(self) -> None:
        blocks = len(self.filters)
        if not blocks == len(self.kernels) == len(self.pools) or blocks <= CAM_BLOCK:
            raise ValueError(
                f"{blocks} filters, {len(self.kernels)} kernels, {len(self.pools)} pools; "
                f"give as many of each, at least {CAM_BLOCK + 1}"
            )


class ResidualBlock(nn.Module):
    """Pre-activated block of two convolutions on (batch, channels, leads, time), then max-pool.

    ``kernel`` is (leads, time) and odd; ``pool`` divides the time, rounded down.
    """

    def __init__(self, inputs: int, outputs: int, kernel: tuple[int, int], pool: int = 1) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.BatchNorm2d(inputs),
            nn.ReLU(),
            nn.Conv2d(inputs, outputs, kernel, padding="same"),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, kernel, padding="same"),
        )
        self.shortcut: nn.Module = nn.Identity()
        if inputs != outputs:
            self.shortcut = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs)
            )
        self.pool: nn.Module = nn.MaxPool2d((1, pool)) if pool > 1 else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """(batch, inputs, leads, time) to (batch, outputs, leads, time / pool)."""
        pooled: Tensor = self.pool(self.body(x) + self.shortcut(x))
        return pooled


@register(
    "attia",
    options=AttiaOptions,
    paper=PAPER,
    spec=InputSpec(sampling_rate=500.0, seconds=10.0),
    labels=2,
    output="softmax",
    count=count_numbers,
)
class Attia(Network):
    """The whole network; features are the spatial block's channels, averaged."""

    cam_keeps_leads = True

    def __init__(self, options: AttiaOptions, leads: int, labels: int) -> None:
        super().__init__()
        inputs = (1, *options.filters[:-1])
        shapes = zip(inputs, options.filters, options.kernels, options.pools, strict=True)
        self.temporal = nn.Sequential(
            *(ResidualBlock(i, filters, (1, kernel), pool) for i, filters, kernel, pool in shapes)
        )
        wide = options.spatial_filters
        self.spatial = ResidualBlock(options.filters[-1], wide, (options.spatial_kernel, 1))
        self.norm = nn.BatchNorm2d(wide)
        self.dropout = nn.Dropout(options.dropout)
        self.head = nn.Linear(wide, labels)

    def features(self, x: Tensor) -> Tensor:
        """(batch, spatial filters): the mean over leads and time."""
        fused = functional.relu(self.norm(self.spatial(self.temporal(x[:, None]))))
        averaged: Tensor = self.dropout(fused.mean((2, 3)))
        return averaged

    @property
    def cam_layer(self) -> nn.Module:
        """The fourth temporal block: (batch, channels, leads, time)."""
        return self.temporal[CAM_BLOCK]
