"""cnn_hannun is the published 34-layer network."""

from __future__ import annotations

import torch
from torch import nn

from ecgcore.models.cnn_hannun import HannunNetwork, HannunOptions, PreActivationBlock
from ecgcore.models.network import count_parameters
from ecgcore.models.registry import build_network

FILTERS = [32] * 4 + [64] * 4 + [128] * 4 + [256] * 4


def conv(inputs: int, outputs: int) -> int:
    """A biased convolution of 16."""
    return inputs * outputs * 16 + outputs


def test_weights_by_hand() -> None:
    network = build_network("cnn_hannun", leads=12, labels=5)
    total, channels = conv(12, 32) + 2 * 32, 32
    for index, filters in enumerate(FILTERS):
        norms = 2 * filters + (2 * channels if index else 0)
        total += norms + conv(channels, filters) + conv(filters, filters)
        channels = filters
    total += 2 * 256 + 256 * 5 + 5
    assert count_parameters(network) == total == 10_472_037


def test_thirty_three_convolutions_and_a_dense_layer() -> None:
    network = build_network("cnn_hannun", leads=1, labels=5)
    convolutions = [part for part in network.modules() if isinstance(part, nn.Conv1d)]
    assert len(convolutions) == 33
    assert {part.kernel_size for part in convolutions} == {(16,)}


def test_shapes_of_the_blocks() -> None:
    network = build_network("cnn_hannun", leads=12, labels=5).eval()
    assert isinstance(network, HannunNetwork)
    x, shapes = torch.randn(1, 12, 1000), []
    with torch.inference_mode():
        for part in network.trunk:
            x = part(x)
            if isinstance(part, PreActivationBlock):
                shapes.append(tuple(x.shape[1:]))
    lengths = [1000, 500, 500, 250, 250, 125, 125, 63, 63, 32, 32, 16, 16, 8, 8, 4]
    assert shapes == list(zip(FILTERS, lengths, strict=True))


def test_the_shortcut_pools_and_pads_with_zero_channels() -> None:
    block = PreActivationBlock(2, 4, HannunOptions(), stride=2, first=False).eval()
    nn.init.zeros_(block.path[5].weight)
    nn.init.zeros_(block.path[5].bias)
    x = torch.tensor([[[-1.0, -2.0, -3.0, -5.0, -4.0], [1.0, 2.0, 3.0, 0.0, 7.0]]])
    expected = [[-1.0, -3.0, -4.0], [2.0, 3.0, 7.0], [0.0] * 3, [0.0] * 3]
    assert block(x)[0].tolist() == expected


def test_only_the_first_block_starts_with_its_convolution() -> None:
    network = build_network("cnn_hannun", leads=1, labels=5)
    assert isinstance(network, HannunNetwork)
    blocks = [part for part in network.trunk if isinstance(part, PreActivationBlock)]
    bare = [isinstance(block.path[0], nn.Identity) for block in blocks]
    assert bare == [True] + [False] * 15
    drops = [part.p for block in blocks for part in block.path if isinstance(part, nn.Dropout)]
    assert drops == [0.2] * 16
