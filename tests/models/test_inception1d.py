"""inception1d is the PTB-XL benchmark's network."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from ecgcore.models.inception1d import Inception1d, InceptionTimeModule, ResidualModules
from ecgcore.models.network import count_parameters
from ecgcore.models.registry import build_network
from tests.models.counting import benchmark_head, conv_norm


def module(inputs: int) -> int:
    """Bottleneck, convolutions 39, 19, 9, the pooled branch, and the norm of 128 channels."""
    return inputs * 32 + 32 * 32 * (39 + 19 + 9) + inputs * 32 + 2 * 128


def test_weights_by_hand() -> None:
    network = build_network("inception1d", leads=12, labels=71)
    modules = module(12) + 5 * module(128)
    shortcuts = conv_norm(12, 128, 1) + conv_norm(128, 128, 1)
    assert (modules, shortcuts, benchmark_head(128, 71)) == (454_912, 18_432, 42_823)
    assert count_parameters(network) == 454_912 + 18_432 + 42_823 == 516_167


def test_no_step_is_skipped() -> None:
    network = build_network("inception1d", leads=12, labels=71).eval()
    assert isinstance(network, Inception1d)
    with torch.inference_mode():
        assert network.trunk(torch.randn(1, 12, 1000)).shape == (1, 128, 1000)


def test_branches_in_order_of_their_kernels_then_the_pooled_one() -> None:
    block = InceptionTimeModule(4, 2, (9, 5, 3)).eval()
    x = torch.randn(1, 4, 20)
    narrow = functional.conv1d(x, block.bottleneck.weight)
    parts = [
        functional.conv1d(narrow, branch.weight, padding=kernel // 2)
        for branch, kernel in zip(block.branches, (9, 5, 3), strict=True)
    ]
    parts.append(functional.conv1d(functional.max_pool1d(x, 3, 1, 1), block.pooled[1].weight))
    expected = (torch.cat(parts, dim=1) / (1 + block.norm.eps) ** 0.5).relu()
    torch.testing.assert_close(block(x), expected)


def test_the_shortcut_spans_three_modules() -> None:
    block = ResidualModules(4, 2, (5, 3)).eval()
    nn.init.zeros_(block.path[2].norm.weight)
    x = torch.randn(1, 4, 20)
    projected = functional.conv1d(x, block.shortcut[0].weight)
    torch.testing.assert_close(block(x), projected.relu(), rtol=1e-4, atol=1e-4)
    assert len(block.path) == 3


@pytest.mark.parametrize("depth", [0, 4])
def test_a_depth_that_shortcuts_cannot_span_is_refused(depth: int) -> None:
    with pytest.raises(ValueError, match=f"depth {depth}; a shortcut spans three modules"):
        build_network("inception1d", leads=12, labels=5, options={"depth": depth})
