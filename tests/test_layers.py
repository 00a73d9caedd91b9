"""Shared blocks: the frequency domain gives the direct form, regularisation takes whole slices."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from ecgcore.layers import SpatialDropout, SpatialGaussianNoise, pad_same, strided_correlation


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(
    samples=st.integers(1, 400),
    kernel=st.integers(1, 300),
    stride=st.sampled_from([2, 4, 6, 8]),
    channels=st.integers(1, 3),
    shared=st.booleans(),
)
def test_strided_correlation_is_the_convolution(
    samples: int, kernel: int, stride: int, channels: int, shared: bool
) -> None:
    torch.manual_seed(samples + 1000 * kernel)
    x = torch.randn(2, 3, 1 if shared else channels, samples, dtype=torch.float64)
    kernels = torch.randn(channels, kernel, dtype=torch.float64)
    padded = pad_same(x, kernel, stride).flatten(0, 1)
    groups = 1 if shared else channels
    expected = functional.conv1d(padded, kernels[:, None], stride=stride, groups=groups)
    found = strided_correlation(x, kernels, stride)
    assert found.shape == (2, 3, channels, -(-samples // stride))
    torch.testing.assert_close(found.flatten(0, 1), expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("stride", [1, 3])
def test_an_odd_stride_is_refused(stride: int) -> None:
    with pytest.raises(ValueError, match=f"stride {stride}; only even"):
        strided_correlation(torch.zeros(1, 1, 20), torch.zeros(1, 4), stride)


@pytest.mark.parametrize(
    ("samples", "kernel", "stride", "before", "after"),
    [
        (10, 3, 1, 1, 1),
        (10, 4, 1, 1, 2),
        (750, 3, 2, 0, 1),
        (5000, 1024, 8, 508, 508),
        (5, 1, 4, 0, 0),
    ],
)
def test_padding_is_tensorflows(
    samples: int, kernel: int, stride: int, before: int, after: int
) -> None:
    padded = pad_same(torch.ones(1, samples), kernel, stride)[0]
    assert padded.shape[-1] == samples + before + after
    assert not padded[:before].any()
    assert padded[before : before + samples].all()
    assert not padded[before + samples :].any()


def touched_slices(block: torch.nn.Module, axis: int) -> tuple[Tensor, Tensor]:
    """Which slices (records, slices) were changed anywhere, and which everywhere."""
    x = torch.full((64, 6, 5, 40), 2.0)
    changed = (block.train()(x) != x).movedim(axis, 1).flatten(2)
    return changed.any(-1), changed.float().mean(-1) > 0.9


@pytest.mark.parametrize("axis", [1, 2])
def test_noise_takes_whole_slices_of_its_axis(axis: int) -> None:
    torch.manual_seed(0)
    somewhere, everywhere = touched_slices(SpatialGaussianNoise(axis, 0.3), axis)
    assert torch.equal(somewhere, everywhere)
    assert somewhere.shape == (64, {1: 6, 2: 5}[axis])
    assert 0.2 < somewhere.float().mean() < 0.4
    assert len(somewhere.unique(dim=0)) > 10


@pytest.mark.parametrize("axis", [1, 2])
def test_dropout_zeroes_whole_slices_of_its_axis(axis: int) -> None:
    torch.manual_seed(0)
    out = SpatialDropout(axis, 0.25).train()(torch.ones(64, 6, 5, 40)).movedim(axis, 1).flatten(2)
    zero = out == 0
    assert torch.equal(zero.any(-1), zero.all(-1))
    assert 0.15 < zero.float().mean() < 0.35
    torch.testing.assert_close(out[~zero].unique(), torch.tensor([1 / 0.75]))


def test_noise_has_its_mean_and_deviation() -> None:
    torch.manual_seed(0)
    out = SpatialGaussianNoise(1, 1.0, mean=1.0, deviation=0.1).train()(torch.ones(40, 6, 5, 100))
    assert out.mean() == pytest.approx(1.0, abs=2e-3)
    assert out.std() == pytest.approx(0.1, abs=2e-3)


@pytest.mark.parametrize("block", [SpatialGaussianNoise(1, 1.0), SpatialDropout(1, 0.9)])
def test_regularisation_rests_in_eval(block: torch.nn.Module) -> None:
    x = torch.randn(3, 4, 5, 6)
    assert torch.equal(block.eval()(x), x)


def test_noise_over_records_is_refused() -> None:
    with pytest.raises(ValueError, match="axis 0"):
        SpatialGaussianNoise(0, 0.5)
