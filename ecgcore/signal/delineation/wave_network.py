"""The network that marks waves: a 1-D U-Net over one lead, a second one over all leads' features.

Every lead goes through the same weights alone, so that its marks depend on nothing else. The
features of all leads that are there are then averaged, and their maximum taken, whatever their
number and order, and a second small U-Net answers for the heart as a whole. After Ronneberger et
al., U-Net, MICCAI 2015, and Moskalenko et al., Deep Learning for ECG Segmentation, 2019, who first
delineated LUDB with one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import reduce
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

CLASSES = ("none", "P", "QRS", "T")

_STEM_KERNEL = 9
_KERNEL = 5


@dataclass(frozen=True)
class WaveNetworkOptions:
    """Channels at 125, 62.5, 31.25 ... Hz of the lead's U-Net and of the one over all leads."""

    lead_channels: tuple[int, ...] = (16, 32, 48, 64, 96)
    joint_channels: tuple[int, ...] = (32, 48, 64, 64)

    @classmethod
    def from_json(cls, value: Any) -> WaveNetworkOptions:
        """From a card. Raises ValueError for anything but two lists of whole numbers."""
        names = {field.name for field in fields(cls)}
        if not isinstance(value, dict) or set(value) != names:
            raise ValueError(f"network options {value!r}; expected {', '.join(sorted(names))}")
        for channels in value.values():
            if not channels or not all(isinstance(c, int) and c > 0 for c in channels):
                raise ValueError(f"channels {channels!r}; expected a list of whole numbers")
        return cls(**{name: tuple(channels) for name, channels in value.items()})

    @property
    def multiple(self) -> int:
        """The number of samples must be a multiple of this."""
        return int(2 ** max(len(self.lead_channels), len(self.joint_channels)))


def _convolution(channels_in: int, channels_out: int, stride: int = 1) -> nn.Sequential:
    padding = (0, _KERNEL // 2)
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, (1, _KERNEL), (1, stride), padding, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(),
    )


class _UNet(nn.Module):
    """(batch, channels[0], 1, samples) to the same shape."""

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        pairs = list(pairwise(channels))
        self.top = nn.Sequential(
            _convolution(channels[0], channels[0]), _convolution(channels[0], channels[0])
        )
        self.down = nn.ModuleList(
            nn.Sequential(_convolution(high, low, 2), _convolution(low, low)) for high, low in pairs
        )
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(low, high, (1, 2), (1, 2)) for high, low in pairs
        )
        self.merge = nn.ModuleList(
            nn.Sequential(_convolution(2 * high, high), _convolution(high, high))
            for high, _ in pairs
        )

    def forward(self, values: Tensor) -> Tensor:
        levels = [self.top(values)]
        for down in self.down:
            levels.append(down(levels[-1]))
        values = levels.pop()
        for up, merge in zip(reversed(self.up), reversed(self.merge), strict=True):
            values = merge(torch.cat([up(values), levels.pop()], dim=1))
        return values


class WaveNetwork(nn.Module):
    """Class logits for every lead and for all of them together.

    Takes (records, leads, samples) at 250 Hz as ``lead_input`` gives them, the samples a multiple
    of ``options.multiple``; gives (records, leads, 4, samples) and (records, 4, samples).
    """

    def __init__(self, options: WaveNetworkOptions) -> None:
        super().__init__()
        self.options = options
        width, joint = options.lead_channels[0], options.joint_channels[0]
        self.stem = nn.Sequential(
            nn.Conv2d(1, width, (1, _STEM_KERNEL), (1, 2), (0, _STEM_KERNEL // 2), bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
        )
        self.lead_net = _UNet(options.lead_channels)
        self.lead_head = nn.Conv2d(width, 2 * len(CLASSES), (1, _KERNEL), padding=(0, _KERNEL // 2))
        self.pooled = _convolution(2 * width, joint)
        self.joint_net = _UNet(options.joint_channels)
        self.joint_head = nn.Conv2d(
            joint, 2 * len(CLASSES), (1, _KERNEL), padding=(0, _KERNEL // 2)
        )

    def forward(self, values: Tensor, present: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """``present`` (records, leads) bool: the leads that the joint answer may use; None: all."""
        records, leads, samples = values.shape
        rows = values.reshape(records * leads, 1, 1, samples)
        features = self.lead_net(self.stem(rows.contiguous(memory_format=torch.channels_last)))
        by_lead = _by_sample(self.lead_head(features)).reshape(records, leads, -1, samples)
        features = features.reshape(records, leads, *features.shape[1:])
        pooled = self.pooled(_pool(features, present))
        return by_lead, _by_sample(self.joint_head(self.joint_net(pooled)))


def by_sample(network: WaveNetwork) -> WaveNetwork:
    """The weights laid out so that the channels of a sample lie together: a third faster."""
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network


def _pool(features: Tensor, present: Tensor | None) -> Tensor:
    """Mean and maximum over the leads, (records, 2 x channels, 1, samples)."""
    if present is None:
        mean = features.mean(1)
        most = reduce(torch.maximum, features.unbind(1))  # amax over this axis is slower
    else:
        here = present[:, :, None, None, None].to(features.dtype)
        mean = (features * here).sum(1) / here.sum(1)
        most = (features * here).amax(1)  # features are not negative after the ReLU
    pooled = torch.cat([mean, most], dim=1)
    return pooled.contiguous(memory_format=torch.channels_last)


def _by_sample(halves: Tensor) -> Tensor:
    """(batch, 2 x classes, 1, n) at 125 Hz to (batch, classes, 2 n) at 250 Hz."""
    batch, channels, _, samples = halves.shape
    split = halves.reshape(batch, 2, channels // 2, samples)
    return split.permute(0, 2, 3, 1).reshape(batch, channels // 2, 2 * samples)


def folded(network: WaveNetwork) -> WaveNetwork:
    """The same network in eval mode, its normalisations multiplied into the convolutions.

    Its activations are written over their input: it can no longer be trained.
    """
    network = network.eval()
    for part in list(network.modules()):
        if isinstance(part, nn.ReLU):
            part.inplace = True
        if not isinstance(part, nn.Sequential):
            continue
        convolution, normalisation = part[0], part[1]
        if isinstance(convolution, nn.Conv2d) and isinstance(normalisation, nn.BatchNorm2d):
            part[0] = fuse_conv_bn_eval(convolution, normalisation)
            part[1] = nn.Identity()
    return by_sample(network)
