"""wavelet_nn computes the PTB-XL benchmark's features: checked against PyWavelets and NumPy."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
import pywt
import torch
from numpy.typing import NDArray

from ecgcore.models.network import count_parameters
from ecgcore.models.registry import build_network
from ecgcore.models.wavelet_nn import (
    DB6_LOW_PASS,
    STATISTICS,
    Standardise,
    WaveletNetwork,
    statistics,
    symmetric,
)


def network(leads: int = 12, labels: int = 71) -> WaveletNetwork:
    built = build_network("wavelet_nn", leads=leads, labels=labels)
    assert isinstance(built, WaveletNetwork)
    return built


def benchmark_statistics(values: NDArray[np.float64]) -> list[float]:
    """Slowly, one array, from the benchmark's description."""
    shares = np.array(list(Counter(values).values())) / len(values)

    def crossings(level: float) -> int:
        return sum((a > level) != (b > level) for a, b in pairwise(values))

    percentiles = [np.percentile(values, q) for q in (5, 25, 75, 95, 50)]
    moments = [values.mean(), values.std(), values.var(), np.abs(values).mean()]
    counts = [-(shares * np.log(shares)).sum(), crossings(0.0), crossings(values.mean())]
    return [float(number) for number in (*counts, *percentiles, *moments)]


@pytest.mark.parametrize("samples", [1000, 999, 250, 37])
def test_the_decomposition_is_pywavelets(samples: int) -> None:
    x = np.random.default_rng(1).standard_normal((2, 3, samples))
    ours = network(leads=3).decompose(torch.from_numpy(x).float())
    with np.errstate(all="raise"):
        theirs, level = [], x
        for _ in range(5):
            level, detail = pywt.dwt(level, "db6", mode="symmetric", axis=-1)
            theirs.append(detail)
        theirs.append(level)
    for mine, expected in zip(ours, reversed(theirs), strict=True):
        np.testing.assert_allclose(mine.numpy(), expected, atol=2e-5)


def test_the_whole_decomposition_of_ten_seconds_is_wavedec() -> None:
    x = np.random.default_rng(2).standard_normal((1, 2, 1000))
    ours = network(leads=2).decompose(torch.from_numpy(x).float())
    theirs = pywt.wavedec(x, "db6", level=5)
    assert [c.shape[-1] for c in ours] == [41, 41, 72, 134, 258, 505]
    for mine, expected in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine.numpy(), expected, atol=2e-5)


def test_the_filter_is_pywavelets() -> None:
    np.testing.assert_allclose(DB6_LOW_PASS, pywt.Wavelet("db6").dec_lo, atol=1e-15)


def test_a_short_signal_is_mirrored_more_than_once() -> None:
    extended = symmetric(torch.tensor([1.0, 2.0, 3.0]), 7)
    assert extended.tolist() == np.pad([1.0, 2.0, 3.0], 7, mode="symmetric").tolist()


def test_statistics_are_the_benchmarks() -> None:
    values = np.random.default_rng(3).standard_normal((4, 41)).round(1)
    values[3] = 0.0
    ours = statistics(torch.from_numpy(values))
    expected = [benchmark_statistics(row) for row in values]
    assert ours.shape == (4, STATISTICS)
    np.testing.assert_allclose(ours.numpy(), expected, atol=1.1e-6)


def test_weights_by_hand() -> None:
    features = 12 * 6 * 12
    assert count_parameters(network()) == features * 128 + 128 + 128 * 71 + 71 == 119_879


def test_features_follow_lead_then_coefficients_then_statistic() -> None:
    """The first dense layer's inputs, untrained standardisation aside."""
    built = network(leads=2).eval()
    x = torch.randn(1, 2, 1000, generator=torch.Generator().manual_seed(4))
    seen: list[torch.Tensor] = []
    built.standardise.register_forward_pre_hook(lambda module, given: seen.append(given[0]))
    built(x)
    coefficients = pywt.wavedec(x[0, 1].double().numpy(), "db6", level=5)
    expected = [number for c in coefficients for number in benchmark_statistics(c)]
    np.testing.assert_allclose(seen[0][0, 72:].numpy(), expected, atol=1e-4)


def test_the_standardisation_learns_the_training_set() -> None:
    values = torch.randn(50, 3, generator=torch.Generator().manual_seed(5)) * 4 + 7
    values[:, 2] = 1.5
    layer = Standardise(3).train()
    for batch in values.split([7, 1, 30, 12]):
        layer(batch)
    layer.eval()
    assert int(layer.count) == 50
    torch.testing.assert_close(layer.mean, values.mean(0))
    torch.testing.assert_close(layer.variance, values.var(0, correction=0))
    scaled = layer(values)
    torch.testing.assert_close(scaled[:, :2].std(0, correction=0), torch.ones(2))
    torch.testing.assert_close(scaled[:, 2], torch.zeros(50))


def test_a_flat_lead_has_finite_slopes() -> None:
    built = network(leads=2, labels=3).train()
    x = torch.randn(4, 2, 1000, generator=torch.Generator().manual_seed(6))
    x[:, 1] = 0.0
    x.requires_grad_()
    built(x).square().sum().backward()
    assert x.grad is not None
    assert x.grad.isfinite().all()
    assert x.grad[:, 0].abs().sum() > 0
