"""One tracing in two files: other rate, gain, filter, noise, and cut at another moment."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.same_tracings import known_records
from ecgcore.recording import LEADS, Recording
from ecgcore.signal.filters import DisplayFilter, apply_display_filter
from ecgcore.signal.resampling import resample
from ecgcore.signal.simulator import PRESETS, simulate
from ecgcore.signal.tracing_search import ALIKE_BEATS, BeatIndex, Tracing, overlap, tracing_of


def _heart(seed: int, preset: str = "sinus", seconds: float = 14.0) -> Recording:
    return simulate(replace(PRESETS[preset], seed=seed, seconds=seconds), "h").recording


def _tracing(signal: NDArray[np.floating], rate: float) -> Tracing:
    found = tracing_of(signal, rate, LEADS)
    assert isinstance(found, Tracing), found
    return found


@pytest.mark.parametrize("preset", ["sinus", "atrial fibrillation"])
@pytest.mark.parametrize("cut", [0.0, 0.333, 4.0])
def test_a_copy_is_found_at_its_shift(preset: str, cut: float) -> None:
    heart = _heart(1, preset)
    rate = heart.sampling_rate
    first = heart.signal[:, : round(9 * rate)]
    second = heart.signal[:, round(cut * rate) : round((cut + 9) * rate)]
    second = apply_display_filter(second, rate, DisplayFilter("0.5-40 Hz")).signal
    noisy = second + 0.1 * second.std() * np.random.default_rng(0).normal(size=second.shape)
    one, two = _tracing(first, rate), _tracing(0.5 * resample(noisy, rate, 257.0), 257.0)
    found = overlap(one, two)
    assert found.is_same
    assert found.later == pytest.approx(cut, abs=0.011)
    assert found.seconds == pytest.approx(9 - cut, abs=0.05)
    assert overlap(two, one).later == pytest.approx(-cut, abs=0.011)
    assert one.beat @ two.beat >= ALIKE_BEATS


def test_another_tracing_of_the_same_heart_is_not_the_same() -> None:
    heart = _heart(1, "atrial fibrillation", seconds=24.0)
    rate = heart.sampling_rate
    half = round(12 * rate)
    one, two = _tracing(heart.signal[:, :half], rate), _tracing(heart.signal[:, half:], rate)
    assert one.beat @ two.beat >= ALIKE_BEATS
    assert not overlap(one, two).is_same


def test_less_than_five_shared_seconds_are_no_tracing() -> None:
    heart = _heart(1, "atrial fibrillation", seconds=16.0)
    rate = heart.sampling_rate
    one = _tracing(heart.signal[:, : round(10 * rate)], rate)
    two = _tracing(heart.signal[:, round(6 * rate) :], rate)
    assert not overlap(one, two).is_same


def test_what_cannot_be_compared_says_why() -> None:
    heart = _heart(1)
    rate = heart.sampling_rate
    assert "without V6" in str(tracing_of(heart.signal[:-1], rate, LEADS[:-1]))
    assert "shorter than 5 s" in str(tracing_of(heart.signal[:, : int(4 * rate)], rate, LEADS))
    assert "no heartbeat" in str(tracing_of(np.zeros_like(heart.signal), rate, LEADS))
    missing = np.full_like(heart.signal, np.nan)
    assert "no heartbeat" in str(tracing_of(missing, rate, LEADS))


def test_the_index_answers_with_those_alike_however_many_there_are() -> None:
    random = np.random.default_rng(0)
    beats = random.normal(size=(200, 280)).astype(np.float32)
    beats /= np.linalg.norm(beats, axis=1, keepdims=True)
    index = BeatIndex()
    assert len(index.alike(beats[0])) == 0
    for beat in beats:
        index.add(beat)
    assert len(index) == 200
    assert list(index.alike(beats[150])) == [150]


def test_real_records_in_two_forms_are_found_and_no_two_patients(ecg_data: object) -> None:
    from pathlib import Path

    records = [
        one for one in known_records(Path(str(ecg_data)), more=False)
        if one.origin.startswith("ptbxl")
    ]  # fmt: skip
    made = [(one, _tracing(one.signal, one.rate)) for one in records]
    told = {True: list[float](), False: list[float]()}
    for at, (one, first) in enumerate(made):
        for other, second in made[at + 1 :]:
            if one.origin == other.origin or first.beat @ second.beat >= ALIKE_BEATS:
                told[one.origin == other.origin].append(overlap(first, second).correlation)
    assert len(told[True]) == 30
    assert min(told[True]) > 0.91
    assert max(told[False]) < 0.88
