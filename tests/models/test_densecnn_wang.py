"""densecnn_wang is a DenseNet-121 along time."""

from __future__ import annotations

import torch

from ecgcore.models.densecnn_wang import DenseLayer, DenseNet1d, DenseNetOptions
from ecgcore.models.network import count_parameters
from ecgcore.models.registry import build_network
from tests.models.counting import conv_norm, dense


def test_weights_by_hand() -> None:
    network = build_network("densecnn_wang", leads=12, labels=5)
    total, channels = conv_norm(12, 64, 7), 64
    for number, layers in enumerate((6, 12, 24, 16)):
        if number:
            total += 2 * channels + channels * channels // 2
            channels //= 2
        for _ in range(layers):
            total += 2 * channels + channels * 128 + 2 * 128 + 128 * 32 * 3
            channels += 32
    assert channels == 1024
    assert count_parameters(network) == total + 2 * 1024 + dense(1024, 5) == 5_529_541


def test_shapes_of_the_blocks() -> None:
    network = build_network("densecnn_wang", leads=12, labels=5).eval()
    assert isinstance(network, DenseNet1d)
    x, shapes = torch.randn(1, 12, 1000), []
    with torch.inference_mode():
        for part in network.trunk:
            x = part(x)
            shapes.append(tuple(x.shape[1:]))
    blocks = [(256, 250), (128, 125), (512, 125), (256, 62), (1024, 62), (512, 31), (1024, 31)]
    assert shapes == [(64, 500), (64, 250), *blocks, (1024, 31)]


def test_a_layer_keeps_what_came_before_and_adds_its_growth() -> None:
    layer = DenseLayer(8, DenseNetOptions(growth=4)).eval()
    x = torch.randn(2, 8, 11)
    grown = layer(x)
    assert grown.shape == (2, 12, 11)
    assert torch.equal(grown[:, :8], x)
    torch.testing.assert_close(grown[:, 8:], layer.new(x))
