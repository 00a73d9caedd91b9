"""xresnet1d101 has the PTB-XL benchmark's structure and count; the wide one MVKT-ECG's features."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from ecgcore.models.network import count_parameters
from ecgcore.models.registry import build_network
from ecgcore.models.xresnet1d import Bottleneck, XResNet1d
from tests.models.counting import benchmark_head, conv_norm, dense


def bottleneck(inputs: int, width: int, kernel: int) -> int:
    """Weights of a block, with the shortcut's where channels change."""
    path = conv_norm(inputs, width, 1) + conv_norm(width, width, kernel)
    path += conv_norm(width, 4 * width, 1)
    return path + (conv_norm(inputs, 4 * width, 1) if inputs != 4 * width else 0)


def stages(widths: tuple[int, ...], kernel: int) -> int:
    """Weights of blocks 3, 4, 23, 3."""
    total, channels = 0, 64
    for width, blocks in zip(widths, (3, 4, 23, 3), strict=True):
        total += bottleneck(channels, width, kernel)
        total += (blocks - 1) * bottleneck(4 * width, width, kernel)
        channels = 4 * width
    return total


def stem(kernel: int) -> int:
    """Weights of the three convolutions, 12 leads."""
    return conv_norm(12, 32, kernel) + conv_norm(32, 32, kernel) + conv_norm(32, 64, kernel)


def test_the_published_count() -> None:
    network = build_network("xresnet1d101", leads=12, labels=71)
    assert count_parameters(network) == 1_880_775
    assert (stem(5), stages((64,) * 4, 5), benchmark_head(256, 71)) == (17_536, 1_787_136, 76_103)
    assert 17_536 + 1_787_136 + 76_103 == 1_880_775


def test_the_wide_networks_count_by_hand() -> None:
    network = build_network("xresnet1d101_wide", leads=12, labels=5)
    expected = stem(3) + stages((64, 128, 256, 512), 3) + dense(2048, 5)
    assert count_parameters(network) == expected


@pytest.mark.parametrize(
    ("name", "channels"),
    [("xresnet1d101", (256, 256, 256, 256)), ("xresnet1d101_wide", (256, 512, 1024, 2048))],
)
def test_shapes_of_the_stages(name: str, channels: tuple[int, ...]) -> None:
    network = build_network(name, leads=12, labels=71).eval()
    assert isinstance(network, XResNet1d)
    x, shapes = torch.randn(1, 12, 1000), []
    with torch.inference_mode():
        for part in network.trunk:
            x = part(x)
            shapes.append(tuple(x.shape[1:]))
    assert shapes[:4] == [(32, 500), (32, 500), (64, 500), (64, 250)]
    assert shapes[4:] == list(zip(channels, (250, 125, 63, 32), strict=True))
    assert [len(stage) for stage in network.trunk[4:]] == [3, 4, 23, 3]


def test_the_stride_is_in_the_middle_convolution() -> None:
    block = Bottleneck(256, 64, 5, stride=2)
    kernels = [(part[0].kernel_size[0], part[0].stride[0]) for part in block.path]
    assert kernels == [(1, 1), (5, 2), (1, 1)]


def test_the_shortcut_averages_pairs_and_projects_only_where_channels_change() -> None:
    same, wider = Bottleneck(16, 4, 5, stride=2).eval(), Bottleneck(8, 4, 5, stride=2).eval()
    for block in (same, wider):
        nn.init.zeros_(block.path[2][1].weight)
    x = torch.randn(2, 16, 7)
    pairs = torch.cat([(x[..., 0:6:2] + x[..., 1:6:2]) / 2, x[..., 6:]], dim=-1)
    torch.testing.assert_close(same(x), pairs.relu())
    projected = functional.conv1d(pairs[:, :8], wider.shortcut[1][0].weight)
    torch.testing.assert_close(wider(x[:, :8]), projected.relu(), rtol=1e-4, atol=1e-4)


def test_every_norm_starts_at_one() -> None:
    """As in the benchmark's program: no block starts as its shortcut alone."""
    network = build_network("xresnet1d101", leads=12, labels=71)
    norms = [part for part in network.modules() if isinstance(part, nn.BatchNorm1d)]
    assert len(norms) == 3 + 33 * 3 + 1 + 2
    assert all(bool((norm.weight == 1).all()) for norm in norms)
