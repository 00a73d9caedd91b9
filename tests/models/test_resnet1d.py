"""The residual networks of two-convolution blocks: counts by hand, shapes, and the attention."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ecgcore.models.network import count_parameters
from ecgcore.models.registry import build_network
from ecgcore.models.resnet1d import ResNet1d
from ecgcore.models.resnet1d_liu import AttentionPool, ResNetAttention
from tests.models.counting import benchmark_head, conv_norm, dense

WIDTHS = (64, 128, 256, 512)


def block(inputs: int, outputs: int, kernels: tuple[int, int], *, halves: bool) -> int:
    """Weights of a block, with the shortcut's where it has some."""
    path = conv_norm(inputs, outputs, kernels[0]) + conv_norm(outputs, outputs, kernels[1])
    return path + (conv_norm(inputs, outputs, 1) if halves else 0)


def trunk(blocks: tuple[int, ...], kernel: int, stem_kernel: int, reduction: int = 0) -> int:
    """Weights of stem and stages, 12 leads."""
    total, channels = conv_norm(12, 64, stem_kernel), 64
    for width, count in zip(WIDTHS, blocks, strict=True):
        for index in range(count):
            halves = width > 64 and index == 0
            total += block(channels, width, (kernel, kernel), halves=halves)
            total += 2 * width * (width // reduction) if reduction else 0
            channels = width
    return total


def test_resnet1d_wang_by_hand() -> None:
    network = build_network("resnet1d_wang", leads=12, labels=71)
    stem = 12 * 128 * 7 + 2 * 128
    three_blocks = 3 * (128 * 128 * 5 + 256 + 128 * 128 * 3 + 256)
    two_shortcuts = 2 * (128 * 128 + 256)
    assert (stem, three_blocks, two_shortcuts) == (11_008, 394_752, 33_280)
    assert benchmark_head(128, 71) == 42_823
    assert count_parameters(network) == 11_008 + 394_752 + 33_280 + 42_823 == 481_863


def test_resnet1d34_by_hand() -> None:
    network = build_network("resnet1d34", leads=12, labels=5)
    assert count_parameters(network) == trunk((3, 4, 6, 3), 3, 7) + dense(512, 5) == 7_225_733


def test_resnet1d_liu_is_resnet1d34_with_attention() -> None:
    plain = build_network("resnet1d34", leads=12, labels=5)
    network = build_network("resnet1d_liu", leads=12, labels=5)
    assert count_parameters(network) == count_parameters(plain) + dense(512, 128) + 128


@pytest.mark.parametrize(
    ("name", "blocks"), [("seresnet18", (2, 2, 2, 2)), ("seresnet34", (3, 4, 6, 3))]
)
def test_seresnets_by_hand(name: str, blocks: tuple[int, ...]) -> None:
    network = build_network(name, leads=12, labels=5)
    expected = trunk(blocks, 7, 15, reduction=16) + dense(512, 5)
    assert count_parameters(network) == expected


@pytest.mark.parametrize("name", ["seresnet18", "seresnet34"])
def test_seresnets_drop_out_between_the_convolutions(name: str) -> None:
    network = build_network(name, leads=1, labels=5)
    drops = [part.p for part in network.modules() if isinstance(part, nn.Dropout)]
    assert drops == [0.2] * {"seresnet18": 8, "seresnet34": 16}[name]


@pytest.mark.parametrize(
    ("name", "shapes"),
    [
        ("resnet1d_wang", [(128, 1000), (128, 1000), (128, 500), (128, 250)]),
        ("resnet1d34", [(64, 500), (64, 250), (64, 250), (128, 125), (256, 63), (512, 32)]),
        ("seresnet18", [(64, 500), (64, 250), (64, 250), (128, 125), (256, 63), (512, 32)]),
    ],
)
def test_shapes_of_the_stages(name: str, shapes: list[tuple[int, int]]) -> None:
    network = build_network(name, leads=12, labels=5).eval()
    assert isinstance(network, ResNet1d)
    x, seen = torch.randn(1, 12, 1000), []
    with torch.inference_mode():
        for part in network.trunk:
            x = part(x)
            seen.append(tuple(x.shape[1:]))
    assert seen == shapes


def test_equal_scores_make_attention_the_mean() -> None:
    pool = AttentionPool(6, 4)
    nn.init.zeros_(pool.score[2].weight)
    x = torch.randn(2, 6, 9)
    torch.testing.assert_close(pool(x), x.mean(-1))


def test_attention_picks_the_step_that_scores_highest() -> None:
    pool = AttentionPool(1, 1)
    nn.init.constant_(pool.score[0].weight, 1.0)
    nn.init.zeros_(pool.score[0].bias)
    nn.init.constant_(pool.score[2].weight, 50.0)
    x = torch.tensor([[[0.1, 0.3, 2.0, -1.0]]])
    with torch.inference_mode():
        picked, weights = pool(x), pool.weights(x)
    assert float(picked) == pytest.approx(2.0, abs=1e-4)
    assert float(weights.sum()) == pytest.approx(1.0)
    by_hand = (50 * x[0, 0].tanh()).exp()
    torch.testing.assert_close(weights[0], by_hand / by_hand.sum())


def test_liu_weighs_the_steps_of_its_last_stage() -> None:
    network = build_network("resnet1d_liu", leads=2, labels=5).eval()
    assert isinstance(network, ResNetAttention)
    x = torch.randn(2, 2, 1000)
    with torch.inference_mode():
        maps = network.cam_layer(x)
        weights = network.pool.weights(maps)
        assert weights.shape == (2, 32)
        expected = (maps * weights[:, None]).sum(-1)
        torch.testing.assert_close(network.features(x), expected)
