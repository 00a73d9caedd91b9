"""Hum subtracted from what is measured: it goes, and nothing else does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from ecgcore.signal.mains import pauses, without_mains
from ecgcore.signal.measurements import measure
from ecgcore.signal.simulator import PRESETS, Simulated, simulate


def heart(**options: float) -> Simulated:
    return simulate(replace(PRESETS["bradycardia"], **options), "bradycardia")


def hum(samples: int, rate: float, hertz: float, uv: float) -> NDArray[np.float64]:
    turns = hertz * np.arange(samples) / rate + 0.3
    return uv / 1000 * np.sin(2 * np.pi * turns)


@pytest.mark.parametrize("rate", [250.0, 500.0, 1000.0])
@pytest.mark.parametrize("hertz", [50.0, 49.95, 60.0, 60.03])
def test_hum_is_taken_out_through_the_complexes(rate: float, hertz: float) -> None:
    clean = heart(sampling_rate=rate)
    samples = clean.recording.samples
    disturbed = clean.recording.signal + hum(samples, rate, hertz, 40).astype(np.float32)
    freed = without_mains(disturbed, rate, pauses(clean.truth))
    left = np.abs(freed - clean.recording.signal)
    assert left.max() < 0.012
    assert np.sqrt((left**2).mean()) < 0.1 * 0.040 / np.sqrt(2)


def test_a_recording_without_hum_is_left_as_it_is() -> None:
    for disturbed in (heart(), heart(muscle_uv=25.0, wander_mv=1.0, wander_hz=0.3)):
        signal = disturbed.recording.signal
        np.testing.assert_array_equal(without_mains(signal, 500.0, pauses(disturbed.truth)), signal)


def test_missing_samples_stay_missing_and_change_no_other_lead() -> None:
    clean = heart()
    signal = clean.recording.signal + hum(5000, 500.0, 50.0, 40).astype(np.float32)
    whole = without_mains(signal, 500.0, pauses(clean.truth))
    gap = signal.copy()
    gap[3, 1000:1100] = np.nan
    freed = without_mains(gap, 500.0, pauses(clean.truth))
    np.testing.assert_array_equal(np.isnan(freed), np.isnan(gap))
    np.testing.assert_array_equal(np.delete(freed, 3, 0), np.delete(whole, 3, 0))


def test_where_waves_leave_no_pause_or_the_rate_is_too_low_nothing_is_done() -> None:
    signal = hum(5000, 500.0, 50.0, 40).astype(np.float32)[None]
    np.testing.assert_array_equal(without_mains(signal, 500.0, np.zeros(5000, dtype=bool)), signal)
    slow = hum(1000, 100.0, 25.0, 40).astype(np.float32)[None]
    np.testing.assert_array_equal(without_mains(slow, 100.0, np.ones(1000, dtype=bool)), slow)


@pytest.mark.parametrize("preset", ["bradycardia", "low voltage", "inferior ST elevation"])
def test_hum_in_step_with_the_beats_does_not_widen_the_complex(preset: str) -> None:
    options = replace(PRESETS[preset], mains_uv=50.0, mains_hz=50.0)
    simulated = simulate(options, preset)
    measured = measure(simulated.recording, simulated.truth).overall["qrs_ms"].number
    assert measured == pytest.approx(options.qrs_ms, abs=4)
