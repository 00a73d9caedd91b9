"""transformer1d computes Transformer-XL's relative attention and remembers segments."""

from __future__ import annotations

import pytest
import torch

from ecgcore.models.registry import build_network
from ecgcore.models.transformer1d import (
    Encoder,
    RelativeAttention,
    Transformer1d,
    TransformerOptions,
    by_place,
    distance_codes,
)

SMALL = TransformerOptions(width=16, heads=2, layers=2, feed_forward=32, dropout=0.0)


def test_attention_is_equation_5_of_the_original() -> None:
    """Slowly, pair by pair: contents, distances, and the two biases."""
    torch.manual_seed(0)
    layer, biases = RelativeAttention(16, 2, 0.0), torch.randn(2, 2, 8)
    x, memory = torch.randn(1, 4, 16), torch.randn(1, 3, 16)
    with torch.inference_mode():
        everything = torch.cat([memory, x], 1)[0]
        keys, values = layer.key_value(everything).chunk(2, -1)
        expected = torch.zeros(4, 16)
        for head in range(2):
            part = slice(8 * head, 8 * head + 8)
            for i in range(4):
                query = layer.query(x[0, i])[part]
                scores = []
                for j in range(7):
                    code = distance_codes(torch.tensor([3 + i - j]), 16)
                    far = layer.position_key(code)[0, part]
                    content = (query + biases[0, head]) @ keys[j, part]
                    scores.append((content + (query + biases[1, head]) @ far) / 8**0.5)
                expected[i, part] = torch.stack(scores).softmax(0) @ values[:, part]
        torch.testing.assert_close(layer(x, memory, biases)[0], layer.out(expected))


def test_scores_move_to_their_keys() -> None:
    tokens, keys = 3, 5
    by_distance = torch.arange(keys - 1, -tokens, -1).float().expand(tokens, -1)
    placed = by_place(by_distance, keys)
    expected = [[keys - tokens + i - j for j in range(keys)] for i in range(tokens)]
    assert placed.tolist() == expected


def test_distances_have_a_sign() -> None:
    """Sines turn with it, cosines do not, so that a record read backwards is another record."""
    codes = distance_codes(torch.tensor([-3, 3]), 16)
    torch.testing.assert_close(codes[0, :8], -codes[1, :8])
    torch.testing.assert_close(codes[0, 8:], codes[1, 8:])
    torch.manual_seed(1)
    encoder = Encoder(SMALL).eval()
    x = torch.randn(1, 16, 6)
    with torch.inference_mode():
        assert not torch.allclose(encoder(x.flip(-1)).flip(-1), encoder(x), atol=1e-3)


def test_segments_remember_one_segment_without_a_gradient() -> None:
    torch.manual_seed(2)
    options = TransformerOptions(
        width=16, heads=2, layers=1, feed_forward=32, dropout=0.0, segment=4
    )
    encoder = Encoder(options).eval()
    x = torch.randn(1, 16, 12, requires_grad=True)
    states = encoder(x)
    assert states.shape == x.shape
    (gradient,) = torch.autograd.grad(states[..., 8:].square().sum(), x)
    assert gradient[..., 8:].abs().min() > 0
    assert not gradient[..., :8].any()
    changed = x.detach().clone()
    changed[..., 4:8] += 1.0
    with torch.inference_mode():
        after = encoder(changed)
    assert not torch.allclose(after[..., 8:], states[..., 8:])
    torch.testing.assert_close(after[..., :4], states[..., :4])


def test_a_record_of_one_segment_needs_no_memory() -> None:
    torch.manual_seed(3)
    whole = Encoder(SMALL).eval()
    divided = Encoder(
        TransformerOptions(width=16, heads=2, layers=2, feed_forward=32, dropout=0.0, segment=9)
    ).eval()
    divided.load_state_dict(whole.state_dict())
    x = torch.randn(1, 16, 9)
    with torch.inference_mode():
        torch.testing.assert_close(whole(x), divided(x))


def test_ten_seconds_are_a_hundred_tokens() -> None:
    network = build_network("transformer1d", leads=12, labels=55).eval()
    assert isinstance(network, Transformer1d)
    seen: list[torch.Tensor] = []
    network.cam_layer.register_forward_hook(lambda module, given, output: seen.append(output))
    with torch.inference_mode():
        network(torch.randn(1, 12, 5000))
        network(torch.randn(1, 12, 5010))
    assert [tuple(output.shape) for output in seen] == [(1, 256, 100), (1, 256, 101)]


def test_an_odd_width_a_head_is_refused() -> None:
    with pytest.raises(ValueError, match="width 20 with 4 heads; choose an even width a head"):
        TransformerOptions(width=20, heads=4)
