"""SE-ECGNet (Zhang, Zhao, Liu 2020): residual blocks with squeeze-and-excitation on three scales.

The leads are rows of an image. A 1 x 50 convolution and three residual blocks of 1 x 15 halve the
time four times with the leads kept apart; then three branches, with kernels of 3, 5 and 7 samples,
each take four residual blocks a lead (32 channels), join leads and channels into one axis, and take
four residual blocks along time, each halving it. Average pooling of each branch gives 3 x 256
features.

The structure is the authors' published program: pre-activation (batch norm, ReLU, convolution
without bias), squeeze-and-excitation with a sixteenth of the channels before each sum, drop-out 0.2
between convolutions. Input: 5000 samples, which is where the program's comments on shapes come
from; its loader would resample to 2048.

Settled: the program reads the 8 recorded leads, so that leads x 32 channels are the 256 of the
one-dimensional part; with other numbers of leads the first block of each branch projects to 256.
The program builds one shortcut and passes it to all blocks of a stage, so that they share its
weights; ours have one each, ``shared_shortcuts`` reproduces theirs. Convolutions start as He et al.
2015, squeezes with a positive bias; the program leaves both to its library. Age and sex, which the
program can append to the features, are left to the fusion network.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from ecgcore.models.input_spec import InputSpec
from ecgcore.models.network import Network, count_parameters
from ecgcore.models.registry import register

PAPER = "Zhang, Zhao, Liu 2020, SE-ECGNet"

STEM_KERNEL, EARLY_KERNEL = 50, 15
SQUEEZE = 16
"""A squeeze has a sixteenth of the channels."""

_SQUEEZE_START = 0.5
"""A squeeze of 32 channels has two ReLU; a positive bias keeps both alive at the start."""


@dataclass(frozen=True)
class SEECGNetOptions:
    """Kernels of the branches, channels a lead and of the joined part, blocks of each stage,
    drop-out, and whether a stage's blocks share one shortcut, as in the authors' program."""

    kernels: tuple[int, ...] = (3, 5, 7)
    channels: int = 32
    joined_channels: int = 256
    early_blocks: int = 3
    blocks: int = 4
    dropout: float = 0.2
    shared_shortcuts: bool = False


class SqueezeExcitation(nn.Module):
    """Scale each channel by a number in 0..1 made from all channels' means (Hu et al. 2018)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        squeezed = max(channels // SQUEEZE, 1)
        self.squeeze, self.excite = nn.Linear(channels, squeezed), nn.Linear(squeezed, channels)
        nn.init.constant_(self.squeeze.bias, _SQUEEZE_START)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, ..., time) to the same shape."""
        scale = torch.sigmoid(self.excite(functional.relu(self.squeeze(x.flatten(2).mean(-1)))))
        return x * scale.reshape(*scale.shape, *[1] * (x.ndim - 2))


class LeadConvolution(nn.Conv2d):
    """Convolution along time of (batch, channels, leads, time), each lead alike, no bias."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1) -> None:
        super().__init__(
            inputs, outputs, (1, kernel), (1, stride), (0, (kernel - 1) // 2), bias=False
        )


class LeadBlock(nn.Module):
    """Residual block of (batch, channels, leads, time) with one or more convolutions along time.

    ``shortcut`` None adds the input itself.
    """

    def __init__(
        self,
        channels: int,
        kernel: int,
        *,
        convolutions: int,
        stride: int = 1,
        dropout: float = 0.0,
        shortcut: nn.Module | None = None,
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for number in range(convolutions):
            layers += [nn.BatchNorm2d(channels), nn.ReLU()]
            layers += [nn.Dropout(dropout)] if number else []
            layers.append(LeadConvolution(channels, channels, kernel, stride))
        self.body = nn.Sequential(*layers, SqueezeExcitation(channels))
        self.shortcut = shortcut or nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Time is divided by the stride, rounded up."""
        return functional.relu(self.body(x) + self.shortcut(x))


class TimeBlock(nn.Module):
    """Two residual parts of (batch, channels, time): one convolution that halves the time, then
    three that keep it, each part with its squeeze-and-excitation."""

    def __init__(
        self, inputs: int, channels: int, kernel: int, dropout: float, shortcut: nn.Module
    ) -> None:
        super().__init__()
        padding = kernel // 2
        self.halve = nn.Sequential(
            nn.BatchNorm1d(inputs),
            nn.ReLU(),
            nn.Conv1d(inputs, channels, kernel, 2, padding, bias=False),
            SqueezeExcitation(channels),
        )
        layers: list[nn.Module] = []
        for _ in range(3):
            layers += [nn.BatchNorm1d(channels), nn.ReLU(), nn.Dropout(dropout)]
            layers.append(nn.Conv1d(channels, channels, kernel, padding=padding, bias=False))
        self.keep = nn.Sequential(*layers, SqueezeExcitation(channels))
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        """(batch, inputs, time) to (batch, channels, ceil(time / 2))."""
        halved = self.halve(x) + self.shortcut(x)
        return functional.relu(self.keep(halved) + halved)


class Branch(nn.Module):
    """One scale: blocks a lead, then leads and channels joined, then blocks along time."""

    def __init__(self, options: SEECGNetOptions, leads: int, kernel: int) -> None:
        super().__init__()
        self.per_lead = nn.Sequential(
            *(
                LeadBlock(options.channels, kernel, convolutions=3, dropout=options.dropout)
                for _ in range(options.blocks)
            )
        )
        width = options.joined_channels
        inputs = [leads * options.channels] + [width] * (options.blocks - 1)
        shortcuts = _shortcuts(inputs, width, nn.BatchNorm1d, nn.Conv1d, options.shared_shortcuts)
        blocks = [
            TimeBlock(channels, width, kernel, options.dropout, shortcut)
            for channels, shortcut in zip(inputs, shortcuts, strict=True)
        ]
        self.joined = nn.Sequential(*blocks)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, leads, time) to (batch, joined channels, time / 16)."""
        joined: Tensor = self.joined(self.per_lead(x).flatten(1, 2))
        return joined


class Scales(nn.ModuleList):
    """All branches side by side: (batch, channels, leads, time) to (batch, branches x joined
    channels, time / 16)."""

    def forward(self, x: Tensor) -> Tensor:
        """Joined along channels; every branch gives the same times."""
        return torch.cat([branch(x) for branch in self], dim=1)


@register(
    "se_ecgnet",
    options=SEECGNetOptions,
    paper=PAPER,
    spec=InputSpec(sampling_rate=500.0, seconds=10.0),
    labels=34,
    output="sigmoid",
    count=count_parameters,
)
class SEECGNet(Network):
    """The whole network; features are the branches' channels, averaged over time."""

    def __init__(self, options: SEECGNetOptions, leads: int, labels: int) -> None:
        super().__init__()
        channels = options.channels
        self.stem = nn.Sequential(
            nn.Conv2d(1, channels, (1, STEM_KERNEL), (1, 2), bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
        )
        shortcuts = _shortcuts(
            [channels] * options.early_blocks,
            channels,
            nn.BatchNorm2d,
            nn.Conv2d,
            options.shared_shortcuts,
        )
        self.early = nn.Sequential(
            *(
                LeadBlock(channels, EARLY_KERNEL, convolutions=1, stride=2, shortcut=shortcut)
                for shortcut in shortcuts
            )
        )
        self.scales = Scales(Branch(options, leads, kernel) for kernel in options.kernels)
        self.head = nn.Linear(len(options.kernels) * options.joined_channels, labels)
        for module in self.modules():
            if isinstance(module, nn.Conv1d | nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")

    def features(self, x: Tensor) -> Tensor:
        """(batch, branches x joined channels)."""
        averaged: Tensor = self.scales(self.early(self.stem(x[:, None]))).mean(-1)
        return averaged

    @property
    def cam_layer(self) -> nn.Module:
        """The branches' last blocks, side by side."""
        return self.scales


def _shortcuts(
    inputs: list[int],
    outputs: int,
    norm: type[nn.BatchNorm1d | nn.BatchNorm2d],
    convolution: type[nn.Conv1d | nn.Conv2d],
    shared: bool,
) -> list[nn.Module]:
    """A halving shortcut for each block (batch norm, ReLU, convolution of 1 with bias); ``shared``
    gives blocks of as many inputs the same one."""
    stride = 2 if convolution is nn.Conv1d else (1, 2)
    made: dict[int, nn.Module] = {}
    shortcuts: list[nn.Module] = []
    for channels in inputs:
        if channels not in made or not shared:
            projection = convolution(channels, outputs, 1, stride)  # type: ignore[arg-type]
            made[channels] = nn.Sequential(norm(channels), nn.ReLU(), projection)
        shortcuts.append(made[channels])
    return shortcuts
