"""SE-ECGNet has the stages of its authors' program."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from ecgcore.models.network import count_parameters
from ecgcore.models.registry import build_network
from ecgcore.models.se_ecgnet import LeadBlock, SEECGNet, SqueezeExcitation, TimeBlock


def network(leads: int, options: dict[str, Any] | None = None) -> SEECGNet:
    built = build_network("se_ecgnet", leads=leads, labels=34, options=options)
    assert isinstance(built, SEECGNet)
    return built


def excitation(channels: int) -> int:
    squeezed = channels // 16
    return 2 * channels * squeezed + squeezed + channels


def shortcut(inputs: int, outputs: int) -> int:
    return 2 * inputs + inputs * outputs + outputs


def lead_block(kernel: int, convolutions: int) -> int:
    return convolutions * (2 * 32 + 32 * 32 * kernel) + excitation(32)


def time_block(inputs: int, kernel: int) -> int:
    first = 2 * inputs + inputs * 256 * kernel
    return first + 3 * (2 * 256 + 256 * 256 * kernel) + 2 * excitation(256)


def by_hand(leads: int, *, shared: bool) -> int:
    wide = 32 * leads
    number = 1 if shared else 3
    total = 50 * 32 + 64 + 3 * lead_block(15, 1) + number * shortcut(32, 32)
    for kernel in (3, 5, 7):
        total += 4 * lead_block(kernel, 3) + time_block(wide, kernel) + 3 * time_block(256, kernel)
        others = (0 if wide == 256 else 1) if shared else 3
        total += shortcut(wide, 256) + others * shortcut(256, 256)
    return total + 3 * 256 * 34 + 34


@pytest.mark.parametrize(("leads", "shared"), [(8, True), (8, False), (12, True), (12, False)])
def test_weights_by_hand(leads: int, shared: bool) -> None:
    built = network(leads, {"shared_shortcuts": shared})
    assert count_parameters(built) == by_hand(leads, shared=shared)


def test_shapes_are_the_programs() -> None:
    """Its comments: 2476 samples after the first convolution, 310 after the early blocks, 20 at
    the end.
    """
    built = network(8).eval()
    with torch.inference_mode():
        stem = built.stem(torch.randn(1, 1, 8, 5000))
        early = built.early(stem)
        scales = built.scales(early)
    assert stem.shape == (1, 32, 8, 2476)
    assert early.shape == (1, 32, 8, 310)
    assert scales.shape == (1, 3 * 256, 20)


def test_excitation_scales_channels_alike_at_all_places() -> None:
    module = SqueezeExcitation(32)
    x = torch.randn(2, 32, 3, 10, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        scale = module(x) / x
    assert scale.min() > 0
    assert scale.max() < 1
    torch.testing.assert_close(scale, scale[:, :, :1, :1].expand_as(scale))


def test_convolutions_keep_the_leads_apart() -> None:
    """A change of one lead stays in its row; the excitation alone, left out, reaches the others."""
    block = LeadBlock(4, 5, convolutions=3).eval()
    x = torch.randn(1, 4, 3, 20, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        body = block.body[:-1]
        before = body(x)
        x[:, :, 1] += 1.0
        after = body(x)
    changed = (before != after).any(dim=3).any(dim=1)[0]
    assert changed.tolist() == [False, True, False]


def test_a_time_block_halves_once() -> None:
    block = TimeBlock(8, 16, 7, 0.0, torch.nn.Conv1d(8, 16, 1, 2)).eval()
    assert block(torch.randn(2, 8, 39)).shape == (2, 16, 20)


def test_shared_shortcuts_are_one_module() -> None:
    built = network(8, {"shared_shortcuts": True})
    assert len({id(block.shortcut) for block in built.early}) == 1
    own = network(8)
    assert len({id(block.shortcut) for block in own.early}) == 3
