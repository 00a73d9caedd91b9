"""QRS detection over all leads: rates, noise, pacing, ectopic beats, ends, nothing at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ecgcore.datasets.ludb import read_ludb
from ecgcore.signal.delineation.agreement import agree, middles
from ecgcore.signal.detection import bridged, detect_qrs
from tests.signal.hearts import beats, heart

RATE = 500.0


def assert_found(found: NDArray[np.float64], peaks: NDArray[np.float64], rate: float) -> None:
    assert len(found) == len(peaks), (found / rate, peaks)
    assert np.abs(found / rate - peaks).max() < 0.04


@pytest.mark.parametrize("rate", [100.0, 125.0, 250.0, 360.0, 500.0, 1000.0])
@pytest.mark.parametrize("bpm", [30.0, 75.0, 180.0])
def test_beats_are_found_at_every_rate(rate: float, bpm: float) -> None:
    peaks = beats(bpm, 9.8)
    assert_found(detect_qrs(heart(peaks, rate=rate, noise_mv=0.02), rate), peaks, rate)


def test_noisy_leads_do_not_outvote_clean_ones() -> None:
    peaks = beats(70, 9.8)
    signal = heart(peaks, noise_mv=0.01)
    signal[:7] += np.random.default_rng(0).normal(0, 3, signal[:7].shape)
    assert_found(detect_qrs(signal, RATE), peaks, RATE)


def test_low_voltage_is_found() -> None:
    peaks = beats(70, 9.8)
    assert_found(detect_qrs(0.15 * heart(peaks) + heart([], noise_mv=0.01), RATE), peaks, RATE)


def test_pacing_spikes_are_not_beats() -> None:
    peaks = beats(60, 9.8)
    signal = heart(peaks, noise_mv=0.01)
    for peak in peaks:
        for before in (0.2, 0.04):  # atrial and ventricular
            at = round((peak - before) * RATE)
            signal[:, at] += 4.0
    assert_found(detect_qrs(signal, RATE), peaks, RATE)


def test_wide_premature_beats_are_found() -> None:
    peaks = np.array([0.6, 1.4, 1.9, 3.0, 3.8, 4.6, 5.1, 6.2, 7.0, 7.8, 8.6])
    assert_found(detect_qrs(heart(peaks, noise_mv=0.02, wide=(2, 6)), RATE), peaks, RATE)


def test_the_first_and_the_last_beat_are_found_near_the_ends() -> None:
    peaks = np.array([0.08, 0.9, 1.7, 2.5, 3.3, 3.92])
    assert_found(detect_qrs(heart(peaks, seconds=4.0), RATE), peaks, RATE)


def test_tall_p_and_t_waves_are_not_beats() -> None:
    peaks = beats(60, 9.8)
    time = np.arange(5000) / RATE
    tall = sum(
        0.8 * np.exp(-(((time - peak - at) / width) ** 2) / 2)
        for peak in peaks
        for at, width in ((-0.17, 0.022), (0.3, 0.04))
    )
    assert_found(detect_qrs(heart(peaks) + tall, RATE), peaks, RATE)


def test_a_weak_beat_in_a_gap_is_searched_back() -> None:
    peaks = beats(75, 9.8)
    strong = np.delete(peaks, 5)
    signal = heart(strong) + 0.32 * heart(peaks[5:6], with_p=False)
    assert_found(detect_qrs(signal, RATE), peaks, RATE)


def test_nothing_is_found_where_nothing_is() -> None:
    assert detect_qrs(np.zeros((12, 5000)), RATE).size == 0
    assert detect_qrs(np.full((2, 5000), np.nan), RATE).size == 0
    assert detect_qrs(heart([0.1], seconds=0.4), RATE).size == 0


def test_missing_samples_are_bridged() -> None:
    peaks = beats(75, 9.8)
    signal = heart(peaks, noise_mv=0.01)
    signal[:, 600:640] = np.nan
    signal[3] = np.nan
    assert_found(detect_qrs(signal, RATE), peaks, RATE)
    np.testing.assert_array_equal(bridged(np.array([[1, np.nan, 3]])), [[1, 2, 3]])


def test_other_shapes_and_rates_are_refused() -> None:
    with pytest.raises(ValueError, match="leads, samples"):
        detect_qrs(np.zeros(100), RATE)
    with pytest.raises(ValueError, match="50 Hz"):
        detect_qrs(np.zeros((1, 100)), 40.0)


@settings(max_examples=25, deadline=None)
@given(
    scale=st.floats(0.2, 5),
    offset=st.floats(-5, 5),
    order=st.permutations(range(12)),
)
def test_scale_offset_and_order_change_nothing(
    scale: float, offset: float, order: list[int]
) -> None:
    signal = heart(beats(80, 9.8), noise_mv=0.03)
    expected = detect_qrs(signal, RATE)
    np.testing.assert_allclose(
        detect_qrs((scale * signal + offset)[order], RATE), expected, atol=0.5
    )


def test_every_marked_beat_of_real_recordings_is_found_and_no_other(ecg_data: Path) -> None:
    missed = false = 0
    for marked in read_ludb(ecg_data / "ludb", 20):
        truth, _ = agree({lead: marks.waves for lead, marks in marked.marks.items()}, RATE)
        places = middles(truth["QRS"][~np.isnan(truth["QRS"][:, 1])])
        found = detect_qrs(marked.recording.signal, RATE)
        inside = found[(found > places[0] - 20) & (found < places[-1] + 20)]
        missed += sum(np.abs(found - place).min() > 50 for place in places)
        false += sum(np.abs(places - place).min() > 50 for place in inside)
    assert (missed, false) == (0, 0)
