"""A T wave is a wave: an ST segment that returns to the line is none, however far off it was."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from ecgcore.signal.amplitudes import FineBeat, lead_values
from ecgcore.signal.intervals import UsualBeat

AT = np.arange(900)
QRS_END, T_ONSET, T_END = 390, 430, 680


def st_segment(level: float) -> NDArray[np.float64]:
    """``level`` from the end of the QRS complex on, back at the line in the middle of T."""
    shape = np.interp(AT, [QRS_END - 1, QRS_END, 480, 580], [0.0, 1.0, 1.0, 0.0])
    return level * shape


def wave(height: float) -> NDArray[np.float64]:
    return height * np.sin(np.pi * np.clip((AT - 480) / 180, 0, 1))


def t_of(values: NDArray[np.float64]) -> tuple[float, float]:
    borders = {"QRS": (300.0, float(QRS_END)), "T": (float(T_ONSET), float(T_END))}
    index = np.zeros(1, dtype=np.intp)
    usual = UsualBeat(borders, {"V5": borders}, {}, index, 0, index - 1, index, False)  # type: ignore[arg-type]
    beat = FineBeat(("V5",), values[None], np.zeros(1), borders, 345.0)  # type: ignore[arg-type]
    found = lead_values(beat, "V5", usual, False)
    t, t_neg = found["t_mv"].number, found["t_neg_mv"].number
    assert t is not None and t_neg is not None
    return t, t_neg


def test_st_depression_before_an_upright_t_wave_is_no_inverted_t_wave() -> None:
    values = st_segment(-0.2) + wave(0.15)
    t, t_neg = t_of(values)
    assert t == pytest.approx(values[T_ONSET:T_END].max(), abs=0.01)
    assert t_neg > -0.02


def test_st_depression_that_only_returns_to_the_line_is_no_t_wave() -> None:
    assert t_of(st_segment(-0.2)) == pytest.approx((0.0, 0.0), abs=0.02)


@pytest.mark.parametrize("level", [-0.1, 0.0, 0.15])
def test_an_inverted_t_wave_is_measured_from_the_line_after_any_st_segment(level: float) -> None:
    values = st_segment(level) + wave(-0.3)
    t, t_neg = t_of(values)
    assert t == t_neg == pytest.approx(values[T_ONSET:T_END].min(), abs=0.01)


def test_an_elevated_st_segment_is_not_the_height_of_the_inverted_t_wave_after_it() -> None:
    t, _ = t_of(st_segment(0.4) + wave(-0.3))
    assert t < -0.1


@pytest.mark.parametrize("level", [-0.1, 0.0, 0.1])
def test_an_upright_t_wave_is_measured_from_the_line_after_any_st_segment(level: float) -> None:
    values = st_segment(level) + wave(0.5)
    assert t_of(values)[0] == pytest.approx(values[T_ONSET:T_END].max(), abs=0.01)
