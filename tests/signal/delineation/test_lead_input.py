"""What the network sees: rate, offset, scale, gaps, and the way back to the file's samples."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from ecgcore.signal.delineation.lead_input import NETWORK_RATE, lead_input


def lead(rate: float, seconds: float = 8.0) -> NDArray[np.float64]:
    """Deflections every 0.8 s, from 0.5 s on, (1, samples)."""
    time = np.arange(round(seconds * rate)) / rate
    centres = np.arange(0.5, seconds, 0.8)
    return np.exp(-(((time - centres[:, None]) / 0.02) ** 2)).sum(axis=0)[None]


@pytest.mark.parametrize("rate", [100.0, 250.0, 257.0, 360.0, 400.0, 500.0, 1000.0])
def test_a_place_seen_is_the_place_in_the_file(rate: float) -> None:
    read = lead_input(lead(rate), rate)
    assert abs(read.values.shape[1] - 8 * NETWORK_RATE) <= 2.5 * NETWORK_RATE / rate + 1
    tops = np.flatnonzero(
        (read.values[0, 1:-1] > 0.4)
        & (read.values[0, 1:-1] >= read.values[0, :-2])
        & (read.values[0, 1:-1] > read.values[0, 2:])
    )
    seconds = read.file_samples((tops + 1).astype(np.float64)) / rate
    np.testing.assert_allclose(seconds, 0.5 + 0.8 * np.arange(len(tops)), atol=0.0021)
    assert len(tops) == 10


def test_offset_and_gain_change_nothing() -> None:
    signal = lead(500.0)
    np.testing.assert_allclose(
        lead_input(signal * 3.7 - 250.0, 500.0).values, lead_input(signal, 500.0).values, atol=1e-5
    )


def test_leads_do_not_see_each_other() -> None:
    one, two = lead(500.0)[0], np.random.default_rng(0).normal(size=4000)
    both = lead_input(np.stack([one, two]), 500.0).values
    np.testing.assert_array_equal(both[0], lead_input(one[None], 500.0).values[0])
    np.testing.assert_array_equal(both[1], lead_input(two[None], 500.0).values[0])


def test_missing_samples_are_bridged() -> None:
    signal = lead(500.0)
    holed = signal.copy()
    holed[0, 60:160] = np.nan  # between two deflections
    np.testing.assert_allclose(
        lead_input(holed, 500.0).values, lead_input(signal, 500.0).values, atol=1e-3
    )


def test_a_lead_without_signal_is_nothing_and_not_an_error() -> None:
    for value in (np.nan, 0.0, 5.0):
        read = lead_input(np.full((1, 2000), value), 500.0)
        np.testing.assert_allclose(read.values, 0, atol=1e-6)


def test_wander_is_taken_out() -> None:
    signal = lead(500.0, 20.0)
    drift = np.sin(2 * np.pi * 0.1 * np.arange(10_000) / 500)
    apart = lead_input(signal + drift, 500.0).values - lead_input(signal, 500.0).values
    assert np.abs(apart[0, 500:-500]).max() < 0.05
