"""One-dimensional residual networks of two-convolution blocks: resnet1d34 and resnet1d_wang.

MVKT-ECG (Qin et al. 2023) takes both as backbones: features of 512 and 128 numbers.

resnet1d34 is He et al.'s ResNet-34 (CVPR 2016) along time: convolution 64@7/2, max-pool 3/2,
blocks 3, 4, 6, 3 of 64, 128, 256, 512 channels and kernels of 3, average pooling, dense. The paper
gives only its 512 features, which are these channels averaged over time (its Eq. 1); the PTB-XL
benchmark's resnet1d34 has 128 channels throughout and would not fit.

resnet1d_wang is the PTB-XL benchmark's (Strodthoff et al. 2021, after Wang et al. 2017): stem
128@7, stride 1, no pooling; three blocks of 128 channels with kernels 5 and 3, the second and third
with stride 2; the benchmark's head with a hidden layer of 128. Its program states all of it: with
12 leads and 71 outputs these are 481,863 weights. Its features are the hidden layer's 128 numbers
after the ReLU and norm; the channels averaged over time, which MVKT's Eq. 1 would project, are
128 too: ``head="average"`` gives these.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from ecgcore.convolution_blocks import (
    BasicBlock,
    ConvNormReLU,
    HeadName,
    block_plan,
    initialise_backbone,
    pooling_head,
)
from ecgcore.models.input_spec import InputSpec
from ecgcore.models.network import PooledNetwork, count_parameters
from ecgcore.models.registry import register

PAPER = "Qin et al. 2023, MVKT-ECG (He et al. 2016, ResNet)"
WANG_PAPER = "Qin et al. 2023, MVKT-ECG (Strodthoff et al. 2021, PTB-XL benchmark)"
MVKT_SPEC = InputSpec(sampling_rate=100.0, seconds=10.0)
"""PTB-XL at 100 Hz, 1000 samples (MVKT-ECG, section 4)."""

MVKT_LABELS = 5
"""The paper's first task: PTB-XL's superclasses."""


@dataclass(frozen=True)
class TrunkOptions:
    """Shape of stem and stages; the defaults are ResNet-34's.

    ``widths`` are the channels of each stage and ``blocks`` its blocks; every stage but the first
    halves the length. ``kernels`` are a block's two. ``dropout`` stands between a block's
    convolutions, ``excitation`` is the reduction of its squeeze-and-excitation (0: none).
    """

    widths: tuple[int, ...] = (64, 128, 256, 512)
    blocks: tuple[int, ...] = (3, 4, 6, 3)
    kernels: tuple[int, int] = (3, 3)
    stem_kernel: int = 7
    stem_stride: int = 2
    stem_pool: bool = True
    dropout: float = 0.0
    excitation: int = 0


@dataclass(frozen=True)
class ResNetOptions(TrunkOptions):
    """A residual network with a pooling head; the defaults are resnet1d34's.

    ``hidden`` and ``head_dropout`` belong to the benchmark's head.
    """

    head: HeadName = "average"
    hidden: int = 128
    head_dropout: float = 0.5


@dataclass(frozen=True)
class WangOptions(ResNetOptions):
    """resnet1d_wang of the PTB-XL benchmark."""

    widths: tuple[int, ...] = (128, 128, 128)
    blocks: tuple[int, ...] = (1, 1, 1)
    kernels: tuple[int, int] = (5, 3)
    stem_stride: int = 1
    stem_pool: bool = False
    head: HeadName = "benchmark"


def residual_trunk(options: TrunkOptions, leads: int) -> nn.Sequential:
    """Stem and stages: (batch, leads, samples) to (batch, last width, time)."""
    plan = block_plan(options.widths, options.blocks)
    channels = options.widths[0]
    trunk = nn.Sequential(ConvNormReLU(leads, channels, options.stem_kernel, options.stem_stride))
    if options.stem_pool:
        trunk.append(nn.MaxPool1d(3, stride=2, padding=1))
    for blocks in plan:
        stage = nn.Sequential()
        for width, stride in blocks:
            block = BasicBlock(
                channels,
                width,
                options.kernels,
                stride,
                dropout=options.dropout,
                excitation=options.excitation,
            )
            stage.append(block)
            channels = width
        trunk.append(stage)
    return trunk


@register(
    "resnet1d_wang",
    options=WangOptions,
    paper=WANG_PAPER,
    spec=MVKT_SPEC,
    labels=71,
    output="sigmoid",
    count=count_parameters,
)
@register(
    "resnet1d34",
    options=ResNetOptions,
    paper=PAPER,
    spec=MVKT_SPEC,
    labels=MVKT_LABELS,
    output="sigmoid",
    count=count_parameters,
)
class ResNet1d(PooledNetwork):
    """The whole network; features are the last stage's averages, or the benchmark's hidden
    layer."""

    def __init__(self, options: ResNetOptions, leads: int, labels: int) -> None:
        super().__init__()
        self.trunk = residual_trunk(options, leads)
        self.pool = pooling_head(
            options.head, options.widths[-1], options.hidden, options.head_dropout
        )
        self.head = nn.Linear(self.pool.features, labels)
        initialise_backbone(self, options.head)
