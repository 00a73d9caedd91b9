"""CNN-TE has the published stages, encoding, attention and norms."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from ecgcore.models.cnn_te import (
    CNNTE,
    CNNTEOptions,
    EncoderLayer,
    MultiHeadAttention,
    ResidualBlock,
    SoftmaxOdds,
    positional_encoding,
    xavier,
)
from ecgcore.models.network import count_flops, count_parameters
from ecgcore.models.predictor import to_probabilities
from ecgcore.models.registry import build_network, network_entry
from tests.models.weights_by_hand import PUBLISHED_HALVINGS, residual_convolutions


def cnn_te(labels: int = 13, **options: object) -> CNNTE:
    """The network with seeded weights, in eval."""
    torch.manual_seed(0)
    network = build_network("cnn_te", leads=12, labels=labels, options=options).eval()
    assert isinstance(network, CNNTE)
    return network


def test_the_published_input_and_outputs() -> None:
    entry = network_entry("cnn_te")
    assert (entry.spec.samples, entry.spec.sampling_rate) == (5000, 500.0)
    assert (entry.labels, entry.output) == (13, "sigmoid")


def test_eight_residual_blocks_and_five_halvings() -> None:
    """5000 x 12 becomes 157 x 512, each odd length rounded up."""
    network = cnn_te()
    blocks = [m for m in network.convolutions if isinstance(m, ResidualBlock)]
    assert len(blocks) == 8
    maps, lengths = torch.randn(2, 12, 5000), [5000]
    with torch.inference_mode():
        for module in network.convolutions:
            maps = module(maps)
            if maps.shape[-1] != lengths[-1]:
                lengths.append(maps.shape[-1])
    assert lengths[1:] == PUBLISHED_HALVINGS
    assert maps.shape == (2, 512, 157)
    with torch.inference_mode():
        assert network.sequence(torch.randn(2, 12, 5000)).shape == (2, 157, 512)


@pytest.mark.parametrize(("outputs", "stride"), [(4, 1), (6, 2)])
def test_a_block_is_its_shortcut_where_its_convolutions_are_silent(
    outputs: int, stride: int
) -> None:
    """With the same width and length the shortcut is the input itself."""
    block = ResidualBlock(4, outputs, 3, stride).eval()
    nn.init.zeros_(block.inner[4].weight)
    x = torch.randn(2, 4, 9)
    expected = x if outputs == 4 else block.shortcut(x)
    assert expected.shape == (2, outputs, -(-9 // stride))
    torch.testing.assert_close(block(x), expected.clamp(min=0))
    assert len(block.shortcut) == (0 if outputs == 4 else 2)


def test_weights_by_hand() -> None:
    attention = 4 * (512 * 512 + 512)
    feed_forward = 512 * 2048 + 2048 + 2048 * 512 + 512
    expected = residual_convolutions(12) + attention + feed_forward + 2 * 2 * 512 + 512 * 13 + 13
    assert count_parameters(cnn_te()) == expected


def test_operations_of_the_encoder_by_hand() -> None:
    """One more layer costs its matrices at 157 moments and attention between all of them."""
    more = count_flops(cnn_te(encoder_layers=2), 12, 5000) - count_flops(cnn_te(), 12, 5000)
    matrices = 157 * (4 * 512 * 512 + 2 * 512 * 2048)
    assert more == 2 * (matrices + 2 * 157 * 157 * 512)


def test_positions_are_the_published_sines_and_cosines() -> None:
    encoding = positional_encoding(157, 512)
    assert encoding.shape == (157, 512)
    for i, j in [(0, 0), (1, 0), (156, 3), (40, 100), (156, 255)]:
        angle = i / 10000 ** (2 * j / 512)
        assert encoding[i, 2 * j] == pytest.approx(math.sin(angle), abs=1e-6)
        assert encoding[i, 2 * j + 1] == pytest.approx(math.cos(angle), abs=1e-6)
    assert positional_encoding(3, 5).shape == (3, 5)


def test_positions_are_added_and_not_learnt() -> None:
    """The encoder sees maps plus positions; no weight or buffer has the encoding's shape."""
    network, x = cnn_te(), torch.randn(1, 12, 640)
    seen: list[Tensor] = []
    network.encoder.register_forward_pre_hook(lambda module, given: seen.append(given[0]))
    with torch.inference_mode():
        network(x)
        maps = network.convolutions(x).transpose(1, 2)
    torch.testing.assert_close(seen[0] - maps, positional_encoding(20, 512)[None])
    assert not [name for name in network.state_dict() if "position" in name]


def copied_attention(ours: MultiHeadAttention, width: int) -> nn.MultiheadAttention:
    """torch's attention with the weights of ours."""
    theirs = nn.MultiheadAttention(width, ours.heads, batch_first=True).eval()
    with torch.no_grad():
        parts = (ours.query, ours.key, ours.value)
        theirs.in_proj_weight.copy_(torch.cat([part.weight for part in parts]))
        theirs.in_proj_bias.copy_(torch.cat([part.bias for part in parts]))
        theirs.out_proj.load_state_dict(ours.joined.state_dict())
    return theirs


