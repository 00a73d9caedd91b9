"""Squeeze-and-excitation residual networks: seresnet18 and seresnet34 (Zhao et al., CinC 2020).

Second place in the PhysioNet/CinC Challenge 2020 and baselines of MVKT-ECG (Qin et al. 2023).
Structure from the authors' published program: He et al.'s ResNet along time with a stem 64@15/2,
max-pool 3/2, kernels of 7, drop-out 0.2 between a block's convolutions, and before the sum a
squeeze-and-excitation of reduction 16 without biases; blocks 2, 2, 2, 2 or 3, 4, 6, 3 of 64, 128,
256, 512 channels; average pooling, dense. 512 features.

Their entry also appends ten numbers computed from age and sex to the features; MVKT-ECG compares
networks that see the signal alone, and so does this one. Theirs is a seresnet18; the 34 of MVKT's
Table 1 follows from the same program.
"""

from __future__ import annotations

from dataclasses import dataclass

from ecgcore.models.network import count_parameters
from ecgcore.models.registry import register
from ecgcore.models.resnet1d import MVKT_LABELS, MVKT_SPEC, ResNet1d, ResNetOptions

PAPER = "Qin et al. 2023, MVKT-ECG (Zhao et al. 2020, CinC)"


@dataclass(frozen=True)
class SEResNet34Options(ResNetOptions):
    """seresnet34."""

    kernels: tuple[int, int] = (7, 7)
    stem_kernel: int = 15
    dropout: float = 0.2
    excitation: int = 16


@dataclass(frozen=True)
class SEResNet18Options(SEResNet34Options):
    """seresnet18."""

    blocks: tuple[int, ...] = (2, 2, 2, 2)


for _name, _options in {"seresnet18": SEResNet18Options, "seresnet34": SEResNet34Options}.items():
    register(
        _name,
        options=_options,
        paper=PAPER,
        spec=MVKT_SPEC,
        labels=MVKT_LABELS,
        output="sigmoid",
        count=count_parameters,
    )(ResNet1d)
