"""The shared convolutional blocks compute what their descriptions say."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from ecgcore.convolution_blocks import (
    AveragePool,
    BasicBlock,
    BenchmarkHead,
    ConvNorm,
    ConvNormReLU,
    SqueezeExcitation,
    block_plan,
    initialise_backbone,
    pooling_head,
)


def settled(module: nn.Module) -> nn.Module:
    """In eval, with batch norms as if trained."""
    torch.manual_seed(5)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm1d):
            nn.init.normal_(part.weight, 1.0, 0.3)
            nn.init.normal_(part.bias, 0.0, 0.3)
            part.running_mean.normal_(0.0, 0.3)
            part.running_var.uniform_(0.5, 1.5)
    return module.eval()


def normalised(x: Tensor, norm: nn.Module) -> Tensor:
    """Batch norm in eval, written out."""
    assert isinstance(norm, nn.BatchNorm1d)
    assert norm.running_mean is not None and norm.running_var is not None
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()
    return (x - norm.running_mean[:, None]) * scale[:, None] + norm.bias[:, None]


def test_convolution_norm_and_activation_in_that_order() -> None:
    block = settled(ConvNormReLU(2, 3, 5, stride=2))
    assert isinstance(block, ConvNormReLU)
    x = torch.randn(2, 2, 21)
    expected = functional.conv1d(x, block[0].weight, stride=2, padding=2)
    torch.testing.assert_close(block(x), normalised(expected, block[1]).relu())
    assert block[0].bias is None


@pytest.mark.parametrize(("stride", "samples", "expected"), [(1, 20, 20), (2, 20, 10), (2, 21, 11)])
def test_lengths_are_rounded_up(stride: int, samples: int, expected: int) -> None:
    x = torch.zeros(1, 2, samples)
    assert ConvNorm(2, 3, 7, stride)(x).shape[-1] == expected
    assert BasicBlock(2, 3, (5, 3), stride)(x).shape[-1] == expected


def test_an_even_kernel_is_refused() -> None:
    with pytest.raises(ValueError, match="kernel 8; only odd kernels keep the length"):
        ConvNorm(2, 3, 8)


def test_a_block_adds_its_projected_input() -> None:
    block = settled(BasicBlock(2, 4, (5, 3), stride=2))
    assert isinstance(block, BasicBlock)
    first, _, second = block.path
    x = torch.randn(2, 2, 16)
    path = functional.conv1d(x, first[0].weight, stride=2, padding=2)
    path = normalised(path, first[1]).relu()
    path = functional.conv1d(path, second[0].weight, padding=1)
    path = normalised(path, second[1])
    shortcut = functional.conv1d(x, block.shortcut[0].weight, stride=2)
    shortcut = normalised(shortcut, block.shortcut[1])
    torch.testing.assert_close(block(x), (path + shortcut).relu())


def test_a_block_that_changes_nothing_adds_its_input_itself() -> None:
    block = BasicBlock(4, 4, (3, 3)).eval()
    nn.init.zeros_(block.path[2][1].weight)
    x = torch.randn(2, 4, 16)
    assert isinstance(block.shortcut, nn.Identity)
    torch.testing.assert_close(block(x), x.relu())


def test_excitation_scales_each_channel_by_its_gate() -> None:
    block = SqueezeExcitation(32, reduction=16)
    narrow, _, wide, _ = block.gate
    x = torch.randn(2, 32, 9)
    hidden = (x.mean(-1) @ narrow.weight.T).relu()
    gates = 1 / (1 + (-hidden @ wide.weight.T).exp())
    torch.testing.assert_close(block(x), x * gates[:, :, None])
    assert narrow.weight.shape == (2, 32)


def test_excitation_stands_before_the_sum() -> None:
    """A gate of one half halves the path, not the shortcut."""
    plain = BasicBlock(16, 16, (3, 3)).eval()
    gated = BasicBlock(16, 16, (3, 3), excitation=16).eval()
    gated.load_state_dict(plain.state_dict(), strict=False)
    nn.init.zeros_(gated.path[3].gate[2].weight)
    x = torch.randn(2, 16, 9)
    torch.testing.assert_close(gated(x), (plain.path(x) / 2 + x).relu())


def test_the_benchmarks_head_pools_the_maximum_then_the_mean() -> None:
    head = BenchmarkHead(2, hidden=4).eval()
    nn.init.eye_(head.layers[2].weight)
    nn.init.zeros_(head.layers[2].bias)
    x = torch.tensor([[[1.0, 5.0, 3.0], [2.0, 2.0, 8.0]]])
    torch.testing.assert_close(head(x), torch.tensor([[5.0, 8.0, 3.0, 4.0]]), rtol=1e-4, atol=0)


def test_the_benchmarks_head_has_its_programs_layers() -> None:
    layers = BenchmarkHead(256).layers
    names = [type(layer).__name__ for layer in layers]
    assert names == ["BatchNorm1d", "Dropout", "Linear", "ReLU", "BatchNorm1d", "Dropout"]
    assert (layers[1].p, layers[5].p) == (0.25, 0.5)
    assert (layers[2].in_features, layers[2].out_features) == (512, 128)


def test_heads_by_name() -> None:
    average = pooling_head("average", 7, 128, 0.5)
    assert isinstance(average, AveragePool)
    assert average.features == 7
    assert average(torch.tensor([[[1.0, 3.0]]])).tolist() == [[2.0]]
    assert pooling_head("benchmark", 7, 16, 0.5).features == 16
    with pytest.raises(ValueError, match="head 'maximum'; known: average, benchmark"):
        pooling_head("maximum", 7, 128, 0.5)


def test_each_stage_but_the_first_halves_the_length_once() -> None:
    assert block_plan((64, 128), (2, 3)) == [[(64, 1), (64, 1)], [(128, 2), (128, 1), (128, 1)]]
    with pytest.raises(ValueError, match="3 widths and 1 numbers of blocks; give one of each"):
        block_plan((1, 2, 3), (1,))


@pytest.mark.parametrize(("head", "fan"), [("benchmark", 64 * 5), ("average", 256 * 5)])
def test_convolutions_start_with_kaimings_deviation(head: str, fan: int) -> None:
    torch.manual_seed(0)
    network = nn.Sequential(ConvNorm(64, 256, 5), nn.Linear(256, 256))
    initialise_backbone(network, head)
    weight = network[0][0].weight
    assert float(weight.detach().std()) == pytest.approx((2 / fan) ** 0.5, rel=0.02)
    dense = float(network[1].weight.detach().std())
    assert (dense == pytest.approx((2 / 256) ** 0.5, rel=0.03)) == (head == "benchmark")
    assert bool(network[1].bias.any()) == (head != "benchmark")