def test_attention_is_the_known_one_with_two_heads() -> None:
    torch.manual_seed(1)
    ours = MultiHeadAttention(32, heads=2)
    x = torch.randn(3, 11, 32)
    theirs = copied_attention(ours, 32)
    torch.testing.assert_close(ours(x), theirs(x, x, x, need_weights=False)[0])
    assert [layer.attention.heads for layer in cnn_te().encoder] == [2]


def test_each_part_is_followed_by_addition_and_layer_norm() -> None:
    """The layer is torch's encoder layer that norms last, with ReLU between its two matrices."""
    torch.manual_seed(2)
    ours = EncoderLayer(16, CNNTEOptions(feed_forward=24)).eval()
    theirs = nn.TransformerEncoderLayer(16, 2, 24, activation="relu", batch_first=True).eval()
    for norm in ours.norms:
        nn.init.normal_(norm.weight)
        nn.init.normal_(norm.bias)
    theirs.self_attn = copied_attention(ours.attention, 16)
    theirs.linear1.load_state_dict(ours.feed_forward[0].state_dict())
    theirs.linear2.load_state_dict(ours.feed_forward[2].state_dict())
    theirs.norm1.load_state_dict(ours.norms[0].state_dict())
    theirs.norm2.load_state_dict(ours.norms[1].state_dict())
    x = torch.randn(2, 9, 16)
    torch.testing.assert_close(ours(x), theirs(x))


def test_dropout_comes_before_addition_and_norm() -> None:
    """With everything dropped, a layer is its two norms."""
    layer = EncoderLayer(16, CNNTEOptions(dropout=1.0)).train()
    x = torch.randn(2, 9, 16)
    normed = nn.functional.layer_norm(x, [16])
    torch.testing.assert_close(layer(x), nn.functional.layer_norm(normed, [16]))


def test_any_length_is_read() -> None:
    network = cnn_te()
    with torch.inference_mode():
        for samples in (250, 999, 5000):
            assert network(torch.randn(1, 12, samples)).shape == (1, 13)


def test_softmax_is_an_option() -> None:
    """The sigmoid of the logits is the softmax of the dense layer."""
    network = cnn_te(labels=5, output="softmax")
    x = torch.randn(3, 12, 640)
    with torch.inference_mode():
        features = network.features(x)
        dense = nn.functional.linear(features, network.head.weight, network.head.bias)
        probabilities = to_probabilities(network(x), network_entry("cnn_te").output)
    torch.testing.assert_close(probabilities, dense.softmax(1))
    torch.testing.assert_close(probabilities.sum(1), torch.ones(3))
    assert network.head.in_features == 512


def test_softmax_keeps_far_scores_finite() -> None:
    head = SoftmaxOdds(1, 3)
    with torch.no_grad():
        head.weight.copy_(torch.tensor([[200.0], [0.0], [-200.0]]))
        head.bias.zero_()
    odds = head(torch.ones(1, 1))
    odds.sum().backward()
    assert odds.isfinite().all()
    assert head.weight.grad is not None
    assert head.weight.grad.isfinite().all()


@pytest.mark.parametrize(
    ("options", "labels", "message"),
    [
        ({"output": "softmax"}, 1, "a softmax over one label is always 1"),
        ({"output": "tanh"}, 5, "cannot be 'tanh'; known: sigmoid, softmax"),
        ({"heads": 3}, 5, "512 features do not divide into 3 heads"),
        ({"kernel": 4}, 5, "kernel 4; must be odd"),
    ],
)
def test_refused_options(options: dict[str, object], labels: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build_network("cnn_te", leads=12, labels=labels, options=options)


def test_xavier_gives_each_matrix_its_own_spread() -> None:
    """Uniform within sqrt(6 / (inputs + outputs)); a kernel counts its length; biases are 0."""
    torch.manual_seed(3)
    layer, convolution = nn.Linear(300, 100), nn.Conv1d(20, 30, 5)
    recurrent = nn.LSTM(40, 60)
    xavier(nn.ModuleList([layer, convolution, recurrent]))
    gates = [*recurrent.weight_ih_l0.split(60), *recurrent.weight_hh_l0.split(60)]
    for weight, both in [
        (layer.weight, 400),
        (convolution.weight, 5 * 50),
        *((gate, 100 if number < 4 else 120) for number, gate in enumerate(gates)),
    ]:
        bound = math.sqrt(6 / both)
        assert weight.abs().max() <= bound
        assert weight.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.05)
    biases = (layer.bias, convolution.bias, recurrent.bias_ih_l0, recurrent.bias_hh_l0)
    assert not any(bias.any() for bias in biases)
