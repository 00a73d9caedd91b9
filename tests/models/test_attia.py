"""attia: the count that is published, the stages, and leads that stay apart until the end."""

from __future__ import annotations

import pytest
import torch

from ecgcore.models.attia import Attia, AttiaOptions, ResidualBlock
from ecgcore.models.network import count_flops, count_numbers
from ecgcore.models.registry import build_network, network_entry


def network(leads: int = 12) -> Attia:
    torch.manual_seed(0)
    built = build_network("attia", leads=leads, labels=2)
    assert isinstance(built, Attia)
    return built


def test_numbers_are_the_published() -> None:
    entry = network_entry("attia")
    assert entry.count(network()) == 217_350
    assert (entry.labels, entry.output, entry.spec.samples) == (2, "softmax", 5000)


def test_numbers_by_hand() -> None:
    def block(inputs: int, outputs: int, kernel: int) -> int:
        convolutions = kernel * outputs * (inputs + outputs) + 2 * outputs
        shortcut = 0 if inputs == outputs else inputs * outputs + 4 * outputs
        return convolutions + 4 * (inputs + outputs) + shortcut

    filters, kernels = (1, 16, 16, 32, 32, 64, 64, 64, 64), (7, 5, 5, 5, 5, 3, 3, 3)
    temporal = sum(map(block, filters[:-1], filters[1:], kernels))
    assert count_numbers(network()) == temporal + block(64, 128, 3) + 4 * 128 + 2 * 128 + 2


def test_cost_is_near_the_published() -> None:
    """3 % above the published "about 670 MFLOP"."""
    assert count_flops(network(), leads=12, samples=5000) == pytest.approx(692.3e6, rel=1e-3)


def test_stages() -> None:
    built = network().eval()
    shapes = []
    with torch.inference_mode():
        out = torch.randn(1, 1, 12, 5000)
        for block in built.temporal:
            out = block(out)
            shapes.append((out.shape[1], out.shape[3]))
        assert built.spatial(out).shape == (1, 128, 12, 4)
    times = [2500, 625, 312, 78, 39, 19, 9, 4]
    assert shapes == list(zip((16, 16, 32, 32, 64, 64, 64, 64), times, strict=True))


def test_leads_stay_apart_until_the_spatial_block() -> None:
    built = network(leads=4).eval()
    x = torch.randn(1, 1, 4, 5000, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        before = built.temporal(x)
        x[:, :, 2] += 1.0
        after = built.temporal(x)
        changed = (before != after).any(dim=3).any(dim=1)[0]
        assert changed.tolist() == [False, False, True, False]
        fused = (built.spatial(before) != built.spatial(after)).any(dim=3).any(dim=1)[0]
    assert fused.tolist() == [True, True, True, True]


def test_a_block_of_as_many_filters_adds_its_input() -> None:
    block = ResidualBlock(4, 4, (1, 3)).eval()
    for weight in block.body.parameters():
        torch.nn.init.zeros_(weight)
    x = torch.randn(1, 4, 2, 10)
    assert torch.equal(block(x), x)


def test_unequal_lists_are_refused() -> None:
    with pytest.raises(ValueError, match="2 filters, 8 kernels, 8 pools; give as many of each"):
        AttiaOptions(filters=(16, 16))
