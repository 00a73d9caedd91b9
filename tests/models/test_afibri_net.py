"""afibri_net3: the count that is published, its cost, and other lengths."""

from __future__ import annotations

import pytest
import torch

from ecgcore.models.afibri_net import AFibriNet
from ecgcore.models.network import count_flops
from ecgcore.models.registry import build_network, network_entry


def network(leads: int = 12) -> AFibriNet:
    torch.manual_seed(0)
    built = build_network("afibri_net3", leads=leads, labels=2)
    assert isinstance(built, AFibriNet)
    return built


def test_weights_are_the_published() -> None:
    entry = network_entry("afibri_net3")
    convolutions = 12 * 32 * 3 + 32 + 32 * 32 * 3 + 32 + 32 * 64 * 3 + 64
    dense = 22 * 64 * 128 + 128 + 2 * 128 + 2
    assert entry.count(network()) == convolutions + dense == 191_106
    assert (entry.labels, entry.output, entry.spec.samples) == (2, "softmax", 5000)


def test_cost_of_convolutions_and_dense_layers() -> None:
    """A fifth below the published "about 12 MFLOP", as the module says."""
    assert count_flops(network(), leads=12, samples=5000) == pytest.approx(9.51e6, rel=1e-3)


@pytest.mark.parametrize("samples", [5000, 2500, 6000])
def test_other_lengths(samples: int) -> None:
    built = network(leads=2).eval()
    with torch.inference_mode():
        assert built(torch.randn(1, 2, samples)).shape == (1, 2)


def test_ten_seconds_are_read_place_by_place() -> None:
    """The averaging over places changes nothing at the published length."""
    built = network(leads=3).eval()
    x = torch.randn(2, 3, 5000, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        seen = built.convolutions(x)
        assert seen.shape == (2, 64, 22)
        plain = built.head(torch.relu(built.dense(seen.flatten(1))))
        torch.testing.assert_close(built(x), plain)
