"""Delineation by differences: absent P waves, noise, real recordings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ecgcore.datasets.ludb import read_ludb
from ecgcore.evaluation.delineation import BOUNDARIES, pool, score_boundary, score_recording
from ecgcore.signal.delineation import delineate
from ecgcore.signal.delineation.gradient import read_leads
from ecgcore.signal.delineation.waves import WAVES, shown
from tests.signal.hearts import beats, heart, recording

RATE = 500.0


def irregular(count: int = 12) -> np.ndarray:
    return 0.5 + np.cumsum(np.random.default_rng(3).uniform(0.6, 1.0, count))


def test_no_p_wave_is_marked_where_there_is_none() -> None:
    peaks = irregular()
    found = delineate(recording(heart(peaks, with_p=False, noise_mv=0.01)), "gradient")
    assert len(shown(found.overall["QRS"])) >= 10
    assert len(shown(found.overall["P"])) == 0


def test_a_single_p_wave_that_fails_is_absent_in_its_beat_alone() -> None:
    peaks = beats(70, 9.5)
    with_p, without = (heart(peaks, with_p=there, noise_mv=0.003) for there in (True, False))
    place = round(peaks[5] * RATE)
    with_p[:, place - 150 : place - 20] = without[:, place - 150 : place - 20]
    found = delineate(recording(with_p), "gradient")
    p_peaks = shown(found.overall["P"])[:, 1]
    expected = (np.delete(peaks, [0, 5]) - 0.16) * RATE
    for peak in expected:
        assert np.abs(p_peaks - peak).min() < 12
    assert np.abs(p_peaks - (peaks[5] - 0.16) * RATE).min() > 50


def test_a_lead_of_noise_is_left_unread_with_the_reason() -> None:
    noise = np.random.default_rng(5).normal(0, 0.2, 5000).astype(np.float32)
    flat = np.zeros(5000, dtype=np.float32)
    read = read_leads({"I": flat, "II": heart(beats(70, 9.8))[1], "V1": noise}, RATE)
    assert read.unread["I"] == "Lead I: no QRS complex stands out from the noise."
    assert "II" in read.marks


def test_real_recordings_are_marked_as_well_as_when_the_thresholds_were_set(
    ecg_data: Path,
) -> None:
    scores = [
        score_recording(marked, delineate(marked.recording, "gradient"))
        for marked in read_ludb(ecg_data / "ludb", 16)
    ]
    pooled = {wave: pool([score.overall[wave] for score in scores]) for wave in WAVES}
    assert pooled["QRS"].sensitivity == pooled["QRS"].ppv == 1
    assert (pooled["T"].sensitivity or 0) > 0.97
    wave, mark, tolerance = BOUNDARIES["QRS off"]
    assert score_boundary(pooled[wave], mark, tolerance).sd_ms == pytest.approx(7, abs=4)
