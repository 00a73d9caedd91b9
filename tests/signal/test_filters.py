"""The display filters: their bands, what they leave alone, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from ecgcore.signal.filters import (
    DISPLAY_FILTERS,
    NO_FILTER,
    DisplayFilter,
    apply_display_filter,
)

RATE = 500.0
SECONDS = 60


def tone(frequency: float, rate: float = RATE, seconds: float = SECONDS) -> NDArray[np.float32]:
    time = np.arange(round(seconds * rate)) / rate
    return np.sin(2 * np.pi * frequency * time).astype(np.float32)[None]


def gain_at(frequency: float, chosen: DisplayFilter, rate: float = RATE) -> float:
    """Amplitude out over amplitude in, far from both ends."""
    signal = tone(frequency, rate)
    filtered = apply_display_filter(signal, rate, chosen).signal
    middle = slice(signal.shape[1] // 3, 2 * signal.shape[1] // 3)
    return float(np.std(filtered[0, middle]) / np.std(signal[0, middle]))


@pytest.mark.parametrize(
    ("band", "frequency"), [("0.5-40 Hz", 0.5), ("0.5-40 Hz", 40.0), ("0.05-150 Hz", 150.0)]
)
def test_the_two_passes_together_have_3_db_at_the_named_edges(band: str, frequency: float) -> None:
    chosen = DisplayFilter(band)  # type: ignore[arg-type]
    assert gain_at(frequency, chosen) == pytest.approx(2**-0.5, abs=0.02)


def test_the_band_passes_its_inside_and_stops_its_outside() -> None:
    chosen = DisplayFilter("0.5-40 Hz")
    assert gain_at(8.0, chosen) == pytest.approx(1.0, abs=0.01)
    assert gain_at(120.0, chosen) < 0.02
    assert gain_at(0.1, chosen) < 0.01


@pytest.mark.parametrize("mains", [50, 60])
def test_the_notch_removes_its_mains_and_little_else(mains: int) -> None:
    chosen = DisplayFilter("none", mains)  # type: ignore[arg-type]
    assert gain_at(mains, chosen) < 0.01
    assert gain_at(110 - mains, chosen) > 0.99
    assert gain_at(mains - 8, chosen) > 0.95


@pytest.mark.parametrize("chosen", DISPLAY_FILTERS, ids=lambda each: each.name)
def test_no_filter_shifts_a_wave_in_time(chosen: DisplayFilter) -> None:
    time = np.arange(5000) / RATE
    wave = np.exp(-(((time - 5.0) / 0.02) ** 2)).astype(np.float32)[None]
    filtered = apply_display_filter(wave, RATE, chosen).signal[0]
    assert abs(int(np.argmax(filtered)) - 2500) <= 1
    assert np.allclose(filtered[2400:2500], filtered[2501:2601][::-1], atol=2e-3)


def test_a_constant_offset_disappears_without_ringing_at_the_ends() -> None:
    flat = np.full((2, 5000), 3.0, dtype=np.float32)
    for band in ("0.05-150 Hz", "0.5-40 Hz"):
        filtered = apply_display_filter(flat, RATE, DisplayFilter(band)).signal  # type: ignore[arg-type]
        assert np.abs(filtered).max() < 1e-3


def test_gaps_stay_gaps_and_do_not_spread() -> None:
    signal = np.concatenate([tone(5.0), tone(5.0), tone(5.0)])
    signal[0, 1000:1100] = np.nan
    signal[1, :] = np.nan
    chosen = DisplayFilter("0.5-40 Hz", 50)
    filtered = apply_display_filter(signal, RATE, chosen).signal
    assert np.array_equal(np.isnan(filtered), np.isnan(signal))
    whole = apply_display_filter(signal[2:], RATE, chosen).signal
    assert np.array_equal(filtered[2], whole[0])
    assert np.allclose(filtered[0, 3000:], whole[0, 3000:], atol=0.02)


def test_the_input_is_never_changed() -> None:
    signal = tone(5.0)
    signal[0, 10] = np.nan
    signal.setflags(write=False)
    before = signal.copy()
    filtered = apply_display_filter(signal, RATE, DisplayFilter("0.5-40 Hz", 60)).signal
    assert np.array_equal(signal, before, equal_nan=True)
    assert not np.shares_memory(filtered, signal)


def test_no_filter_gives_the_very_samples() -> None:
    signal = tone(5.0)
    result = apply_display_filter(signal, RATE, NO_FILTER)
    assert np.array_equal(result.signal, signal)
    assert (result.name, result.note) == ("none", None)


def test_a_rate_too_low_for_the_low_pass_is_named() -> None:
    result = apply_display_filter(tone(5.0, 250.0), 250.0, DisplayFilter("0.05-150 Hz"))
    assert result.name == "0.05 Hz high-pass"
    assert result.note == "no 150 Hz low-pass: sampled at 250 Hz"
    assert gain_at(100.0, DisplayFilter("0.05-150 Hz"), 250.0) == pytest.approx(1.0, abs=0.01)


def test_a_rate_too_low_for_the_notch_is_named() -> None:
    signal = tone(5.0, 100.0)
    result = apply_display_filter(signal, 100.0, DisplayFilter("none", 50))
    assert (result.name, result.note) == ("none", "no 50 Hz notch: sampled at 100 Hz")
    assert np.array_equal(result.signal, signal)
    both = apply_display_filter(signal, 100.0, DisplayFilter("0.5-40 Hz", 50))
    assert (both.name, both.note) == ("0.5-40 Hz", "no 50 Hz notch: sampled at 100 Hz")


def test_too_few_samples_are_left_alone_and_said_so() -> None:
    signal = tone(5.0)[:, :7]
    result = apply_display_filter(signal, RATE, DisplayFilter("0.5-40 Hz"))
    assert np.array_equal(result.signal, signal)
    assert result.name == "none"
    assert "7 samples are too few" in str(result.note)


def test_the_nine_filters_have_nine_names() -> None:
    names = [each.name for each in DISPLAY_FILTERS]
    assert len(set(names)) == 9
    assert names[0] == "none"
    assert "0.5-40 Hz, notch 60 Hz" in names


def test_an_unknown_band_or_mains_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"unknown band '1-30 Hz'; known: none, 0.05-150 Hz"):
        DisplayFilter("1-30 Hz")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="unknown mains frequency 55"):
        DisplayFilter("none", 55)  # type: ignore[arg-type]
