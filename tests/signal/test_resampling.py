"""Resampling keeps what both rates can hold, where it is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgcore.signal.resampling import ResamplingMethod, resample

RATES = [75.0, 100.0, 128.0, 250.0, 257.0, 360.0, 400.0, 500.0, 1000.0]


def wave(rate: float, hertz: float = 5.0) -> np.ndarray:
    """Ten seconds of a smoothly beginning and ending oscillation."""
    seconds = np.arange(round(10 * rate)) / rate
    return np.sin(2 * np.pi * hertz * seconds) * np.exp(-(((seconds - 5) / 1.2) ** 2))


@given(st.sampled_from(RATES), st.sampled_from(RATES), st.sampled_from(["polyphase", "fft"]))
@settings(deadline=None, max_examples=60)
def test_a_slow_wave_stays_itself_in_time_and_height(
    from_rate: float, to_rate: float, method: ResamplingMethod
) -> None:
    resampled = resample(np.stack([wave(from_rate), -wave(from_rate)]), from_rate, to_rate, method)
    assert resampled.shape == (2, round(10 * to_rate))
    np.testing.assert_allclose(resampled[0], wave(to_rate), atol=0.02)
    np.testing.assert_allclose(resampled[1], -resampled[0], atol=1e-12)


def test_what_the_lower_rate_cannot_hold_is_removed() -> None:
    for method in ("polyphase", "fft"):
        low = resample(wave(500.0, hertz=80.0), 500.0, 100.0, method)  # type: ignore[arg-type]
        assert np.abs(low).max() < 0.02


def test_the_same_rate_is_a_copy() -> None:
    original = wave(250.0)
    copied = resample(original, 250.0, 250.0)
    np.testing.assert_array_equal(copied, original)
    assert copied is not original


@pytest.mark.parametrize("rates", [(0, 500), (500, -1), (float("nan"), 500), (500, float("inf"))])
def test_impossible_rates_are_refused(rates: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="positive and finite"):
        resample(np.zeros(10), *rates)


@pytest.mark.parametrize("rates", [(500, 100), (250, 500), (257, 500), (499.98, 500)])
def test_a_line_stays_a_line_up_to_its_ends(rates: tuple[float, float]) -> None:
    line = np.linspace(1.0, 2.0, round(10 * rates[0]))
    resampled = resample(line, *rates, beyond="line")
    assert resampled.shape == (round(10 * rates[1]),)
    expected = 1.0 + np.arange(resampled.size) / rates[1] * rates[0] / (line.size - 1)
    np.testing.assert_allclose(resampled, expected, atol=0.005)


def test_beyond_its_ends_a_signal_is_zero_where_nothing_is_said() -> None:
    """That is how the training data were brought from 500 to 100 Hz."""
    assert resample(np.ones(5000), 500, 100)[0] < 0.7


def test_rates_far_apart_are_refused() -> None:
    for rates in ((0.01, 500), (500, 0.01)):
        with pytest.raises(ValueError, match="no ratio of small whole numbers"):
            resample(np.zeros(1000), *rates)
