"""The baselines of CNN-TE have the parts that their names promise."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn

from ecgcore.models.cnn_te_baselines import VGG11, Recurrence, RecurrentNetwork
from ecgcore.models.network import count_flops, count_parameters
from ecgcore.models.registry import build_network, network_entry
from tests.models.weights_by_hand import PUBLISHED_HALVINGS, residual_convolutions

NAMES = ("vgg11", "gru", "lstm", "cnn_gru", "cnn_lstm")
PAIR = ("cnn_gru", "cnn_lstm")


@pytest.mark.parametrize("name", NAMES)
def test_they_eat_and_answer_as_cnn_te_does(name: str) -> None:
    entry, theirs = network_entry(name), network_entry("cnn_te")
    assert (entry.spec, entry.labels, entry.output) == (theirs.spec, theirs.labels, theirs.output)


@pytest.mark.parametrize("name", NAMES)
def test_any_length_is_read(name: str) -> None:
    network = build_network(name, leads=2, labels=3).eval()
    with torch.inference_mode():
        for samples in (100, 333):
            assert network(torch.randn(2, 2, samples)).shape == (2, 3)


def test_vgg11_is_configuration_a() -> None:
    """8 convolutions of 64 to 512 channels, pooled five times; three dense layers."""
    network = build_network("vgg11", leads=12, labels=13).eval()
    assert isinstance(network, VGG11)
    kernels = [m for m in network.convolutions if isinstance(m, nn.Conv1d)]
    assert [k.out_channels for k in kernels] == [64, 128, 256, 256, 512, 512, 512, 512]
    assert {k.kernel_size for k in kernels} == {(3,)}
    dense = [m.out_features for m in [*network.dense, network.head] if isinstance(m, nn.Linear)]
    assert dense == [4096, 4096, 13]
    with torch.inference_mode():
        assert network.convolutions(torch.randn(1, 12, 5000)).shape == (1, 512, 156)


def test_vgg11_weights_by_hand() -> None:
    """Batch norm has two numbers a channel where a convolution without it has one."""
    widths = (12, 64, 128, 256, 256, 512, 512, 512, 512)
    channels = sum(widths[1:])
    products = sum(3 * a * b for a, b in pairwise(widths))
    dense = 7 * 512 * 4096 + 4096 + 4096 * 4096 + 4096 + 4096 * 13 + 13
    with_norm = build_network("vgg11", leads=12, labels=13)
    assert count_parameters(with_norm) == products + 2 * channels + dense
    without = build_network("vgg11", leads=12, labels=13, options={"batch_norm": False})
    assert count_parameters(without) == products + channels + dense


@pytest.mark.parametrize(("name", "gates"), [("gru", 3), ("lstm", 4)])
def test_recurrent_weights_and_operations_by_hand(name: str, gates: int) -> None:
    network = build_network(name, leads=12, labels=13)
    matrices = gates * 128 * (12 + 128)
    assert count_parameters(network) == matrices + 2 * gates * 128 + 128 * 13 + 13
    assert count_flops(network, 12, 5000) == 2 * 5000 * matrices + 2 * 128 * 13


@pytest.mark.parametrize(("name", "gates"), [("cnn_gru", 3), ("cnn_lstm", 4)])
def test_the_recurrence_stands_on_cnn_te_s_convolutions(name: str, gates: int) -> None:
    network = build_network(name, leads=12, labels=13).eval()
    assert isinstance(network, RecurrentNetwork)
    matrices = gates * 256 * (512 + 256)
    expected = residual_convolutions(12) + matrices + 2 * gates * 256 + 256 * 13 + 13
    assert count_parameters(network) == expected
    seen: list[Tensor] = []
    network.recurrence.register_forward_pre_hook(lambda module, given: seen.append(given[0]))
    with torch.inference_mode():
        network(torch.randn(1, 12, 5000))
    assert seen[0].shape == (1, 512, PUBLISHED_HALVINGS[-1])
    ours, theirs = (count_flops(build_network(n, leads=12, labels=13), 12, 5000) for n in PAIR)
    assert theirs - ours == 2 * 157 * 256 * (512 + 256)


def test_a_recurrence_sees_the_past_alone() -> None:
    """Its states before a change are untouched, and after it differ."""
    torch.manual_seed(0)
    network = build_network("gru", leads=2, labels=1).eval()
    assert isinstance(network, RecurrentNetwork)
    x = torch.randn(1, 2, 50)
    changed = x.clone()
    changed[..., 30] += 1
    with torch.inference_mode():
        before, after = network.recurrence(x), network.recurrence(changed)
    assert before.shape == (1, 128, 50)
    assert torch.equal(before[..., :30], after[..., :30])
    assert not torch.equal(before[..., 30:], after[..., 30:])


def test_layers_and_units_are_options() -> None:
    network = build_network("lstm", leads=3, labels=2, options={"units": 8, "layers": 2})
    assert isinstance(network, RecurrentNetwork)
    assert network.recurrence.layer.num_layers == 2
    assert network.recurrence.layer.dropout == pytest.approx(0.1)
    assert network(torch.randn(2, 3, 40)).shape == (2, 2)


def test_a_layer_with_time_first_is_refused() -> None:
    with pytest.raises(ValueError, match="build it with batch_first=True"):
        Recurrence(nn.GRU(3, 4))
