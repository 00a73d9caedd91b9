"""cnn_hannun: the 34-layer network of Hannun, Rajpurkar et al. (Nature Medicine 2019).

A backbone of MVKT-ECG (Qin et al. 2023), there with 256 features.

Structure from the paper and the authors' published program: a convolution 32@16, then 16 blocks of
two convolutions of 16; 32 x 2^k filters, k rising every fourth block, so 256 in the last four;
every other block halves the length. Batch norm and ReLU stand before each convolution (the first
block's first is served by the stem's), drop-out 0.2 between a block's two. The shortcut is
max-pooled where the length halves and padded with zero channels where the filters double: it has no
weights. Convolutions are biased, as in the program. A last batch norm and ReLU end it.

Their output layer answers for every step; here, as a recording has one set of labels, the steps are
averaged first, which gives the 256 features that MVKT-ECG projects (its Eq. 1). Lengths that are no
multiple of 256 are rounded up at each halving. At 100 Hz the 1000 samples end as 4 steps.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional

from ecgcore.convolution_blocks import AveragePool
from ecgcore.layers import pad_same
from ecgcore.models.network import PooledNetwork, count_parameters
from ecgcore.models.registry import register
from ecgcore.models.resnet1d import MVKT_LABELS, MVKT_SPEC

PAPER = "Qin et al. 2023, MVKT-ECG (Hannun et al. 2019)"


@dataclass(frozen=True)
class HannunOptions:
    """Blocks, filters of the first, after how many blocks they double, kernel, and drop-out."""

    blocks: int = 16
    filters: int = 32
    double_every: int = 4
    kernel: int = 16
    dropout: float = 0.2


class ConvSame(nn.Conv1d):
    """A biased convolution, zero-padded so that a stride s gives ceil(time / s) steps."""

    def forward(self, x: Tensor) -> Tensor:
        """(batch, inputs, time) to (batch, outputs, ceil(time / stride))."""
        return super().forward(pad_same(x, self.kernel_size[0], self.stride[0]))


class PreActivationBlock(nn.Module):
    """Two convolutions, each behind a norm and ReLU, around a shortcut without weights."""

    def __init__(
        self, inputs: int, outputs: int, options: HannunOptions, stride: int, *, first: bool
    ) -> None:
        super().__init__()
        before = nn.Identity() if first else nn.Sequential(nn.BatchNorm1d(inputs), nn.ReLU())
        self.path = nn.Sequential(
            before,
            ConvSame(inputs, outputs, options.kernel, stride),
            nn.BatchNorm1d(outputs),
            nn.ReLU(),
            nn.Dropout(options.dropout),
            ConvSame(outputs, outputs, options.kernel),
        )
        self.stride, self.new_channels = stride, outputs - inputs

    def forward(self, x: Tensor) -> Tensor:
        """(batch, inputs, time) to (batch, outputs, ceil(time / stride))."""
        shortcut = functional.max_pool1d(x, self.stride, ceil_mode=True) if self.stride > 1 else x
        widened: Tensor = functional.pad(shortcut, [0, 0, 0, self.new_channels])
        summed: Tensor = self.path(x) + widened
        return summed


def _trunk(options: HannunOptions, leads: int) -> tuple[nn.Sequential, int]:
    """Stem, blocks and the last norm, with the number of their output channels."""
    channels = options.filters
    trunk = nn.Sequential(
        ConvSame(leads, channels, options.kernel), nn.BatchNorm1d(channels), nn.ReLU()
    )
    for index in range(options.blocks):
        wide = options.filters * 2 ** (index // options.double_every)
        stride = 1 + index % 2
        trunk.append(PreActivationBlock(channels, wide, options, stride, first=index == 0))
        channels = wide
    trunk.append(nn.Sequential(nn.BatchNorm1d(channels), nn.ReLU()))
    return trunk, channels


@register(
    "cnn_hannun",
    options=HannunOptions,
    paper=PAPER,
    spec=MVKT_SPEC,
    labels=MVKT_LABELS,
    output="sigmoid",
    count=count_parameters,
)
class HannunNetwork(PooledNetwork):
    """The whole network; features are the last block's averages over time."""

    def __init__(self, options: HannunOptions, leads: int, labels: int) -> None:
        super().__init__()
        self.trunk, channels = _trunk(options, leads)
        self.pool = AveragePool(channels)
        self.head = nn.Linear(channels, labels)
        for module in self.modules():
            if isinstance(module, nn.Conv1d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
