"""The Encoder is the published one, read out as its text or as its program says."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ecgcore.models.encoder import AttentionReadout, Encoder, EncoderBlock
from ecgcore.models.network import count_parameters
from ecgcore.models.registry import build_network, network_entry
from tests.models.weights_by_hand import encoder_blocks

DENSE = 256 * 256 + 256 + 2 * 256
"""The sigmoid dense layer and its norm."""


def test_the_published_input() -> None:
    entry = network_entry("encoder")
    assert (entry.spec.samples, entry.spec.resampling) == (5000, "fft")
    assert (entry.labels, entry.output) == (30, "sigmoid")


@pytest.mark.parametrize(("readout", "features"), [("summed", 256), ("flat", 256 * 1250)])
def test_weights_by_hand(readout: str, features: int) -> None:
    """Flat, it has the numbers of the program for 5,000 samples."""
    network = build_network("encoder", leads=12, labels=30, options={"readout": readout})
    assert count_parameters(network) == encoder_blocks(12) + DENSE + features * 30 + 30
    assert network.head.in_features == features


def test_shapes_through_the_convolutions() -> None:
    network = build_network("encoder", leads=12, labels=30).eval()
    assert isinstance(network, Encoder)
    x, shapes = torch.randn(1, 12, 1000), []
    with torch.inference_mode():
        for block in network.convolutions:
            x = block(x)
            shapes.append(tuple(x.shape[1:]))
    assert shapes == [(128, 500), (256, 250), (512, 250)]


def test_a_block_norms_each_channel_of_each_record_over_time() -> None:
    """Neither a constant nor a gain of a record passes the first block's norm."""
    block = EncoderBlock(1, 4, 5, nn.Dropout(0.0), pools=False).eval()
    x = torch.randn(1, 1, 400)
    with torch.inference_mode():
        torch.testing.assert_close(block(x)[..., 9:-9], block(50 * x)[..., 9:-9], atol=0.02, rtol=0)
        assert block[1](block[0](x)).mean(-1).abs().max() < 1e-5


@pytest.mark.parametrize("halves", [True, False])
def test_summed_attention_by_hand(halves: bool) -> None:
    """Each map's moments are weighed by a softmax over time and added up."""
    torch.manual_seed(0)
    readout = AttentionReadout(6, 5, nn.Sigmoid(), "summed", halves)
    maps = torch.randn(2, 6, 7)
    data, scores = (maps[:, :3], maps[:, 3:]) if halves else (maps, maps)
    seen = torch.zeros(data.shape[:2])
    for record in range(2):
        for channel in range(data.shape[1]):
            weights = scores[record, channel].exp() / scores[record, channel].exp().sum()
            seen[record, channel] = (weights * data[record, channel]).sum()
    dense = torch.sigmoid(seen @ readout.dense.weight.T + readout.dense.bias)
    centred = dense - dense.mean(1, keepdim=True)
    expected = centred / (centred.square().mean(1, keepdim=True) + 1e-3).sqrt()
    torch.testing.assert_close(readout(maps), expected)


@pytest.mark.parametrize("halves", [True, False])
def test_flat_attention_by_hand(halves: bool) -> None:
    """At each moment channels weigh channels; a dense unit is normed over time; time runs last."""
    torch.manual_seed(0)
    readout = AttentionReadout(6, 5, nn.ReLU(), "flat", halves)
    maps = torch.randn(2, 6, 7)
    data, scores = (maps[:, :3], maps[:, 3:]) if halves else (maps, maps)
    rows = []
    for moment in range(7):
        weights = scores[..., moment].exp() / scores[..., moment].exp().sum(1, keepdim=True)
        seen = weights * data[..., moment]
        rows.append(torch.relu(seen @ readout.dense.weight.T + readout.dense.bias))
    dense = torch.stack(rows, dim=1)
    centred = dense - dense.mean(1, keepdim=True)
    expected = centred / (centred.square().mean(1, keepdim=True) + 1e-3).sqrt()
    torch.testing.assert_close(readout(maps), expected.flatten(1))


def test_any_length_is_read_where_time_is_summed() -> None:
    network = build_network("encoder", leads=12, labels=3).eval()
    with torch.inference_mode():
        for samples in (100, 1000):
            assert network(torch.randn(2, 12, samples)).shape == (2, 3)


def test_a_flat_readout_is_built_for_its_length() -> None:
    options = {"readout": "flat", "samples": 203}
    network = build_network("encoder", leads=12, labels=3, options=options).eval()
    with torch.inference_mode():
        assert network(torch.randn(2, 12, 203)).shape == (2, 3)


def test_an_unknown_readout_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be 'mean'; known: summed, flat"):
        build_network("encoder", leads=12, labels=3, options={"readout": "mean"})
