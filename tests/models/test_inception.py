"""Inception is the published network, with either axis for joining the branches."""

from __future__ import annotations

import pytest
import torch

from ecgcore.models.inception import Inception, InceptionModule, InceptionOptions, MaxPool
from ecgcore.models.network import count_parameters
from ecgcore.models.registry import build_network, network_entry


def conv(inputs: int, outputs: int, kernel: int) -> int:
    """Weights of a convolution, its bias, and its batch norm's scale and shift."""
    return inputs * outputs * kernel + outputs + 2 * outputs


def module(inputs: int) -> int:
    """Weights of the four branches of 64."""
    branches = conv(inputs, 64, 1) + conv(inputs, 64, 1) + conv(64, 64, 3)
    return branches + conv(inputs, 64, 1) + conv(64, 64, 5) + conv(inputs, 64, 1)


@pytest.mark.parametrize(("concat", "wide"), [("channels", 256), ("time", 64)])
def test_weights_by_hand(concat: str, wide: int) -> None:
    network = build_network("inception", leads=12, labels=30, options={"concat": concat})
    expected = conv(12, 64, 7) + conv(64, 64, 1) + module(64) + module(wide) + wide * 30 + 30
    assert count_parameters(network) == expected


def test_the_input_is_ten_seconds_at_75_hz() -> None:
    entry = network_entry("inception")
    assert entry.spec.samples == 750
    assert (entry.labels, entry.output, entry.spec.resampling) == (30, "sigmoid", "fft")


@pytest.mark.parametrize(
    ("concat", "stem", "first", "second"),
    [("channels", (64, 375), (256, 375), (256, 375)), ("time", (64, 375), (64, 1500), (64, 6000))],
)
def test_shapes_through_the_network(
    concat: str, stem: tuple[int, int], first: tuple[int, int], second: tuple[int, int]
) -> None:
    network = build_network("inception", leads=12, labels=30, options={"concat": concat}).eval()
    assert isinstance(network, Inception)
    with torch.inference_mode():
        out = network.stem(torch.randn(2, 12, 750))
        shapes = [tuple(out.shape[1:])]
        for block in network.modules_:
            out = block(out)
            shapes.append(tuple(out.shape[1:]))
    assert shapes == [stem, first, second]
    assert network.pool(out).shape[-1] == second[1] // 2 + second[1] % 2


def test_branches_along_time_follow_one_another() -> None:
    """The first quarter of the joined time is the first branch, the last the pooled one."""
    block = InceptionModule(8, InceptionOptions(filters=4, concat="time")).eval()
    x = torch.rand(1, 8, 20)
    with torch.inference_mode():
        joined = block(x)
        for number, branch in enumerate(block.branches):
            assert torch.equal(joined[..., 20 * number : 20 * (number + 1)], branch(x))


def test_pooling_keeps_the_last_sample() -> None:
    x = torch.zeros(1, 1, 6)
    x[..., 5] = 2.0
    assert MaxPool(3, 2)(x)[0, 0].tolist() == [0.0, 0.0, 2.0]


def test_an_unknown_option_lists_the_known() -> None:
    with pytest.raises(ValueError, match="no option width; known: filters, dropout, concat"):
        build_network("inception", leads=12, labels=5, options={"width": 3})
