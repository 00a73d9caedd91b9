"""Q, R, S, R', S' of complexes drawn by hand at 1 kHz."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from ecgcore.signal.deflections import is_notched, least_height, qrs_waves, r_peaks


def complex_of(*parts: tuple[float, int]) -> NDArray[np.float64]:
    """Half sines of (height in mV, ms), one after another, between 4 ms of zero."""
    waves = [height * np.sin(np.pi * np.arange(ms) / ms) for height, ms in parts]
    return np.concatenate([np.zeros(4), *waves, np.zeros(4)])


@pytest.mark.parametrize(
    ("parts", "names"),
    [
        ([(1.0, 60)], ["r"]),
        ([(-0.1, 20), (1.0, 40)], ["q", "r"]),
        ([(0.2, 20), (-1.0, 50)], ["r", "s"]),
        ([(-0.1, 15), (1.0, 40), (-0.3, 30)], ["q", "r", "s"]),
        ([(0.3, 25), (-0.6, 30), (0.8, 50)], ["r", "s", "r2"]),
        ([(0.3, 25), (-0.6, 30), (0.8, 50), (-0.2, 20)], ["r", "s", "r2", "s2"]),
        ([(-1.0, 90)], ["q"]),
        ([(0.01, 30), (1.0, 40)], ["r"]),
        ([(-0.5, 5), (1.0, 40)], ["r"]),
        ([], []),
    ],
)
def test_waves_are_named_in_turn(parts: list[tuple[float, int]], names: list[str]) -> None:
    found = qrs_waves(complex_of(*parts), 0.02)
    assert list(found.waves) == names
    assert found.qs == (names == ["q"])


def test_the_least_duration_may_be_another() -> None:
    values = complex_of((0.5, 10), (-1.0, 60))
    assert list(qrs_waves(values, 0.02).waves) == ["r", "s"]
    assert list(qrs_waves(values, 0.02, least_ms=12).waves) == ["q"]


def test_height_time_and_duration_of_a_wave() -> None:
    found = qrs_waves(complex_of((-0.2, 24), (1.5, 50), (-0.4, 30)), 0.02).waves
    assert found["q"].height == pytest.approx(-0.2, abs=1e-3)
    assert found["r"].height == pytest.approx(1.5, abs=2e-3)
    assert found["s"].height == pytest.approx(-0.4, abs=2e-3)
    assert found["r"].peak == 4 + 24 + 25
    assert found["q"].ms == pytest.approx(24, abs=2)
    assert found["r"].ms == pytest.approx(50, abs=2)


def test_an_isoelectric_beginning_belongs_to_no_wave() -> None:
    flat = np.concatenate([np.full(30, -0.004), complex_of((1.0, 40))])
    wave = qrs_waves(flat, 0.02).waves["r"]
    assert list(qrs_waves(flat, 0.02).waves) == ["r"]
    assert wave.start == pytest.approx(34, abs=1)


def test_an_elevated_j_point_is_no_second_r() -> None:
    rise = np.linspace(0, 0.3, 20)
    found = qrs_waves(np.concatenate([complex_of((0.2, 20), (-1.5, 60)), rise]), 0.02)
    assert list(found.waves) == ["r", "s"]
    with_peak = np.concatenate([complex_of((0.2, 20), (-1.5, 60), (0.6, 40)), rise[:8]])
    assert "r2" in qrs_waves(with_peak, 0.02).waves


@pytest.mark.parametrize("sign", [1, -1])
def test_what_falls_from_the_level_of_the_pr_segment_is_no_wave(sign: int) -> None:
    fall = sign * np.linspace(0.03, 0, 8, endpoint=False)
    rest = complex_of((-0.9 * sign, 60))
    assert list(qrs_waves(np.concatenate([fall, rest]), 0.02).waves) == ["r" if sign < 0 else "q"]
    rise = sign * np.linspace(0.03, 0.055, 6)  # a wave that began a little before the complex
    found = qrs_waves(np.concatenate([rise, rise[::-1], rest]), 0.02).waves
    assert list(found) == (["q", "r"] if sign < 0 else ["r", "s"])


def test_noise_raises_the_least_height() -> None:
    assert least_height(0.001) == 0.02
    assert least_height(0.02) == pytest.approx(0.06)
    assert least_height(0.0, relative=5.0) == pytest.approx(0.1)
    assert "q" in qrs_waves(complex_of((-0.04, 20), (1.0, 40)), least_height(0.0)).waves
    assert "q" not in qrs_waves(complex_of((-0.04, 20), (1.0, 40)), least_height(0.02)).waves


def test_a_notch_makes_two_peaks_and_a_plateau_is_slurred() -> None:
    at = np.arange(-60, 61)
    smooth = np.exp(-((at / 20) ** 2) / 2) - 0.011
    notched = np.exp(-(((at + 18) / 12) ** 2) / 2) + np.exp(-(((at - 18) / 12) ** 2) / 2) - 0.005
    plateau = np.clip(1.8 - np.abs(at) / 33, 0, 1)
    for values, expected, peaks in ((smooth, False, 1), (notched, True, 2), (plateau, True, 1)):
        wave = qrs_waves(values, 0.02).waves["r"]
        found = r_peaks(values, wave, 0.02)
        assert len(found) == peaks
        assert is_notched(values, wave, found) is expected


def test_missing_samples_give_no_waves() -> None:
    values = complex_of((1.0, 40))
    values[10] = np.nan
    assert qrs_waves(values, 0.02).waves == {}
